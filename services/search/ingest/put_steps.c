#include "services/search/ingest/known.h"
#include "services/search/ingest/put_internal.h"
#include "services/search/ingest/put_key.h"
#include "services/search/store/statements.h"
#include "shared/bytes.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"
#include "shared/outcome.h"

enum {
    EMBED_SHARE = 4, /* a quarter of the time left is kept for storing */
    VIEW_MS = 5000,  /* at most waited for the view */
};

/* --- the end ---------------------------------------------------------------------- */

void put_fail_as(struct put *put, enum sh_err err, const char *code, const char *message)
{
    put->done(put->arg,
              &(struct put_outcome){.err = err, .code = code, .message = message});
    put_release(put);
}

void put_fail(struct put *put, enum sh_err err, const char *message)
{
    put_fail_as(put, put->putter->closing ? SH_DRAINING : err, NULL, message);
}

void put_refuse(struct put *put)
{
    const struct record_problem *problem = &put->doc.problem;

    put->done(put->arg,
              &(struct put_outcome){.err = SH_INVALID,
                                    .field = problem->field[0] ? problem->field : NULL,
                                    .message = problem->message});
    put_release(put);
}

static void answer(struct put *put, bool visible)
{
    put->reply.document_id = put->doc.id;
    put->reply.visible = visible;
    put->done(put->arg, &(struct put_outcome){.err = SH_OK, .reply = &put->reply});
    put_release(put);
}

bool put_given_up(struct put *put)
{
    if (put->putter->closing)
        put_fail(put, SH_DRAINING, "shutting down, nothing was stored");
    else if (put->order.canceled != NULL && put->order.canceled(put->arg))
        put_fail(put, SH_CANCELED, "cancelled, nothing was stored");
    else
        return false;
    return true;
}

void put_database_failed(struct put *put, const struct sh_pg_reply *reply)
{
    enum sh_err err = reply->err;

    sh_warning(put->order.trace, "a document cannot be stored: %s %s", reply->sqlstate,
               reply->message);
    if (reply->maybe_done || put->maybe_done)
        put_fail_as(put, SH_INTERNAL, SH_OUTCOME_UNKNOWN,
                    "it is not known whether the document was stored; put it again");
    else if (err == SH_UNAVAILABLE || err == SH_CANCELED)
        put_fail(put, SH_UNAVAILABLE, "the database is not available");
    else
        put_fail(put, err, sh_err_text(err));
}

/* --- the view shows it ------------------------------------------------------------ */

static void on_view(void *arg, enum sh_err err)
{
    struct put *put = arg;

    answer(put, err == SH_OK); /* it is stored; a view that is late shows it soon */
}

void put_wait_for_view(struct put *put)
{
    struct putter *putter = put->putter;
    uint64_t latest = sh_now_ms() + VIEW_MS;
    uint64_t own = put->deadline_ms - 50; /* leave time for the answer */

    if (putter->options.feed == NULL) /* searches read the record itself */
        answer(put, !putter->closing);
    else if (putter->closing || put->doc.no_wait ||
             feed_wait(putter->options.feed, put->reply.xid, own < latest ? own : latest,
                       on_view, put) != SH_OK)
        answer(put, false);
}

void put_submit(struct put *put, void (*run)(struct sh_work *work),
                void (*done)(struct sh_work *work, enum sh_err err))
{
    enum sh_err err;

    put->work = (struct sh_work){.run = run, .done = done};
    err = sh_workers_submit(put->putter->options.workers, &put->work);
    if (err != SH_OK)
        put_fail(put, err, sh_err_text(err));
}

/* --- vectors that are there already ----------------------------------------------- */

static void on_known(void *arg, const struct sh_pg_reply *reply)
{
    struct put *put = arg;

    if (put_given_up(put))
        return;
    if (reply->err != SH_OK) {
        put_database_failed(put, reply);
        return;
    }
    put->reused = known_reuse(reply->results[0], &put->doc, put->model.dimension,
                              &put->arena, put->have, put->vectors);
    put_embed(put);
}

static void find_known(struct put *put)
{
    struct sh_pg_param params[] = {{put->doc.id, false},
                                   {sh_bytes_of(put->model.fingerprint), false}};
    struct sh_pg_step step = {
        .statement = &store_chunk_vectors, params, 2, .binary_result = true};
    struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = put->deadline_ms};
    enum sh_err err = sh_pg_run(put->putter->options.pg, &call, on_known, put);

    if (err != SH_OK)
        put_fail(put, err, "the document cannot be stored now");
}

static bool make_room(struct put *put)
{
    size_t count = put->doc.chunk_count + 1;

    put->model = *model_current(put->putter->options.model);
    put->have = sh_arena_array(&put->arena, count, sizeof(*put->have));
    put->vectors =
        sh_alloc_array(count, (put->model.dimension + 1) * sizeof(*put->vectors));
    return put->have != NULL && put->vectors != NULL;
}

/* --- what follows the cutting ----------------------------------------------------- */

void put_begin_storing(struct put *put)
{
    if (!make_room(put))
        put_fail(put, SH_NOMEM, sh_err_text(SH_NOMEM));
    else if (put->exists && put->model.dimension > 0)
        find_known(put);
    else
        put_embed(put);
}
