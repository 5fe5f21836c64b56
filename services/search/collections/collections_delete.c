/* The deletion of a collection: its documents a few hundred at a time, then the row. */
#include "services/search/collections/collections.h"
#include "services/search/collections/collections_sql.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"

enum {
    BATCH_MS = 20000,
    WRITE_MS = 900,
    VIEW_MS = 2000,
    SPARE_MS = 1500, /* no further batch begins with less left than this */
};
#define BATCH "500"
enum { DROPPED, LEFT_READABLE, LEFT_ALL, DEFINED }; /* columns of collections_drop */

struct deletion { /* in the call's arena */
    struct documents *record;
    struct sh_rpc_call *call;
    struct sh_pg_param params[1 + RECORD_RIGHTS + 1];
    bool documents;
    struct collection_gone gone;
};

static void next(struct deletion *self);

static void run(struct deletion *self, const struct sh_pg_statement *statement,
                unsigned count, uint64_t most_ms, sh_pg_done_fn *done)
{
    struct sh_pg_step steps[] = {{statement, self->params, count, false},
                                 {&collections_xid, NULL, 0, false}};
    struct sh_pg_call work = {.steps = steps,
                              .count = SH_COUNT(steps),
                              .deadline_ms = record_deadline(self->call, most_ms),
                              .trace = sh_rpc_call_trace(self->call)};
    enum sh_err err = sh_pg_run(self->record->pg, &work, done, self);

    if (err != SH_OK)
        sh_rpc_fail(self->call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- the end ---------------------------------------------------------------------- */

static void on_view(void *arg, enum sh_err err)
{
    struct deletion *self = arg;

    self->gone.visible = err == SH_OK; /* a view that is late shows it soon */
    sh_rpc_reply(self->call, collection_gone_desc(), &self->gone);
}

static void answer(struct deletion *self)
{
    struct feed *feed = self->record->feed;

    if (self->record->immediate || self->gone.xid == 0)
        on_view(self, SH_OK);
    else if (feed == NULL ||
             feed_wait(feed, self->gone.xid, record_deadline(self->call, VIEW_MS),
                       on_view, self) != SH_OK)
        on_view(self, SH_UNAVAILABLE);
}

static void on_dropped(void *arg, const struct sh_pg_reply *reply)
{
    struct deletion *self = arg;
    const PGresult *row = reply->err == SH_OK ? reply->results[0] : NULL;

    if (record_failed(self->call, reply))
        return;
    uint64_t left = sh_pg_u64(row, 0, LEFT_READABLE);
    uint64_t all = sh_pg_u64(row, 0, LEFT_ALL);
    bool defined = sh_bytes_is(sh_pg_text(row, 0, DEFINED), "t");
    bool known = defined || left > 0 || self->gone.documents_deleted > 0;

    self->gone.deleted = all == 0 && known;
    self->gone.documents_left = left;
    if (!known)
        sh_rpc_fail(self->call, SH_NOTFOUND, NULL, NULL, "no such collection");
    else if (left == 0 && all > 0)
        sh_rpc_fail(self->call, SH_CONFLICT, NULL, NULL,
                    "the collection holds documents that are not yours to delete");
    else if (all > 0 && !self->documents)
        sh_rpc_fail(self->call, SH_CONFLICT, NULL, NULL,
                    "the collection still holds documents");
    else
        answer(self);
}

/* --- its documents ---------------------------------------------------------------- */

static void on_batch(void *arg, const struct sh_pg_reply *reply)
{
    struct deletion *self = arg;
    uint64_t count;

    if (record_failed(self->call, reply))
        return;
    count = sh_pg_u64(reply->results[0], 0, 0);
    self->gone.documents_deleted += count;
    if (count > 0)
        self->gone.xid = sh_pg_u64(reply->results[1], 0, 0);
    if (count > 0 && !sh_rpc_call_canceled(self->call) &&
        sh_left_ms(sh_rpc_call_deadline_ms(self->call)) > SPARE_MS)
        next(self);
    else
        run(self, &collections_drop, 1 + RECORD_RIGHTS, WRITE_MS, on_dropped);
}

static void next(struct deletion *self)
{
    run(self, &collections_empty, 1 + RECORD_RIGHTS + 1, BATCH_MS, on_batch);
}

void collections_delete(void *arg, struct sh_rpc_call *call)
{
    struct deletion *self = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*self));
    struct collection_delete asked;

    if (sh_rpc_call_decode(call, collection_delete_desc(), &asked) != SH_OK)
        return;
    if (!record_id_ok(asked.name)) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such collection");
        return;
    }
    if (self == NULL || record_rights(call, self->params + 1) != SH_OK) {
        record_no_memory(call);
        return;
    }
    self->record = arg;
    self->call = call;
    self->documents = asked.documents;
    self->params[0].value = asked.name;
    self->params[1 + RECORD_RIGHTS].value = sh_bytes_of(BATCH);
    if (asked.documents)
        next(self);
    else
        run(self, &collections_drop, 1 + RECORD_RIGHTS, WRITE_MS, on_dropped);
}
