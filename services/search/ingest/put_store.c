/* Documents with their vectors go into the record: those of a group in one transaction,
 * so that its commit and its triggers are paid once. */
#include "services/search/ingest/put_internal.h"
#include "services/search/ingest/put_key.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

static struct sh_family chunks_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_ingest_chunks_total",
    .help = "Passages stored, by what became of their vectors.",
    .labels = {"vector"},
};

/* Who is notified instead, and by whom: db/migrations/0009_jobs.sql. */
static const struct sh_pg_statement be_quiet = {
    "put_quiet", "SELECT set_config('cairn.quiet', 'on', true)"};

static void run(struct put_group *group);

/* --- they are stored -------------------------------------------------------------- */

static void count_chunks(const char *what, size_t count)
{
    sh_series_add(sh_series(&chunks_total, (const char *[]){what}), (double)count);
}

/* `rows` are store_documents_upsert's. */
static bool is_new(const PGresult *rows, struct sh_bytes id)
{
    for (int row = 0; row < PQntuples(rows); row++) {
        struct sh_bytes found = sh_pg_text(rows, row, 0);
        if (found.len == id.len && memcmp(found.data, id.data, id.len) == 0)
            return sh_bytes_is(sh_pg_text(rows, row, 1), "t");
    }
    return false;
}

static void go_on(struct put *put, size_t pending, const PGresult *upserted, uint64_t xid)
{
    size_t chunks = put->doc.chunk_count;

    put->reply = (struct document_put_reply){.created = !put->exists &&
                                                        is_new(upserted, put->doc.id),
                                             .chunks = (uint32_t)chunks,
                                             .pending_embedding = (uint32_t)pending,
                                             .xid = xid};
    count_chunks("pending", pending);
    count_chunks("reused", put->reused);
    count_chunks("embedded", chunks - pending - put->reused);
    put_wait_for_view(put);
}

/* Steps before those of the documents themselves. */
static size_t ahead_of(const struct put *first)
{
    return (size_t)first->order.quiet + (first->order.key != NULL);
}

static void stored(struct put_group *group, const struct sh_pg_reply *reply)
{
    const struct putter_options *options = &group->putter->options;
    const PGresult *upserted = reply->results[ahead_of(group->puts[0]) + WRITE_CREATED];
    uint64_t xid = sh_pg_u64(reply->results[reply->count - 1], 0, 0);
    bool other_model =
        strcmp(group->write.fingerprint, model_current(options->model)->fingerprint) != 0;
    size_t pending = 0;

    for (size_t i = 0; i < group->count; i++) {
        size_t owed = write_pending(&group->documents[i]);
        pending += owed;
        go_on(group->puts[i], owed, upserted, xid);
    }
    if (!group->putter->closing && pending > 0)
        options->pending(options->arg);
    if (!group->putter->closing && other_model)
        model_sweep(options->model);
}

/* --- they are not ----------------------------------------------------------------- */

/* What one of them is refused for must not keep back the others. */
static void part(struct put_group *group, const struct sh_pg_reply *reply)
{
    for (size_t i = 0; i < group->count; i++) {
        struct put *put = group->puts[i];
        put->alone = true;
        put->maybe_done |= reply->maybe_done;
        put_gather(put, PUT_STORING);
    }
}

static void refused(struct put_group *group, const struct sh_pg_reply *reply)
{
    bool closing = group->putter->closing;
    struct put *first = group->puts[0];

    if (group->count > 1 && reply->err != SH_UNAVAILABLE && !closing) {
        part(group, reply);
    } else if (put_key_lost(first, reply) && !closing) {
        first->key.lost = true; /* the other one is stored: what became of it? */
        put_look_up(first);
    } else {
        for (size_t i = 0; i < group->count; i++)
            put_database_failed(group->puts[i], reply);
    }
}

static void on_stored(void *arg, const struct sh_pg_reply *reply)
{
    struct put_group *group = arg;

    /* All of it is the same the second time, so a broken connection does no harm. */
    if (reply->err != SH_OK && !group->retried && !group->putter->closing &&
        (reply->err == SH_UNAVAILABLE || strcmp(reply->sqlstate, "40P01") == 0)) {
        group->retried = true;
        for (size_t i = 0; i < group->count; i++)
            group->puts[i]->maybe_done |= reply->maybe_done;
        run(group);
        return;
    }
    if (reply->err == SH_OK)
        stored(group, reply);
    else
        refused(group, reply);
    put_group_end(group);
}

/* --- the transaction -------------------------------------------------------------- */

static void run(struct put_group *group)
{
    struct put *first = group->puts[0];
    struct sh_pg_step steps[2 + WRITE_STEPS];
    size_t count = 0;
    struct sh_pg_call call = {
        .steps = steps, .deadline_ms = group->deadline_ms, .trace = first->order.trace};
    enum sh_err err;

    if (first->order.quiet)
        steps[count++] = (struct sh_pg_step){&be_quiet, NULL, 0, false};
    if (first->order.key != NULL)
        steps[count++] = put_key_insert(first, first->doc.chunk_count);
    for (size_t i = 0; i < group->write.step_count; i++)
        steps[count++] = group->write.steps[i];
    call.count = count;
    err = sh_pg_run(group->putter->options.pg, &call, on_stored, group);
    if (err != SH_OK)
        put_group_fail(group, err, "the document cannot be stored now");
}

static void run_assemble(struct sh_work *work)
{
    struct put_group *group = SH_CONTAINER_OF(work, struct put_group, work);

    for (size_t i = 0; i < group->count; i++) {
        const struct put *put = group->puts[i];
        group->documents[i] = (struct write_document){.record = &put->doc.record,
                                                      .id = put->doc.id,
                                                      .chunks = put->doc.chunks,
                                                      .hashes = put->doc.hashes,
                                                      .signatures = put->doc.signatures,
                                                      .report = put->doc.report,
                                                      .chunk_count = put->doc.chunk_count,
                                                      .have = put->have,
                                                      .vectors = put->vectors};
    }
    group->write = (struct write){.documents = group->documents,
                                  .count = group->count,
                                  .dimension = group->puts[0]->model.dimension,
                                  .fingerprint = group->puts[0]->model.fingerprint};
    group->worked = write_prepare(&group->write);
}

/* Nothing is stored yet. A service that stops gives up all of them; by itself only a put
 * that somebody waited for is given up, and that one is alone. */
static bool given_up(struct put_group *group)
{
    if (group->count > 1 && !group->putter->closing)
        return false;
    bool over = put_given_up(group->puts[0]);
    for (size_t i = 1; i < group->count; i++)
        (void)put_given_up(group->puts[i]); /* the service stops */
    return over;
}

static void assembled(struct sh_work *work, enum sh_err err)
{
    struct put_group *group = SH_CONTAINER_OF(work, struct put_group, work);

    if (err == SH_OK)
        err = group->worked;
    if (err != SH_OK) {
        put_group_fail(group, err, sh_err_text(err));
        return;
    }
    if (given_up(group))
        put_group_end(group);
    else
        run(group);
}

void put_group_store(struct put_group *group)
{
    enum sh_err err;

    group->work = (struct sh_work){.run = run_assemble, .done = assembled};
    err = sh_workers_submit(group->putter->options.workers, &group->work);
    if (err != SH_OK)
        put_group_fail(group, err, sh_err_text(err));
}

void put_store(struct put *put)
{
    put_gather(put, PUT_STORING);
}
