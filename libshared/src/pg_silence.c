#include "pg_pool.h"
#include "shared/clock.h"

/* A server that is frozen, or was cut off without a word, closes no connection: what
 * waits for it would wait until its deadline, which may be far away. So a host that has
 * said nothing for a while though calls are under way is asked something that takes no
 * time. When that is not answered either the host counts as lost. A statement that takes
 * long does not look like that, as the question is answered beside it. The question may
 * need a connection of its own; then the attempt to connect is the question. While all
 * connections that there may be are busy it gets one more, for as long as it takes. */

static const struct sh_pg_statement question = {"cairn_alive", "SELECT 1"};

/* Since when calls wait for a word of the host; UINT64_MAX: none does. */
static uint64_t silent_since(const struct pg_host *host)
{
    uint64_t since = UINT64_MAX;

    for (size_t i = 0; i < host->pg->max; i++) {
        const struct pg_conn *conn = &host->conns[i];
        if (conn->state == PG_CONN_BUSY && conn->since_ms < since)
            since = conn->since_ms;
    }
    return since == UINT64_MAX || since > host->heard_ms ? since : host->heard_ms;
}

static void on_answered(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_host *host = arg;

    (void)reply; /* any answer was a word of it */
    host->questioned = false;
}

static void ask(struct pg_host *host, uint64_t now_ms)
{
    const struct sh_pg_step step = {.statement = &question};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = now_ms + PG_BEAT_MS};
    struct pg_call *copy;

    if (pg_call_copy(&call, on_answered, host, &copy) != SH_OK)
        return; /* again when next looked at */
    host->questioned = true;
    host->questioned_ms = now_ms;
    pg_host_first(host, copy);
}

static bool is_next(const struct pg_host *host)
{
    return host->queue.first && host->queue.first->steps->statement == &question;
}

void pg_silence_make_way(struct pg_host *host)
{
    struct pg_conn *own = &host->conns[host->pg->max];
    struct pg_call *call;

    if (own->state == PG_CONN_IDLE && !is_next(host)) {
        (void)pg_conn_close(own); /* idle: no call */
    } else if (own->state == PG_CONN_IDLE) {
        call = pg_queue_pop(&host->queue);
        if (!pg_conn_start(own, call))
            pg_queue_push_front(&host->queue, call); /* put again when next looked at */
    } else if (own->state == PG_CONN_DOWN && is_next(host) &&
               host->counts[PG_CONN_IDLE] + host->counts[PG_CONN_LINKING] == 0 &&
               pg_host_open(host) == host->pg->max && host->next_try_ms <= sh_now_ms() &&
               !host->pg->closing) {
        pg_conn_open(own);
    }
}

/* The question is on its way, and does not wait for calls of our own to end. */
static bool was_put(const struct pg_host *host)
{
    if (!host->questioned)
        return false;
    if (host->counts[PG_CONN_LINKING] > 0)
        return true;
    for (const struct pg_call *c = host->queue.first; c; c = c->next) {
        if (c->steps->statement == &question)
            return false;
    }
    return true;
}

uint64_t pg_silence_due(const struct pg_host *host)
{
    uint64_t since = silent_since(host);
    uint64_t lost;
    uint64_t heard;

    if (since == UINT64_MAX)
        return UINT64_MAX;
    if (!host->questioned)
        return since + PG_ASK_MS;
    lost = since + PG_SILENT_MS;
    heard = host->questioned_ms + PG_ANSWER_MS;
    lost = lost > heard ? lost : heard;
    /* a question that could not be put is looked after until it can be */
    return lost > sh_now_ms() ? lost : sh_now_ms() + PG_ASK_MS;
}

/* What was read at another host than the primary is read there. */
static bool goes_elsewhere(const struct pg_host *host, struct pg_call *call)
{
    return host != host->pg->hosts && call->read_only && call->broken_retries++ < 1;
}

static void lose(struct pg_host *host, uint64_t since_ms, struct pg_queue *out)
{
    static const char why[] = "the server does not answer";
    struct pg_queue again = {0};
    struct pg_call *call;

    for (size_t i = 0; i <= host->pg->max; i++) {
        struct pg_conn *conn = &host->conns[i];
        if (conn->state == PG_CONN_DOWN || conn->state == PG_CONN_LINKING ||
            !(call = pg_conn_close(conn)))
            continue;
        if (goes_elsewhere(host, call)) {
            pg_queue_push(&again, call);
            continue;
        }
        pg_call_fail(call, SH_UNAVAILABLE, why);
        call->maybe_done = !call->read_only;
        pg_queue_push(out, call);
    }
    pg_host_lost(host, NULL, false, why);
    while ((call = pg_queue_pop(&again)))
        pg_host_again(host, call);
    host->lost_ms = since_ms; /* who waited for a connection has waited since then */
}

void pg_silence_look(struct pg_host *host, uint64_t now_ms, struct pg_queue *out)
{
    uint64_t since = silent_since(host);

    if (since == UINT64_MAX || now_ms < since + PG_ASK_MS)
        return;
    if (!host->questioned)
        ask(host, now_ms);
    else if (now_ms >= since + PG_SILENT_MS &&
             now_ms >= host->questioned_ms + PG_ANSWER_MS && was_put(host))
        lose(host, since, out);
}
