#include "services/gateway/everywhere.h"

#include "shared/clock.h"
#include "shared/mem.h"

enum {
    REPLICAS_MAX = 64,
    GRACE_MS = 1000, /* for the answer of a replica that has waited in vain */
};

struct asked {
    struct everywhere *everywhere;
    uint64_t call;
    bool waiting;
};

struct everywhere {
    struct sh_rpc_client *service;
    struct everywhere_answer answer;
    everywhere_done_fn *done;
    void *arg;
    size_t waiting;
    size_t count;
    struct asked asked[]; /* one a replica */
};

static bool shows(const struct sh_rpc_response *response)
{
    struct view_shown shown;
    struct sh_arena arena = {0};
    bool visible =
        response->err == SH_OK &&
        msg_decode(view_shown_desc(), response->payload, &arena, &shown) == SH_OK &&
        shown.visible;

    sh_arena_free(&arena);
    return visible;
}

static void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct asked *asked = arg;
    struct everywhere *self = asked->everywhere;

    asked->waiting = false;
    self->answer.visible += shows(response);
    if (--self->waiting > 0)
        return;
    struct everywhere ended = *self;
    sh_free(self);
    ended.done(ended.arg, ended.answer);
}

static void ask_all(struct everywhere *self, const uint64_t *replicas,
                    struct sh_rpc_request *request)
{
    for (size_t i = 0; i < self->count; i++) {
        struct asked *asked = &self->asked[i];
        request->replica = replicas[i];
        asked->everywhere = self;
        asked->waiting =
            sh_rpc_send(self->service, request, on_answer, asked, &asked->call) == SH_OK;
        self->waiting += asked->waiting;
    }
}

static enum sh_err send_order(struct everywhere *self, const uint64_t *replicas,
                              const struct everywhere_order *order)
{
    const struct view_wait wait = {.xid = order->xid, .wait_ms = order->wait_ms};
    struct sh_buffer frame = {0};
    enum sh_err err = msg_encode(view_wait_desc(), &wait, &frame);
    struct sh_rpc_request request = {.method = METHOD_VIEW_WAIT,
                                     .kind = SH_RPC_READ,
                                     .caller = order->caller,
                                     .payload = sh_buffer_bytes(&frame),
                                     .deadline_ms =
                                         sh_now_ms() + order->wait_ms + GRACE_MS,
                                     .trace = order->trace,
                                     .waits = true};

    if (err == SH_OK)
        ask_all(self, replicas, &request);
    sh_buffer_free(&frame);
    if (err == SH_OK && self->waiting == 0)
        err = SH_UNAVAILABLE;
    return err;
}

enum sh_err everywhere_ask(struct edge *edge, const struct everywhere_order *order,
                           everywhere_done_fn *done, void *arg, struct everywhere **out)
{
    uint64_t replicas[REPLICAS_MAX];
    size_t others;
    size_t count =
        sh_rpc_client_replicas(edge->peers[order->peer], replicas, REPLICAS_MAX, &others);
    struct everywhere *self =
        sh_alloc(sizeof(*self) + REPLICAS_MAX * sizeof(self->asked[0]));

    if (self == NULL)
        return SH_NOMEM;
    self->service = edge->peers[order->peer];
    self->answer.replicas = (uint32_t)(count + others);
    self->done = done;
    self->arg = arg;
    self->count = count;
    enum sh_err err = send_order(self, replicas, order);
    if (err != SH_OK)
        sh_free(self);
    else
        *out = self;
    return err;
}

void everywhere_cancel(struct everywhere **self_in)
{
    struct everywhere *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; i < self->count; i++)
        if (self->asked[i].waiting)
            sh_rpc_cancel(self->service, self->asked[i].call);
    sh_free(self);
}
