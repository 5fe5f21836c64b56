#include "services/search/query/browse.h"

#include "services/search/feed/held.h"
#include "services/search/filter/metadata.h"
#include "services/search/pgvector/browse_sql.h"
#include "services/search/query/record_call.h"
#include "services/search/store/statements.h"
#include "services/search/view/view_browse.h"
#include "shared/pg_array.h"

enum { READ_MS = 5000, PER_PAGE = 20, PARAMS = 3 };

/* An answer ends the call and what is in its arena: release() comes after it. */
struct browse {
    struct browser *browser;
    struct sh_rpc_call *call;
    struct document_query query;
    struct browse_order orders[BROWSE_ORDERS];
    struct view_browse asked;
    struct sh_work work;
    struct held_view *view; /* NULL: PostgreSQL is asked */
    struct sh_arena arena;  /* the worker's */
    enum sh_err outcome;
    struct view_problem problem;
    struct view_browsed found;
    struct sql sql;
    struct sh_pg_statement statement;
    struct sh_buffer arrays[2]; /* parameters */
};

static void release(struct browse *browse)
{
    held_release(browse->view);
    sql_free(&browse->sql);
    for (size_t i = 0; i < SH_COUNT(browse->arrays); i++)
        sh_buffer_free(&browse->arrays[i]);
    sh_arena_free(&browse->arena);
    sh_free(browse);
}

static void fail(struct browse *browse, enum sh_err err)
{
    const struct view_problem *problem = &browse->problem;

    sh_rpc_fail(browse->call, err, NULL, problem->field[0] ? problem->field : NULL, "%s",
                problem->message[0] ? problem->message : sh_err_text(err));
    release(browse);
}

/* --- what is shown ---------------------------------------------------------------- */

static void on_rows(void *arg, const struct sh_pg_reply *reply)
{
    struct browse *browse = arg;

    if (!record_failed(browse->call, reply))
        documents_reply_page(browse->call, reply->results[0], browse->found.total);
    release(browse);
}

static void show(struct browse *browse)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {{.binary = false}};
    struct sh_pg_step step = {&store_document_pick, params, 1 + RECORD_RIGHTS, false};
    struct sh_pg_call work = {.steps = &step,
                              .count = 1,
                              .read_only = true,
                              .deadline_ms = record_deadline(browse->call, READ_MS),
                              .trace = sh_rpc_call_trace(browse->call)};
    struct sh_buffer *ids = &browse->arrays[0];
    enum sh_err err = record_rights(browse->call, params + 1);

    sh_buffer_free(ids);
    sh_pg_array_begin(ids, SH_PG_ARRAY_TEXT, browse->found.count);
    for (size_t i = 0; i < browse->found.count; i++)
        sh_pg_array_bytes(ids, browse->found.ids[i]);
    params[0] = sh_pg_array_param(ids);
    if (err == SH_OK)
        err = ids->err;
    if (err == SH_OK)
        err = sh_pg_run(browse->browser->documents->pg, &work, on_rows, browse);
    if (err != SH_OK)
        fail(browse, err);
}

/* --- which they are: from the view ------------------------------------------------ */

static void run_view(struct sh_work *work)
{
    struct browse *browse = SH_CONTAINER_OF(work, struct browse, work);

    browse->outcome = view_browse(browse->view->view, &browse->asked, &browse->arena,
                                  &browse->found, &browse->problem);
}

static void view_browsed(struct sh_work *work, enum sh_err err)
{
    struct browse *browse = SH_CONTAINER_OF(work, struct browse, work);

    if (err == SH_OK)
        err = browse->outcome;
    if (err == SH_OK)
        show(browse);
    else
        fail(browse, err);
}

/* --- from PostgreSQL -------------------------------------------------------------- */

static enum sh_err read_found(struct browse *browse, const PGresult *rows)
{
    size_t count = (size_t)PQntuples(rows);
    struct view_browsed *found = &browse->found;

    found->ids = sh_arena_array(&browse->arena, count + 1, sizeof(*found->ids));
    if (found->ids == NULL)
        return SH_NOMEM;
    found->total = sh_pg_u64(rows, 0, BROWSE_TOTAL);
    for (int row = 0; row < (int)count && !PQgetisnull(rows, row, BROWSE_ID); row++) {
        struct sh_bytes id = sh_pg_text(rows, row, BROWSE_ID);
        found->ids[found->count] = sh_arena_copy(&browse->arena, id);
        if (found->ids[found->count++].data == NULL)
            return SH_NOMEM;
    }
    return SH_OK;
}

