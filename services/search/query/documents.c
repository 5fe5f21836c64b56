#include "services/search/query/documents.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"
#include "services/search/store/statements.h"
#include "shared/clock.h"

enum { WRITE_MS = 900, READ_MS = 5000, VIEW_MS = 2000, PER_PAGE = 20 };

struct lookup { /* a call that the database works on */
    struct documents *documents;
    struct sh_rpc_call *call;
    bool no_wait;              /* deletion */
    struct document_gone gone; /* deletion */
};

/* --- what all three need ---------------------------------------------------------- */

static void run(const struct lookup *wanted, const struct sh_pg_step *steps, size_t count,
                sh_pg_done_fn *done)
{
    struct sh_rpc_call *call = wanted->call;
    bool writes = steps[0].statement == &store_document_delete;
    struct lookup *lookup = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*lookup));
    struct sh_pg_call work = {.steps = steps,
                              .count = count,
                              .deadline_ms =
                                  record_deadline(call, writes ? WRITE_MS : READ_MS),
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err = SH_NOMEM;

    if (lookup != NULL) {
        *lookup = *wanted;
        err = sh_pg_run(wanted->documents->pg, &work, done, lookup);
    }
    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* False when the call has been answered. */
static bool wanted_document(struct sh_rpc_call *call, struct document_ref *ref)
{
    if (sh_rpc_call_decode(call, document_ref_desc(), ref) != SH_OK)
        return false;
    if (record_id_ok(ref->id))
        return true;
    sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
    return false;
}

static void read_document(const PGresult *rows, int row, struct document *out)
{
    *out = (struct document){
        .id = sh_pg_text(rows, row, DOCUMENT_ID),
        .title = sh_pg_text(rows, row, DOCUMENT_TITLE),
        .collection = sh_pg_text(rows, row, DOCUMENT_COLLECTION),
        .metadata = sh_pg_text(rows, row, DOCUMENT_METADATA),
        .created_at = strtod(PQgetvalue(rows, row, DOCUMENT_CREATED), NULL),
        .updated_at = strtod(PQgetvalue(rows, row, DOCUMENT_UPDATED), NULL),
        .chunks = (uint32_t)sh_pg_u64(rows, row, DOCUMENT_CHUNKS),
        .pending_embedding = (uint32_t)sh_pg_u64(rows, row, DOCUMENT_PENDING),
        .content_hash = sh_pg_text(rows, row, DOCUMENT_HASH),
        .has_file = *PQgetvalue(rows, row, DOCUMENT_HAS_FILE) == 't',
    };
}

/* --- one document ----------------------------------------------------------------- */

static struct section *read_sections(const PGresult *rows, struct sh_arena *arena,
                                     size_t *count)
{
    size_t most = (size_t)PQntuples(rows);
    struct section *sections = sh_arena_array(arena, most, sizeof(*sections));

    *count = 0;
    for (int row = 0; sections != NULL && row < (int)most; row++)
        if (!PQgetisnull(rows, row, SECTION_TEXT))
            sections[(*count)++] = (struct section){
                sh_pg_text(rows, row, SECTION_TITLE), sh_pg_text(rows, row, SECTION_TEXT),
                (uint32_t)sh_pg_u64(rows, row, SECTION_PAGE)};
    return sections;
}

static void on_document(void *arg, const struct sh_pg_reply *reply)
{
    struct lookup *lookup = arg;
    struct sh_rpc_call *call = lookup->call;
    struct document document;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such document");
        return;
    }
    read_document(reply->results[0], 0, &document);
    document.sections = read_sections(reply->results[0], sh_rpc_call_arena(call),
                                      &document.sections_count);
    if (document.sections == NULL)
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    else
        sh_rpc_reply(call, document_desc(), &document);
}

