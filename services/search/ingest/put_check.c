/* The first half of storing a document: whether that may be, and whether anything is to
 * do; put_steps.c goes on. */
#include "services/search/collections/collections_sql.h"
#include "services/search/collections/defaults.h"
#include "services/search/ingest/put_internal.h"
#include "services/search/ingest/put_key.h"
#include "services/search/ingest/put_rights.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"
#include "shared/pg_array.h"

enum { LOOKUP_MS = 900 }; /* a database that is away is noticed within a second */

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
        put_begin_storing(put);
}

/* --- looking it up ---------------------------------------------------------------- */

static bool may_hold(const struct put *put)
{
    const struct record *record = &put->doc.record;

    return put_is_within(put->order.caller, record->clearance_level, record->department);
}

static void on_key_kept(void *arg, const struct sh_pg_reply *reply)
{
    struct put *put = arg;

    if (reply->err == SH_OK) {
        put_wait_for_view(put);
    } else if (put_key_lost(put, reply) && !put->putter->closing) {
        put->key.lost = true;
        put_look_up(put);
    } else {
        put_database_failed(put, reply);
    }
}

/* Nothing is stored, and yet the key stands for this document from now on: sent again
 * after somebody else's write, it must not undo that. */
static void keep_key(struct put *put)
{
    const struct sh_pg_step step = put_key_insert(put, put->reply.chunks);
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = put->deadline_ms};
    enum sh_err err = sh_pg_run(put->putter->options.pg, &call, on_key_kept, put);

    if (err != SH_OK)
        put_fail(put, err, "the document cannot be stored now");
}

/* It is there already as it is. */
static void answer_unchanged(struct put *put, const PGresult *found, int row)
{
    put->reply = (struct document_put_reply){
        .unchanged = true,
        .chunks = (uint32_t)sh_pg_u64(found, row, LOOKUP_CHUNKS),
        .pending_embedding = (uint32_t)sh_pg_u64(found, row, LOOKUP_PENDING),
        .xid = sh_pg_u64(found, row, LOOKUP_XID)};
    if (put->order.key != NULL)
        keep_key(put);
    else
        put_wait_for_view(put);
}

/* With what its collection says, read in the same moment: every replica sees a change of
 * a collection at once. */
static enum sh_err inherit(struct put *put, const PGresult *collections, int row)
{
    struct defaults defaults;
    enum sh_err err = defaults_read(collections, row, &put->arena, &defaults);

    if (err != SH_OK)
        return err;
    put->chunk = defaults_chunks(&defaults, &put->putter->options.chunk);
    return defaults_fill(&defaults, &put->doc.record, &put->doc.problem);
}

/* `row` of both results is this put's. */
static void judge(struct put *put, const PGresult *found, const PGresult *collections,
                  int row)
{
    enum sh_err err = inherit(put, collections, row);

    put->exists = sh_bytes_is(sh_pg_text(found, row, LOOKUP_EXISTS), "t");
    if (err == SH_INVALID)
        put_refuse(put);
    else if (err != SH_OK)
        put_fail(put, err, sh_err_text(err));
    else if (!may_hold(put))
        put_fail(put, SH_FORBIDDEN,
                 "a document's clearance_level and department must be within one's own");
    else if (put->exists &&
             !put_is_within(put->order.caller, sh_pg_u64(found, row, LOOKUP_CLEARANCE),
                            sh_pg_text(found, row, LOOKUP_DEPARTMENT)))
        put_fail(put, SH_FORBIDDEN, "the document of this id is not yours to replace");
    else if (put->exists &&
             sh_bytes_is(sh_pg_text(found, row, LOOKUP_HASH), put->doc.record.hash))
        answer_unchanged(put, found, row);
    else
        put_submit(put, run_cut, is_cut);
}

static void looked_up(struct put *put, const struct sh_pg_reply *reply, int row)
{
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
        judge(put, reply->results[0], reply->results[1], row);
}

static void on_lookup(void *arg, const struct sh_pg_reply *reply)
{
    struct put_group *group = arg;

    for (size_t i = 0; i < group->count; i++)
        looked_up(group->puts[i], reply, (int)i);
    put_group_end(group);
}

static enum sh_err look_up(struct put_group *group, const struct sh_buffer *ids,
                           const struct sh_buffer *collections)
{
    struct put *first = group->puts[0];
    struct sh_pg_param id = sh_pg_array_param(ids);
    struct sh_pg_param collection = sh_pg_array_param(collections);
    struct sh_pg_step steps[] = {{&store_documents_lookup, &id, 1, false},
                                 {&collections_defaults, &collection, 1, false},
                                 {0}};
    uint64_t soon = sh_now_ms() + LOOKUP_MS;
    struct sh_pg_call call = {.steps = steps,
                              .count = SH_COUNT(steps) - (first->order.key == NULL),
                              .deadline_ms =
                                  soon < group->deadline_ms ? soon : group->deadline_ms};

    if (first->order.key != NULL)
        steps[2] = put_key_lookup(first);
    return sh_pg_run(group->putter->options.pg, &call, on_lookup, group);
}

void put_group_look_up(struct put_group *group)
{
    struct sh_buffer ids = {0};
    struct sh_buffer collections = {0};

    sh_pg_array_begin(&ids, SH_PG_ARRAY_TEXT, group->count);
    sh_pg_array_begin(&collections, SH_PG_ARRAY_TEXT, group->count);
    for (size_t i = 0; i < group->count; i++) {
        sh_pg_array_bytes(&ids, group->puts[i]->doc.id);
        sh_pg_array_bytes(&collections, group->puts[i]->doc.record.collection);
    }
    enum sh_err err = ids.err != SH_OK ? ids.err : collections.err;
    if (err == SH_OK)
        err = look_up(group, &ids, &collections);
    sh_buffer_free(&ids);
    sh_buffer_free(&collections);
    if (err != SH_OK)
        put_group_fail(group, err, "the document cannot be stored now");
}

void put_look_up(struct put *put)
{
    put_gather(put, PUT_LOOKING_UP);
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
