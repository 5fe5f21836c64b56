#include "services/gateway/health/census.h"

#include "shared/clock.h"
#include "shared/mem.h"

struct asked {
    struct census *census;
    struct census_replica *replica;
    uint64_t call;
    uint64_t started_us;
    bool waiting;
};

struct census {
    struct edge *edge;
    census_done_fn *done;
    void *arg;
    uv_timer_t soon; /* the end of one that has nobody to ask */
    size_t waiting;
    struct census_answer answer;
    struct census_replica replicas[PEER_COUNT * CENSUS_REPLICAS_MAX];
    struct asked asked[PEER_COUNT * CENSUS_REPLICAS_MAX];
};

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

static void end(struct census *self)
{
    for (size_t i = 0; i < self->answer.count; i++)
        json_decref(self->replicas[i].facts.checks);
    uv_close((uv_handle_t *)&self->soon, on_closed);
}

static void tell(struct census *self)
{
    self->done(self->arg, &self->answer);
    end(self);
}

static void on_soon(uv_timer_t *timer)
{
    tell(timer->data);
}

static void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct asked *asked = arg;
    struct census *self = asked->census;
    double seconds = (double)(sh_now_us() - asked->started_us) / 1e6;
    struct sh_arena arena = {0};
    struct health_reply reply;
    bool good =
        response->err == SH_OK &&
        msg_decode(health_reply_desc(), response->payload, &arena, &reply) == SH_OK;

    asked->waiting = false;
    facts_set_service(&asked->replica->facts, good ? &reply : NULL, seconds);
    sh_arena_free(&arena);
    if (--self->waiting == 0)
        tell(self);
}

static void ask_one(struct census *self, enum peer peer, struct sh_rpc_request *request)
{
    size_t i = self->answer.count++;
    struct asked *asked = &self->asked[i];

    *asked = (struct asked){.census = self, .replica = &self->replicas[i]};
    asked->replica->peer = peer;
    asked->started_us = sh_now_us();
    asked->waiting = sh_rpc_send(self->edge->peers[peer], request, on_answer, asked,
                                 &asked->call) == SH_OK;
    self->waiting += asked->waiting;
}

static void ask_service(struct census *self, enum peer peer,
                        struct sh_rpc_request *request)
{
    uint64_t replicas[CENSUS_REPLICAS_MAX];
    size_t count =
        sh_rpc_client_replicas(self->edge->peers[peer], replicas, CENSUS_REPLICAS_MAX,
                               &self->answer.absent[peer]);

    for (size_t i = 0; i < count; i++) {
        request->replica = replicas[i];
        ask_one(self, peer, request);
    }
}

enum sh_err census_ask(struct edge *edge, uint32_t timeout_ms, census_done_fn *done,
                       void *arg, struct census **out)
{
    static const struct empty nothing;
    struct sh_buffer frame = {0};
    struct census *self = sh_alloc(sizeof *self);
    enum sh_err err = msg_encode(empty_desc(), &nothing, &frame);

    if (self == NULL || err != SH_OK) {
        sh_buffer_free(&frame);
        sh_free(self);
        return SH_NOMEM;
    }
    self->edge = edge;
    self->done = done;
    self->arg = arg;
    self->answer.replicas = self->replicas;
    (void)uv_timer_init(edge->loop, &self->soon); /* cannot fail in libuv */
    self->soon.data = self;
    struct sh_rpc_request request = {.method = METHOD_RPC_HEALTH,
                                     .kind = SH_RPC_READ,
                                     .payload = sh_buffer_bytes(&frame),
                                     .deadline_ms = sh_now_ms() + timeout_ms};
    for (int p = 0; p < PEER_COUNT; p++)
        ask_service(self, (enum peer)p, &request);
    sh_buffer_free(&frame);
    if (self->waiting == 0)
        (void)uv_timer_start(&self->soon, on_soon, 0, 0); /* the callback is set */
    *out = self;
    return SH_OK;
}

void census_cancel(struct census **census)
{
    struct census *self = *census;

    *census = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->answer.count; i++)
        if (self->asked[i].waiting)
            sh_rpc_cancel(self->edge->peers[self->replicas[i].peer], self->asked[i].call);
    end(self);
}
