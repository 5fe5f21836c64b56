#include "services/search/ingest/put_file.h"

#include "services/search/files/files_sql.h"
#include "services/search/ingest/put_file_document.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { LOOKUP_MS = 2000, VIEW_MS = 5000, TWIN_PARAMS = 2 + RECORD_RIGHTS };
enum { TWIN_ID, TWIN_CHUNKS, TWIN_PENDING, TWIN_XID, TWIN_TYPE, TWIN_PAGES };

struct file_putter {
    struct file_putter_options options;
    struct upload *first;
    bool closing;
};

/* One upload: looked for, fetched, read, made a document, put. */
struct upload {
    struct file_putter *putter;
    struct upload *next;
    struct upload **link;
    struct sh_rpc_call *call; /* NULL: answered, and only the step under way is awaited */
    struct file_put put;      /* borrows from the call */
    uint64_t deadline_ms;
    struct fetch *fetch;
    struct extract_job *job;
    struct sh_arena arena; /* of what was found */
    struct extracted found;
    struct sh_work work;
    enum sh_err worked;
    struct sh_buffer document;
    struct sh_buffer report;
    struct record_file file;
    struct file_put_reply reply;
    struct document_put_reply stored;
};

/* --- the end ---------------------------------------------------------------------- */

static void forget(struct upload *upload)
{
    struct file_putter *putter = upload->putter;

    *upload->link = upload->next;
    if (upload->next != NULL)
        upload->next->link = upload->link;
    fetch_close(&upload->fetch);
    sh_arena_free(&upload->arena);
    sh_buffer_free(&upload->document);
    sh_buffer_free(&upload->report);
    sh_free(upload);
    if (putter->closing && putter->first == NULL)
        sh_free(putter);
}

static void answer_failure(struct upload *upload, enum sh_err err, const char *code,
                           const char *field, const char *message)
{
    struct sh_rpc_call *call = upload->call;

    upload->call = NULL;
    if (call == NULL)
        return;
    sh_rpc_call_on_cancel(call, NULL, NULL);
    sh_rpc_fail(call, err, code, field, "%s", message);
}

static void fail(struct upload *upload, enum sh_err err, const char *message)
{
    answer_failure(upload, err, NULL, NULL, message);
    forget(upload);
}

static void answer(struct upload *upload)
{
    struct sh_rpc_call *call = upload->call;

    upload->call = NULL;
    if (call != NULL) {
        sh_rpc_call_on_cancel(call, NULL, NULL);
        upload->reply.stored = &upload->stored;
        upload->reply.stored_count = 1;
        sh_rpc_reply(call, file_put_reply_desc(), &upload->reply);
    }
    forget(upload);
}

/* True when nobody waits for it any more, or the service stops; it has ended then. */
static bool is_over(struct upload *upload)
{
    if (upload->putter->closing)
        fail(upload, SH_DRAINING, "shutting down, nothing was stored");
    else if (upload->call == NULL || sh_rpc_call_canceled(upload->call))
        fail(upload, SH_CANCELED, "cancelled, nothing was stored");
    else
        return false;
    return true;
}

/* --- it is stored ----------------------------------------------------------------- */

static void on_put(void *arg, const struct put_outcome *outcome)
{
    struct upload *upload = arg;

    if (outcome->err != SH_OK) {
        answer_failure(upload, outcome->err, outcome->code, outcome->field,
                       outcome->message);
        forget(upload);
        return;
    }
    upload->stored = *outcome->reply;
    upload->reply.unchanged = outcome->reply->unchanged;
    upload->reply.file_type = upload->file.type;
    upload->reply.pages = upload->file.pages;
    upload->reply.report = sh_buffer_bytes(&upload->report);
    answer(upload);
}

static bool is_canceled(void *arg)
{
    struct upload *upload = arg;

    return upload->call == NULL || sh_rpc_call_canceled(upload->call);
}

static void put(struct upload *upload)
{
    const struct put_order order = {.payload = sh_buffer_bytes(&upload->document),
                                    .caller = sh_rpc_call_caller(upload->call),
                                    .trace = sh_rpc_call_trace(upload->call),
                                    .file = &upload->file,
                                    .key = sh_rpc_call_idempotency_key(upload->call),
                                    .deadline_ms = upload->deadline_ms,
                                    .canceled = is_canceled};
    enum sh_err err = putter_put(upload->putter->options.putter, &order, on_put, upload);

    if (err == SH_BUSY)
        fail(upload, err, "too many documents wait to be stored");
    else if (err != SH_OK)
        fail(upload, err, sh_err_text(err));
}

