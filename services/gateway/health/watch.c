#include "services/gateway/health/watch.h"

#include <stdio.h>

#include "services/gateway/health/facts.h"
#include "services/gateway/history/history.h"
#include "services/gateway/identity.h"
#include "services/gateway/maintenance/maintenance.h"
#include "shared/clock.h"
#include "shared/log.h"

enum {
    SOON_MS = 20,
    ASK_MS = 1500,
    PROBE_EVERY = 5, /* rounds; at once while it fails */
    ASK_PROBE = PEER_COUNT,
    ASK_BACKUPS,
    ASKS,
};

struct ask {
    struct watch *watch;
    int what; /* a peer, ASK_PROBE or ASK_BACKUPS */
    bool active;
    uint64_t call;
    uint64_t started_us;
};

struct watch {
    struct gateway *gateway;
    struct sh_service *service;
    struct edge *edge;
    uv_timer_t timer;
    uv_async_t wake; /* somebody asked the board */
    int holders;     /* the two above, and a question to PostgreSQL under way */
    bool asking;     /* PostgreSQL */
    uint64_t ticket; /* of the board, that this round answers */
    struct ask asks[ASKS];
    struct facts facts;
    struct sh_health_check *checks[PEER_COUNT];
    unsigned pending; /* asks of this round that are not answered */
    bool again;       /* another round was wanted meanwhile */
    bool closing;
    uint64_t rounds;
    uint64_t round_us;
};

static const struct sh_pg_statement accounts = {
    "gateway_accounts_there", "SELECT to_regclass('users') IS NOT NULL"};

static void begin_round(struct watch *watch);

static void let_go(struct watch *watch)
{
    if (--watch->holders == 0)
        sh_free(watch);
}

static enum peer peer_of(int what)
{
    if (what == ASK_PROBE)
        return PEER_SEARCH;
    return what == ASK_BACKUPS ? PEER_BACKUP : (enum peer)what;
}

/* --- the outcome ------------------------------------------------------------------ */

/* What /health/ready and the ops port say: search is needed, the others are not. */
static void tell_service(struct watch *watch)
{
    for (int p = 0; p < PEER_COUNT; p++) {
        size_t ready = sh_rpc_client_ready(watch->edge->peers[p]);
        char detail[48], message[64] = "";
        enum sh_health_state state = SH_HEALTHY;

        (void)snprintf(detail, sizeof detail, "{\"replicas\":%zu}", ready);
        if (ready == 0) {
            (void)snprintf(message, sizeof message, "no replica of %s is ready",
                           peer_name((enum peer)p));
            state = SH_UNHEALTHY;
        }
        sh_health_set(watch->checks[p], state, -1, message, detail);
    }
}

static void publish(struct watch *watch)
{
    const struct gateway *gateway = watch->gateway;
    bool wordy = strcmp(gateway->process.environment, "production") != 0;
    struct facts *facts = &watch->facts;
    struct board_set *set = NULL;
    struct verdict verdict = {0};

    own_read(gateway->health_config.disk_path, &facts->own);
    own_show(&facts->own);
    facts_set_own(&facts->gateway, sh_service_health(watch->service));
    facts->started = sh_service_started(watch->service);
    facts->now = sh_wall_time();
    facts->maintenance = maintenance_text(maintenance_now(gateway->maintenance));
    facts->mean_search_ms = history_search_ms(gateway->history);
    if (verdict_reach(facts, &gateway->health_config, wordy, &verdict)) {
        set = pages_write(facts, &verdict);
        verdict_free(&verdict);
    }
    if (set != NULL)
        board_publish(gateway->board, set);
    else
        sh_warning(NULL, "out of memory: /health shows an older state");
    tell_service(watch);
}

static void end_round(struct watch *watch)
{
    watch->facts.check_duration_ms = (double)(sh_now_us() - watch->round_us) / 1000;
    publish(watch);
    board_answered(watch->gateway->board, watch->ticket);
    if (watch->again)
        begin_round(watch);
}

