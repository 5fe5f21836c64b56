#include "services/search/collections/collections.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/access.h"
#include "services/search/collections/collections_sql.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"

enum { READ_MS = 5000, WRITE_MS = 900, PER_PAGE = 20, NUMBER = 24 };

static void run(struct documents *record, struct sh_rpc_call *call,
                const struct sh_pg_step *steps, size_t count, uint64_t most_ms,
                sh_pg_done_fn *done)
{
    struct sh_pg_call work = {.steps = steps,
                              .count = count,
                              .deadline_ms = record_deadline(call, most_ms),
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err = sh_pg_run(record->pg, &work, done, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- a page of them, or one ------------------------------------------------------- */

static void read_collection(const PGresult *rows, int row, struct collection *out)
{
    *out = (struct collection){
        .name = sh_pg_text(rows, row, COLLECTION_NAME),
        .title = sh_pg_text(rows, row, COLLECTION_TITLE),
        .description = sh_pg_text(rows, row, COLLECTION_DESCRIPTION),
        .chunk_tokens = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_TOKENS),
        .overlap_said = !PQgetisnull(rows, row, DEFAULTS_OVERLAP),
        .chunk_overlap_percent = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_OVERLAP),
        .language = sh_pg_text(rows, row, DEFAULTS_LANGUAGE),
        .clearance_level = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_CLEARANCE),
        .department = sh_pg_text(rows, row, DEFAULTS_DEPARTMENT),
        .campus = sh_pg_text(rows, row, DEFAULTS_CAMPUS),
        .priority = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_PRIORITY),
        .created_at = strtod(PQgetvalue(rows, row, COLLECTION_CREATED), NULL),
        .updated_at = strtod(PQgetvalue(rows, row, COLLECTION_UPDATED), NULL),
        .defined = sh_bytes_is(sh_pg_text(rows, row, COLLECTION_DEFINED), "t"),
        .documents = sh_pg_u64(rows, row, COLLECTION_DOCUMENTS),
    };
}

static void on_list(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct collection_page page = {0};
    struct collection *all;

    if (record_failed(call, reply))
        return;
    page.collections_count = (size_t)PQntuples(reply->results[0]);
    all =
        sh_arena_array(sh_rpc_call_arena(call), page.collections_count + 1, sizeof(*all));
    if (all == NULL) {
        record_no_memory(call);
        return;
    }
    for (size_t i = 0; i < page.collections_count; i++)
        read_collection(reply->results[0], (int)i, &all[i]);
    page.collections = all;
    page.total = sh_pg_u64(reply->results[1], 0, 0);
    sh_rpc_reply(call, collection_page_desc(), &page);
}

void collections_list(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS + 2] = {0};
    struct sh_pg_step steps[] = {{&collections_page, params, SH_COUNT(params), false},
                                 {&collections_count, params, 1 + RECORD_RIGHTS, false}};
    struct collection_list list;
    char limit[NUMBER];
    char offset[NUMBER];

    if (sh_rpc_call_decode(call, collection_list_desc(), &list) != SH_OK)
        return;
    uint64_t per_page = list.per_page > 0 ? list.per_page : PER_PAGE;
    uint64_t page = list.page > 0 ? list.page : 1;
    (void)snprintf(limit, sizeof(limit), "%" PRIu64, per_page);
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, (page - 1) * per_page);
    if (list.name.len > 0)
        params[0].value = list.name;
    params[1 + RECORD_RIGHTS].value = sh_bytes_of(limit);
    params[2 + RECORD_RIGHTS].value = sh_bytes_of(offset);
    if (record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        run(arg, call, steps, SH_COUNT(steps), READ_MS, on_list);
}

/* --- defining one ----------------------------------------------------------------- */

static void on_defined(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct collection stored;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        sh_rpc_fail(call, SH_FORBIDDEN, NULL, NULL,
                    "the collection of this name is not yours to change");
        return;
    }
    if (PQntuples(reply->results[1]) == 0) { /* removed in the same moment */
        sh_rpc_fail(call, SH_CONFLICT, NULL, NULL, "the collection is gone again");
        return;
    }
    read_collection(reply->results[1], 0, &stored);
    stored.created = sh_bytes_is(sh_pg_text(reply->results[0], 0, 0), "t");
    sh_rpc_reply(call, collection_desc(), &stored);
}

static struct sh_pg_param text(struct sh_bytes text)
{
    if (text.data == NULL)
        text.data = "";
    return (struct sh_pg_param){text, false};
}

static struct sh_pg_param text_or_null(struct sh_bytes text)
{
    if (text.len == 0)
        text.data = NULL;
    return (struct sh_pg_param){text, false};
}

/* `into` must last as long as the parameter. */
static struct sh_pg_param number_or_null(bool said, uint32_t number, char into[NUMBER])
{
    (void)snprintf(into, NUMBER, "%u", (unsigned)number);
    return (struct sh_pg_param){sh_bytes_of(said ? into : NULL), false};
}

/* It stands in paths, where "." and ".." mean something else. The table's own check says
 * the same, but not to whom. */
static bool is_name(struct sh_bytes name)
{
    const char *at = name.data;

    return record_id_ok(name) && memchr(at, '/', name.len) == NULL && at[0] != ' ' &&
           at[name.len - 1] != ' ' && !sh_bytes_is(name, ".") && !sh_bytes_is(name, "..");
}

/* False: answered. */
static bool may_define(struct sh_rpc_call *call, const struct collection *given)
{
    uint32_t level = given->clearance_level > 0 ? given->clearance_level : 1;

    if (!is_name(given->name))
        sh_rpc_fail(call, SH_INVALID, NULL, "name",
                    "name must be 1 to 256 bytes long, without slashes, control "
                    "characters and spaces around it, and neither . nor ..");
    else if (!access_judge(sh_rpc_call_caller(call), level, given->department).readable)
        sh_rpc_fail(call, SH_FORBIDDEN, NULL, NULL,
                    "a collection's clearance_level and department must be within one's "
                    "own");
    else
        return true;
    return false;
}

void collections_define(void *arg, struct sh_rpc_call *call)
{
    struct collection given;
    char tokens[NUMBER], overlap[NUMBER], clearance[NUMBER], priority[NUMBER];

    if (sh_rpc_call_decode(call, collection_desc(), &given) != SH_OK ||
        !may_define(call, &given))
        return;
    struct sh_pg_param params[] = {
        text(given.name),
        text(given.name), /* the rights go here */
        text(given.name),
        text(given.name),
        text(given.name),
        text(given.title),
        text(given.description),
        number_or_null(given.chunk_tokens > 0, given.chunk_tokens, tokens),
        number_or_null(given.overlap_said, given.chunk_overlap_percent, overlap),
        text_or_null(given.language),
        number_or_null(given.clearance_level > 0, given.clearance_level, clearance),
        text_or_null(given.department),
        text_or_null(given.campus),
        number_or_null(given.priority > 0, given.priority, priority),
    };
    struct sh_pg_param found[1 + RECORD_RIGHTS + 2];
    struct sh_pg_step steps[] = {{&collections_put, params, SH_COUNT(params), false},
                                 {&collections_page, found, SH_COUNT(found), false}};

    if (record_rights(call, params + 1) != SH_OK) {
        record_no_memory(call);
        return;
    }
    memcpy(found, params, (1 + RECORD_RIGHTS) * sizeof(*found));
    found[1 + RECORD_RIGHTS] = text(sh_bytes_of("1"));
    found[2 + RECORD_RIGHTS] = text(sh_bytes_of("0"));
    run(arg, call, steps, SH_COUNT(steps), WRITE_MS, on_defined);
}
