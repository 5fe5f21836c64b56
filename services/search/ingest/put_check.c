/* The first half of storing a document: whether that may be, and whether anything is to
 * do; put_steps.c goes on. */
#include "services/search/collections/collections_sql.h"
#include "services/search/collections/defaults.h"
#include "services/search/ingest/put_internal.h"
#include "services/search/ingest/put_key.h"
#include "services/search/ingest/put_rights.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"

enum { LOOKUP_MS = 900 }; /* a database that is away is noticed within a second */
enum { LOOKUP_CLEARANCE = 4, LOOKUP_DEPARTMENT = 5 }; /* columns */

/* --- cutting it ------------------------------------------------------------------- */

static void run_cut(struct sh_work *work)
{
    struct put *put = SH_CONTAINER_OF(work, struct put, work);

    put->worked = prepare_cut(&put->chunk, &put->arena, &put->doc);
}

static void is_cut(struct sh_work *work, enum sh_err err)
{
    struct put *put = SH_CONTAINER_OF(work, struct put, work);

    if (err == SH_OK)
        err = put->worked;
    if (err == SH_INVALID)
        put_refuse(put);
    else if (err != SH_OK)
        put_fail(put, err, sh_err_text(err));
    else if (!put_given_up(put))
        put_embed(put);
}

/* --- looking it up ---------------------------------------------------------------- */

static bool may_hold(const struct put *put)
{
    const struct record *record = &put->doc.record;

    return put_is_within(put->order.caller, record->clearance_level, record->department);
}

/* It is there already as it is; `row` is what the look-up found. */
static void answer_unchanged(struct put *put, const PGresult *row)
{
    put->reply =
        (struct document_put_reply){.unchanged = true,
                                    .chunks = (uint32_t)sh_pg_u64(row, 0, 1),
                                    .pending_embedding = (uint32_t)sh_pg_u64(row, 0, 2),
                                    .xid = sh_pg_u64(row, 0, 3)};
    put_wait_for_view(put);
}

/* With what its collection says, read in the same moment: every replica sees a change of
 * a collection at once. */
static enum sh_err inherit(struct put *put, const PGresult *rows)
{
    struct defaults defaults;
    enum sh_err err = defaults_read(rows, &put->arena, &defaults);

    if (err != SH_OK)
        return err;
    put->chunk = defaults_chunks(&defaults, &put->putter->options.chunk);
    return defaults_fill(&defaults, &put->doc.record, &put->doc.problem);
}

static void judge(struct put *put, const PGresult *row, const PGresult *collection)
{
    enum sh_err err = inherit(put, collection);

    put->exists = PQntuples(row) > 0;
    if (err == SH_INVALID)
        put_refuse(put);
    else if (err != SH_OK)
        put_fail(put, err, sh_err_text(err));
    else if (!may_hold(put))
        put_fail(put, SH_FORBIDDEN,
                 "a document's clearance_level and department must be within one's own");
    else if (put->exists &&
             !put_is_within(put->order.caller, sh_pg_u64(row, 0, LOOKUP_CLEARANCE),
                            sh_pg_text(row, 0, LOOKUP_DEPARTMENT)))
        put_fail(put, SH_FORBIDDEN, "the document of this id is not yours to replace");
    else if (put->exists && sh_bytes_is(sh_pg_text(row, 0, 0), put->doc.record.hash))
        answer_unchanged(put, row);
    else
        put_submit(put, run_cut, is_cut);
}

static void on_lookup(void *arg, const struct sh_pg_reply *reply)
{
    struct put *put = arg;

    if (put_given_up(put))
        return;
    if (reply->err == SH_TIMEOUT && sh_left_ms(put->deadline_ms) > 0)
        put_fail(put, SH_UNAVAILABLE, "the database does not answer");
    else if (reply->err != SH_OK)
        put_database_failed(put, reply);
    else if (put->order.key != NULL && put_key_settles(put, reply->results[2]))
        return;
    else if (put->key.lost)
        put_fail(put, SH_CONFLICT,
                 "another write with this Idempotency-Key is under way");
    else
        judge(put, reply->results[0], reply->results[1]);
}

void put_look_up(struct put *put)
{
    struct sh_pg_param id = {put->doc.id, false};
    struct sh_pg_param collection = {put->doc.record.collection, false};
    struct sh_pg_step steps[] = {{&store_document_lookup, &id, 1, false},
                                 {&collections_defaults, &collection, 1, false},
                                 {0}};
    uint64_t soon = sh_now_ms() + LOOKUP_MS;
    struct sh_pg_call call = {.steps = steps,
                              .count = SH_COUNT(steps) - (put->order.key == NULL),
                              .deadline_ms =
                                  soon < put->deadline_ms ? soon : put->deadline_ms};
    if (put->order.key != NULL)
        steps[2] = put_key_lookup(put);
    enum sh_err err = sh_pg_run(put->putter->options.pg, &call, on_lookup, put);

    if (err != SH_OK)
        put_fail(put, err, "the document cannot be stored now");
}

/* --- the beginning ---------------------------------------------------------------- */

static void run_prepare(struct sh_work *work)
{
    struct put *put = SH_CONTAINER_OF(work, struct put, work);

    put->worked = prepare_put(put->order.payload, &put->arena, &put->doc);
    if (put->worked == SH_OK && put->order.file != NULL)
        put->worked = record_set_file(&put->doc.record, put->order.file);
}

static void prepared(struct sh_work *work, enum sh_err err)
{
    struct put *put = SH_CONTAINER_OF(work, struct put, work);

    if (err == SH_OK)
        err = put->worked;
    if (err == SH_INVALID)
        put_refuse(put);
    else if (err != SH_OK)
        put_fail(put, err, sh_err_text(err));
    else if (!put_given_up(put))
        put_look_up(put);
}

void put_begin(struct put *put)
{
    if (sh_left_ms(put->deadline_ms) == 0)
        put_fail(put, SH_TIMEOUT, "the deadline passed while it waited");
    else if (!put_given_up(put))
        put_submit(put, run_prepare, prepared);
}