void documents_get(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_step step = {&store_document_get, params, 1 + RECORD_RIGHTS, false};
    struct document_ref ref;

    if (!wanted_document(call, &ref))
        return;
    params[0].value = ref.id;
    if (record_rights(call, params + 1) != SH_OK)
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    else
        run(&(struct lookup){.documents = arg, .call = call}, &step, 1, on_document);
}

/* --- a page of them --------------------------------------------------------------- */

void documents_reply_page(struct sh_rpc_call *call, const PGresult *rows, uint64_t total)
{
    size_t count = (size_t)PQntuples(rows);
    struct document *documents =
        sh_arena_array(sh_rpc_call_arena(call), count + 1, sizeof(*documents));
    struct document_page page = {
        .documents = documents, .documents_count = count, .total = total};

    if (documents == NULL) {
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
        return;
    }
    for (size_t i = 0; i < count; i++)
        read_document(rows, (int)i, &documents[i]);
    sh_rpc_reply(call, document_page_desc(), &page);
}

static void on_list(void *arg, const struct sh_pg_reply *reply)
{
    struct lookup *lookup = arg;

    if (!record_failed(lookup->call, reply))
        documents_reply_page(lookup->call, reply->results[0],
                             sh_pg_u64(reply->results[1], 0, 0));
}

void documents_list(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS + 2] = {0};
    struct sh_pg_step steps[] = {
        {&store_document_list, params, 1 + RECORD_RIGHTS + 2, false},
        {&store_document_count, params, 1 + RECORD_RIGHTS, false}};
    struct document_list list;
    char limit[24];
    char offset[24];

    if (sh_rpc_call_decode(call, document_list_desc(), &list) != SH_OK)
        return;
    uint64_t per_page = list.per_page > 0 ? list.per_page : PER_PAGE;
    uint64_t page = list.page > 0 ? list.page : 1;
    (void)snprintf(limit, sizeof(limit), "%" PRIu64, per_page);
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, (page - 1) * per_page);
    if (list.collection.len > 0)
        params[0].value = list.collection;
    params[1 + RECORD_RIGHTS].value = sh_bytes_of(limit);
    params[2 + RECORD_RIGHTS].value = sh_bytes_of(offset);
    if (record_rights(call, params + 1) != SH_OK)
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    else
        run(&(struct lookup){.documents = arg, .call = call}, steps, 2, on_list);
}

/* --- deletion --------------------------------------------------------------------- */

static void on_gone(void *arg, enum sh_err err)
{
    struct lookup *lookup = arg;

    lookup->gone.visible = err == SH_OK; /* a view that is late shows it soon */
    sh_rpc_reply(lookup->call, document_gone_desc(), &lookup->gone);
}

static void on_deleted(void *arg, const struct sh_pg_reply *reply)
{
    struct lookup *lookup = arg;
    struct feed *feed = lookup->documents->feed;

    if (record_failed(lookup->call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        sh_rpc_fail(lookup->call, SH_NOTFOUND, NULL, NULL, "no such document");
        return;
    }
    lookup->gone.xid = sh_pg_u64(reply->results[1], 0, 0);
    file_keeper_wake(lookup->documents->files); /* it may have had one */
    if (lookup->documents->immediate)
        on_gone(lookup, SH_OK);
    else if (feed == NULL || lookup->no_wait ||
             feed_wait(feed, lookup->gone.xid, record_deadline(lookup->call, VIEW_MS),
                       on_gone, lookup) != SH_OK)
        on_gone(lookup, SH_UNAVAILABLE);
}

void documents_delete(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_step steps[] = {
        {&store_document_delete, params, 1 + RECORD_RIGHTS, false},
        {&store_xid, NULL, 0, false}};

    struct document_ref ref;

    if (!wanted_document(call, &ref))
        return;
    params[0].value = ref.id;
    if (record_rights(call, params + 1) != SH_OK)
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    else
        run(&(struct lookup){.documents = arg, .call = call, .no_wait = ref.no_wait},
            steps, 2, on_deleted);
}