static void take_health(struct watch *watch, const struct ask *ask,
                        const struct sh_rpc_response *response)
{
    struct service_facts *service = &watch->facts.services[ask->what];
    double seconds = (double)(sh_now_us() - ask->started_us) / 1e6;
    struct sh_arena arena = {0};
    struct health_reply reply;
    bool good =
        response->err == SH_OK &&
        msg_decode(health_reply_desc(), response->payload, &arena, &reply) == SH_OK;

    /* One late answer of a replica that is there says that the machine is busy, two in a
     * row that the service does not answer. */
    bool late = response->err == SH_TIMEOUT && service->reached && !service->late;
    if (late)
        service->late = true;
    else
        facts_set_service(service, good ? &reply : NULL, seconds);
    sh_arena_free(&arena);
}

static void take_probe(struct watch *watch, const struct ask *ask,
                       const struct sh_rpc_response *response)
{
    struct facts *facts = &watch->facts;
    struct sh_arena arena = {0};
    struct search_results results;
    bool late = response->err == SH_TIMEOUT && facts->probe_ran && !facts->probe_late;

    facts->probed = true;
    facts->probe_late = late;
    if (late) /* as for take_health; the next round probes again */
        return;
    facts->probe_ran =
        response->err == SH_OK &&
        msg_decode(search_results_desc(), response->payload, &arena, &results) == SH_OK;
    if (facts->probe_ran) {
        facts->probe_time_s = (double)(sh_now_us() - ask->started_us) / 1e6;
        facts->probe_results = results.hits_count;
        facts->probe_degraded = results.degraded_count > 0;
    }
    sh_arena_free(&arena);
}

static void take_backups(struct watch *watch, const struct sh_rpc_response *response)
{
    struct sh_arena arena = {0};
    struct backup_list_reply reply;

    if (response->err == SH_OK &&
        msg_decode(backup_list_reply_desc(), response->payload, &arena, &reply) == SH_OK)
        watch->facts.latest_backup = reply.sets_count > 0 ? reply.sets[0].created_at : 0;
    sh_arena_free(&arena);
}

static void take(struct watch *watch, const struct ask *ask,
                 const struct sh_rpc_response *response)
{
    if (ask->what == ASK_PROBE)
        take_probe(watch, ask, response);
    else if (ask->what == ASK_BACKUPS)
        take_backups(watch, response);
    else
        take_health(watch, ask, response);
}

static void on_answer(void *arg, const struct sh_rpc_response *response)
{
    struct ask *ask = arg;
    struct watch *watch = ask->watch;

    ask->active = false;
    if (watch->closing)
        return;
    take(watch, ask, response);
    if (--watch->pending == 0)
        end_round(watch);
}

/* --- asking ----------------------------------------------------------------------- */

static enum sh_err encode(const struct watch *watch, int what, struct sh_buffer *out)
{
    static const struct empty nothing;
    const struct search_query probe = {
        .query = sh_bytes_of(watch->gateway->health_config.probe_query),
        .vector_weight = -1,
        .max_results = 1,
    };

    if (what == ASK_PROBE)
        return msg_encode(search_query_desc(), &probe, out);
    return msg_encode(empty_desc(), &nothing, out);
}

static uint32_t method_of(int what)
{
    if (what == ASK_PROBE)
        return METHOD_SEARCH_QUERY;
    return what == ASK_BACKUPS ? METHOD_BACKUP_LIST : METHOD_RPC_HEALTH;
}

static void send_ask(struct watch *watch, int what)
{
    struct ask *ask = &watch->asks[what];
    struct sh_buffer frame = {0};
    struct caller caller;
    enum sh_err err = encode(watch, what, &frame);

    identity_of_operator(&caller);
    ask->watch = watch;
    ask->what = what;
    ask->started_us = sh_now_us();
    const struct sh_rpc_request request = {
        .method = method_of(what),
        .kind = SH_RPC_READ,
        .caller = what < PEER_COUNT ? NULL : &caller,
        .payload = sh_buffer_bytes(&frame),
        .deadline_ms = sh_now_ms() + ASK_MS,
    };
    if (err == SH_OK)
        err = sh_rpc_send(watch->edge->peers[peer_of(what)], &request, on_answer, ask,
                          &ask->call);
    sh_buffer_free(&frame);
    ask->active = err == SH_OK;
    if (ask->active)
        watch->pending++;
    else
        take(watch, ask, &(struct sh_rpc_response){.err = err});
}