static void on_found(void *arg, const struct sh_pg_reply *reply)
{
    struct browse *browse = arg;

    if (record_failed(browse->call, reply)) {
        release(browse);
        return;
    }
    enum sh_err err = read_found(browse, reply->results[0]);
    if (err == SH_OK)
        show(browse);
    else
        fail(browse, err);
}

static void run_sql(struct sh_work *work)
{
    struct browse *browse = SH_CONTAINER_OF(work, struct browse, work);

    browse->sql.arena = &browse->arena;
    browse->outcome = browse_sql(&browse->asked, &browse->sql, &browse->problem);
    if (browse->outcome == SH_OK)
        browse->outcome = sql_end(&browse->sql, &browse->arrays[0], &browse->arrays[1]);
    browse->statement =
        (struct sh_pg_statement){"document_browse", browse->sql.text.data};
}

static void sql_written(struct sh_work *work, enum sh_err err)
{
    struct browse *browse = SH_CONTAINER_OF(work, struct browse, work);
    struct sh_pg_param params[] = {sh_pg_array_param(&browse->arrays[0]),
                                   sh_pg_array_param(&browse->arrays[1])};
    struct sh_pg_step step = {&browse->statement, params, SH_COUNT(params), false};
    struct sh_pg_call call = {.steps = &step,
                              .count = 1,
                              .read_only = true,
                              .deadline_ms = browse->asked.deadline_ms,
                              .trace = sh_rpc_call_trace(browse->call)};

    if (err == SH_OK)
        err = browse->outcome;
    if (err == SH_OK)
        err = sh_pg_run_ad_hoc(browse->browser->documents->pg, &call, on_found, browse);
    if (err != SH_OK)
        fail(browse, err);
}

/* --- the beginning ---------------------------------------------------------------- */

/* False when the call has been answered. */
static bool read_orders(struct browse *browse)
{
    const struct document_query *query = &browse->query;

    for (size_t i = 0; i < query->sort_count; i++) {
        struct sh_bytes key = query->sort[i];
        bool descending = key.len > 0 && *(const char *)key.data == '-';
        if (descending)
            key = (struct sh_bytes){(const char *)key.data + 1, key.len - 1};
        if (key.len == 0 || key.len > METADATA_KEY_MAX) {
            sh_rpc_fail(browse->call, SH_INVALID, NULL, "sort",
                        "sort must be names of up to %d bytes", (int)METADATA_KEY_MAX);
            return false;
        }
        browse->orders[i] = (struct browse_order){key, descending};
    }
    return true;
}

/* False when the call has been answered. */
static bool read_query(struct browse *browse)
{
    const struct document_query *query = &browse->query;
    uint64_t per_page = query->per_page > 0 ? query->per_page : PER_PAGE;
    uint64_t page = query->page > 0 ? query->page : 1;

    if (page * per_page > BROWSE_DEPTH) {
        sh_rpc_fail(browse->call, SH_INVALID, NULL, "page",
                    "pages end at the document number %d: filter more", BROWSE_DEPTH);
        return false;
    }
    browse->asked =
        (struct view_browse){.filters = query->filters,
                             .title = query->title,
                             .caller = sh_rpc_call_caller(browse->call),
                             .orders = browse->orders,
                             .order_count = query->sort_count,
                             .offset = (size_t)((page - 1) * per_page),
                             .limit = (size_t)per_page,
                             .deadline_ms = record_deadline(browse->call, READ_MS)};
    return read_orders(browse);
}

void browse_handle(void *arg, struct sh_rpc_call *call)
{
    struct browser *browser = arg;
    struct feed *feed = browser->documents->feed;
    bool by_view = !browser->documents->immediate;
    struct browse *browse = sh_alloc(sizeof(*browse));

    if (browse == NULL) {
        record_no_memory(call);
        return;
    }
    *browse = (struct browse){.browser = browser, .call = call};
    if (sh_rpc_call_decode(call, document_query_desc(), &browse->query) != SH_OK ||
        !read_query(browse)) {
        release(browse);
        return;
    }
    if (by_view && (feed == NULL || !feed_loaded(feed))) {
        fail(browse, SH_DRAINING); /* an empty answer would not be true */
        return;
    }
    browse->view = by_view ? feed_hold(feed) : NULL;
    browse->work = (struct sh_work){.run = by_view ? run_view : run_sql,
                                    .done = by_view ? view_browsed : sql_written};
    enum sh_err err = sh_workers_submit(browser->workers, &browse->work);
    if (err != SH_OK)
        fail(browse, err);
}