/* --- it is a document ------------------------------------------------------------- */

static void run_make(struct sh_work *work)
{
    struct upload *upload = SH_CONTAINER_OF(work, struct upload, work);

    upload->worked = put_file_document(&upload->put, &upload->found, &upload->document);
    if (upload->worked == SH_OK)
        upload->worked = put_file_report(&upload->found, &upload->report);
}

static void on_made(struct sh_work *work, enum sh_err err)
{
    struct upload *upload = SH_CONTAINER_OF(work, struct upload, work);

    if (err == SH_OK)
        err = upload->worked;
    if (is_over(upload))
        return;
    if (err != SH_OK)
        fail(upload, err, sh_err_text(err));
    else
        put(upload);
}

static void make(struct upload *upload)
{
    enum sh_err err;

    upload->file = (struct record_file){.hash = upload->put.hash,
                                        .name = upload->put.name,
                                        .type = upload->found.type,
                                        .size = upload->put.size,
                                        .pages = upload->found.pages};
    upload->work = (struct sh_work){.run = run_make, .done = on_made};
    err = sh_workers_submit(upload->putter->options.workers, &upload->work);
    if (err != SH_OK)
        fail(upload, err, sh_err_text(err));
}

/* --- it is read ------------------------------------------------------------------- */

static void on_extracted(void *arg, const struct extracted *found)
{
    struct upload *upload = arg;

    upload->job = NULL;
    fetch_close(&upload->fetch);
    if (is_over(upload))
        return;
    if (found->err != SH_OK) {
        answer_failure(upload, found->err,
                       found->err == SH_TYPE || found->err == SH_UNREADABLE ? found->code
                                                                            : NULL,
                       "file", found->message);
        forget(upload);
        return;
    }
    upload->found = *found;
    make(upload);
}

static void on_fetched(void *arg, enum sh_err err, int fd)
{
    struct upload *upload = arg;
    struct extract_order order = {.fd = fd,
                                  .name = upload->put.name,
                                  .declared = upload->put.declared_type,
                                  .arena = &upload->arena,
                                  .trace = sh_rpc_call_trace(upload->call)};

    if (is_over(upload))
        return;
    if (err == SH_OK)
        err = extractor_start(upload->putter->options.extractor, &order, on_extracted,
                              upload, &upload->job);
    if (err == SH_NOTFOUND)
        fail(upload, err, "there is no such file");
    else if (err == SH_BUSY)
        fail(upload, err, "too many files wait to be read");
    else if (err != SH_OK)
        fail(upload, err == SH_NOMEM ? err : SH_UNAVAILABLE,
             "the file cannot be had at the moment");
}

static void fetch(struct upload *upload)
{
    enum sh_err err = fetch_start(&upload->putter->options.fetch, upload->put.hash,
                                  on_fetched, upload, &upload->fetch);

    if (err != SH_OK)
        fail(upload, err, sh_err_text(err));
}

/* --- is it there already? --------------------------------------------------------- */

static void on_view(void *arg, enum sh_err err)
{
    struct upload *upload = arg;

    upload->stored.visible = err == SH_OK;
    answer(upload);
}

static void answer_twin(struct upload *upload, const PGresult *row)
{
    struct feed *feed = upload->putter->options.feed;
    uint64_t latest = sh_now_ms() + VIEW_MS;
    struct sh_bytes id = sh_pg_text(row, 0, TWIN_ID);
    struct sh_bytes type = sh_pg_text(row, 0, TWIN_TYPE);

    upload->stored = (struct document_put_reply){
        .document_id = sh_arena_copy(&upload->arena, id),
        .chunks = (uint32_t)sh_pg_u64(row, 0, TWIN_CHUNKS),
        .unchanged = true,
        .pending_embedding = (uint32_t)sh_pg_u64(row, 0, TWIN_PENDING),
        .xid = sh_pg_u64(row, 0, TWIN_XID),
        .visible = feed == NULL};
    upload->reply.unchanged = true;
    upload->reply.file_type = sh_arena_copy(&upload->arena, type);
    upload->reply.pages = (uint32_t)sh_pg_u64(row, 0, TWIN_PAGES);
    if (upload->stored.document_id.data == NULL)
        fail(upload, SH_NOMEM, sh_err_text(SH_NOMEM));
    else if (feed == NULL || upload->put.no_wait ||
             feed_wait(feed, upload->stored.xid,
                       upload->deadline_ms < latest ? upload->deadline_ms : latest,
                       on_view, upload) != SH_OK)
        answer(upload);
}

