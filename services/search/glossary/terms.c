#include "services/search/glossary/terms.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/glossary/terms_rules.h"
#include "services/search/glossary/terms_sql.h"
#include "services/search/ingest/record.h"
#include "services/search/query/record_call.h"

enum { READ_MS = 5000, PER_PAGE = 20, NUMBER = 24, LIST_PARAMS = 1 + RECORD_RIGHTS + 5 };

struct sh_pg_param terms_text(struct sh_bytes text)
{
    if (text.data == NULL)
        text.data = "";
    return (struct sh_pg_param){text, false};
}

struct sh_pg_param terms_text_or_null(struct sh_bytes text)
{
    if (text.len == 0)
        text.data = NULL;
    return (struct sh_pg_param){text, false};
}

void terms_read(const PGresult *rows, int row, bool searched, struct glossary_term *out)
{
    *out = (struct glossary_term){
        .id = sh_pg_text(rows, row, TERM_ID),
        .term = sh_pg_text(rows, row, TERM_TERM),
        .definition = sh_pg_text(rows, row, TERM_DEFINITION),
        .language = sh_pg_text(rows, row, TERM_LANGUAGE),
        .domain = sh_pg_text(rows, row, TERM_DOMAIN),
        .part_of_speech = sh_pg_text(rows, row, TERM_PART_OF_SPEECH),
        .source = sh_pg_text(rows, row, TERM_SOURCE),
        .status = sh_pg_text(rows, row, TERM_STATUS),
        .sense = sh_pg_text(rows, row, TERM_SENSE),
        .clearance_level = (uint32_t)sh_pg_u64(rows, row, TERM_CLEARANCE),
        .department = sh_pg_text(rows, row, TERM_DEPARTMENT),
        .metadata = sh_pg_text(rows, row, TERM_METADATA),
        .created_at = strtod(PQgetvalue(rows, row, TERM_CREATED), NULL),
        .updated_at = strtod(PQgetvalue(rows, row, TERM_UPDATED), NULL),
    };
    if (!searched)
        return;
    out->score = strtod(PQgetvalue(rows, row, TERM_SCORE), NULL);
    out->highlight = sh_pg_text(rows, row, TERM_HIGHLIGHT);
    if (out->highlight.len > 65536) /* marks made it longer than a message takes */
        out->highlight = (struct sh_bytes){0};
}

static void run(struct terms *self, struct sh_rpc_call *call,
                const struct sh_pg_step *steps, size_t count, sh_pg_done_fn *done)
{
    struct sh_pg_call work = {.steps = steps,
                              .count = count,
                              .deadline_ms = record_deadline(call, READ_MS),
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err = sh_pg_run(self->pg, &work, done, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- a page ----------------------------------------------------------------------- */

static void answer(struct sh_rpc_call *call, const PGresult *rows, uint64_t total)
{
    struct glossary_page page = {.total = total};
    size_t count = (size_t)PQntuples(rows);
    bool searched = PQnfields(rows) > TERM_SCORE;
    struct glossary_term *terms =
        sh_arena_array(sh_rpc_call_arena(call), count + 1, sizeof(*terms));

    if (terms == NULL) {
        record_no_memory(call);
        return;
    }
    for (size_t i = 0; i < count; i++)
        terms_read(rows, (int)i, searched, &terms[i]);
    page.terms = terms;
    page.terms_count = count;
    sh_rpc_reply(call, glossary_page_desc(), &page);
}

static void on_list(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;

    if (!record_failed(call, reply))
        answer(call, reply->results[0], sh_pg_u64(reply->results[1], 0, 0));
}

static const struct sh_pg_statement *order_of(const struct glossary_list *list)
{
    if (list->q.len > 0)
        return &terms_search;
    if (sh_bytes_is(list->sort, "-term"))
        return &terms_by_term_down;
    if (sh_bytes_is(list->sort, "updated_at"))
        return &terms_by_time;
    if (sh_bytes_is(list->sort, "-updated_at"))
        return &terms_by_time_down;
    return &terms_by_term;
}

void terms_list(struct terms *self, struct sh_rpc_call *call,
                const struct glossary_list *list)
{
    struct sh_pg_param params[LIST_PARAMS] = {0};
    char limit[NUMBER], offset[NUMBER];
    struct sh_pg_step steps[] = {
        {order_of(list), params, LIST_PARAMS, false},
        {list->q.len > 0 ? &terms_found : &terms_count, params, LIST_PARAMS - 2, false}};
    uint64_t per_page = list->per_page > 0 ? list->per_page : PER_PAGE;
    uint64_t page = list->page > 0 ? list->page : 1;

    (void)snprintf(limit, sizeof(limit), "%" PRIu64, per_page);
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, (page - 1) * per_page);
    params[0] = terms_text_or_null(list->q);
    params[1 + RECORD_RIGHTS] = terms_text_or_null(list->language);
    params[2 + RECORD_RIGHTS] = terms_text_or_null(list->domain);
    params[3 + RECORD_RIGHTS] = terms_text_or_null(list->status);
    params[4 + RECORD_RIGHTS] = terms_text(sh_bytes_of(limit));
    params[5 + RECORD_RIGHTS] = terms_text(sh_bytes_of(offset));
    if (record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        run(self, call, steps, SH_COUNT(steps), on_list);
}

/* --- one -------------------------------------------------------------------------- */

static void on_get(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;

    if (record_failed(call, reply))
        return;
    if (PQntuples(reply->results[0]) == 0)
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such term");
    else
        answer(call, reply->results[0], 1);
}

void terms_get_handle(void *arg, struct sh_rpc_call *call)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_step step = {&terms_get, params, SH_COUNT(params), false};
    struct glossary_ref ref;

    if (sh_rpc_call_decode(call, glossary_ref_desc(), &ref) != SH_OK)
        return;
    if (!record_id_ok(ref.id)) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, NULL, "no such term");
        return;
    }
    params[0].value = ref.id;
    if (record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        run(arg, call, &step, 1, on_get);
}