/* --- PostgreSQL ------------------------------------------------------------------- */

static void on_accounts(void *arg, const struct sh_pg_reply *reply)
{
    struct watch *watch = arg;

    watch->asking = false;
    watch->facts.tables_known = reply->err == SH_OK;
    if (reply->err == SH_OK)
        watch->facts.tables_there = PQgetvalue(reply->results[0], 0, 0)[0] == 't';
    let_go(watch);
}

/* The answer shows in the next round: a database that is away must not delay this one. */
static void ask_accounts(struct watch *watch)
{
    const struct sh_pg_step step = {&accounts, NULL, 0, false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + ASK_MS};

    if (watch->asking)
        return;
    watch->asking = sh_pg_run(watch->edge->pg, &call, on_accounts, watch) == SH_OK;
    watch->holders += watch->asking;
}

/* --- rounds ----------------------------------------------------------------------- */

static void begin_round(struct watch *watch)
{
    if (watch->pending > 0) {
        watch->again = true;
        return;
    }
    bool probe = watch->again || watch->rounds % PROBE_EVERY == 0 ||
                 !watch->facts.probe_ran || watch->facts.probe_late;
    watch->again = false;
    watch->rounds++;
    watch->ticket = board_asked(watch->gateway->board);
    watch->round_us = sh_now_us();
    ask_accounts(watch);
    for (int what = 0; what < ASKS; what++)
        if (what != ASK_PROBE || probe)
            send_ask(watch, what);
    if (watch->pending == 0)
        end_round(watch);
}

static void on_timer(uv_timer_t *timer)
{
    begin_round(timer->data);
}

static void on_wake(uv_async_t *wake)
{
    struct watch *watch = wake->data;

    watch->rounds = 0; /* the probe too */
    begin_round(watch);
}

void watch_nudge(struct watch *watch)
{
    if (watch == NULL || watch->closing)
        return;
    watch->rounds = 0; /* the probe too */
    tell_service(watch);
    (void)uv_timer_start(&watch->timer, on_timer, SOON_MS, /* the callback is set */
                         watch->gateway->health_config.interval_ms);
}

void watch_draining(struct watch *watch)
{
    if (watch == NULL)
        return;
    watch->facts.draining = true;
    publish(watch);
}

enum sh_err watch_open(struct gateway *gateway, struct sh_service *service,
                       struct edge *edge, struct watch **out)
{
    struct watch *watch = sh_alloc(sizeof *watch);

    *out = NULL;
    if (watch == NULL)
        return SH_NOMEM;
    watch->gateway = gateway;
    watch->service = service;
    watch->edge = edge;
    for (int p = 0; p < PEER_COUNT; p++) {
        watch->checks[p] = sh_health_add(sh_service_health(service),
                                         peer_name((enum peer)p), p == PEER_SEARCH);
        if (watch->checks[p] == NULL) {
            sh_free(watch);
            return SH_NOMEM;
        }
    }
    if (uv_async_init(edge->loop, &watch->wake, on_wake) != 0) {
        sh_free(watch);
        return SH_NOMEM;
    }
    (void)uv_timer_init(edge->loop, &watch->timer); /* always 0 */
    watch->timer.data = watch->wake.data = watch;
    watch->holders = 2;
    board_listen(gateway->board, &watch->wake);
    publish(watch);
    watch_nudge(watch);
    *out = watch;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    let_go(handle->data);
}

void watch_close(struct watch **watch)
{
    struct watch *self = *watch;

    if (self == NULL)
        return;
    *watch = NULL;
    self->closing = true;
    for (int what = 0; what < ASKS; what++)
        if (self->asks[what].active)
            sh_rpc_cancel(self->edge->peers[peer_of(what)], self->asks[what].call);
    facts_free(&self->facts);
    board_listen(self->gateway->board, NULL);
    uv_close((uv_handle_t *)&self->wake, on_closed);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