static void on_twin(void *arg, const struct sh_pg_reply *reply)
{
    struct upload *upload = arg;
    struct sh_rpc_call *call = upload->call;

    if (is_over(upload))
        return;
    if (reply->err != SH_OK) {
        sh_rpc_call_on_cancel(call, NULL, NULL);
        (void)record_failed(call, reply); /* that has answered it */
        upload->call = NULL;
        forget(upload);
    } else if (PQntuples(reply->results[0]) > 0) {
        answer_twin(upload, reply->results[0]);
    } else {
        fetch(upload);
    }
}

static void look_for_twin(struct upload *upload)
{
    struct sh_pg_param params[TWIN_PARAMS] = {0};
    struct sh_pg_step step = {&files_twin, params, TWIN_PARAMS, false};
    struct sh_pg_call call = {.steps = &step,
                              .count = 1,
                              .deadline_ms = record_deadline(upload->call, LOOKUP_MS),
                              .trace = sh_rpc_call_trace(upload->call)};
    struct sh_bytes collection = upload->put.document[0].collection;
    enum sh_err err = record_rights(upload->call, params + 1);

    params[0].value = upload->put.hash;
    params[1 + RECORD_RIGHTS].value =
        collection.len > 0 ? collection : sh_bytes_of("default");
    if (err == SH_OK)
        err = sh_pg_run(upload->putter->options.pg, &call, on_twin, upload);
    if (err != SH_OK)
        fail(upload, err, sh_err_text(err));
}

/* --- the beginning ---------------------------------------------------------------- */

/* Nobody waits for it: what is read is not needed, the rest notices by itself. */
static void on_cancel(void *arg)
{
    struct upload *upload = arg;

    if (upload->job != NULL)
        extract_cancel(upload->job);
}

static void begin(struct file_putter *putter, struct sh_rpc_call *call,
                  struct upload *upload)
{
    upload->putter = putter;
    upload->call = call;
    upload->deadline_ms = sh_rpc_call_deadline_ms(call);
    upload->next = putter->first;
    upload->link = &putter->first;
    if (putter->first != NULL)
        putter->first->link = &upload->next;
    putter->first = upload;
    sh_rpc_call_on_cancel(call, on_cancel, upload);
    if (upload->put.document[0].id.len == 0)
        look_for_twin(upload);
    else
        fetch(upload);
}

void file_putter_handle(void *arg, struct sh_rpc_call *call)
{
    struct upload *upload = sh_alloc(sizeof(*upload));

    if (upload == NULL) {
        record_no_memory(call);
        return;
    }
    if (sh_rpc_call_decode(call, file_put_desc(), &upload->put) != SH_OK) {
        sh_free(upload);
    } else if (upload->put.document_count != 1 || !sh_file_hash_ok(upload->put.hash)) {
        sh_rpc_fail(call, SH_INVALID, NULL, NULL, "one document and a hash are wanted");
        sh_free(upload);
    } else {
        begin(arg, call, upload);
    }
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err file_putter_create(const struct file_putter_options *options,
                               struct file_putter **out)
{
    struct file_putter *putter = sh_alloc(sizeof(*putter));

    if (putter == NULL)
        return SH_NOMEM;
    putter->options = *options;
    *out = putter;
    return SH_OK;
}

void file_putter_close(struct file_putter **putter_in)
{
    struct file_putter *putter = *putter_in;
    struct upload *next;

    *putter_in = NULL;
    if (putter == NULL)
        return;
    for (struct upload *upload = putter->first; upload != NULL; upload = next) {
        next = upload->next;
        /* Reading ends on a later turn of the loop, when nobody can be answered. */
        if (upload->job != NULL)
            answer_failure(upload, SH_DRAINING, NULL, NULL,
                           "shutting down, nothing was stored");
        else if (upload->fetch != NULL)
            fail(upload, SH_DRAINING, "shutting down, nothing was stored");
    }
    putter->closing = true;
    if (putter->first == NULL)
        sh_free(putter);
}
