#include "services/search/terminology/candidates.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "proto/access.h"
#include "proto/messages.h"
#include "services/search/glossary/terms.h"
#include "services/search/glossary/terms_rules.h"
#include "services/search/query/record_call.h"
#include "services/search/terminology/candidates_sql.h"
#include "shared/uuid.h"

enum {
    READ_MS = 10000,
    WRITE_MS = 10000,
    PER_PAGE = 20,
    NUMBER = 24,
    AFTER_RIGHTS = 1 + RECORD_RIGHTS,
    LIST_PARAMS = AFTER_RIGHTS + 8,
    JUDGE_PARAMS = AFTER_RIGHTS + 3,
};

static void run(struct sh_pg *pg, struct sh_rpc_call *call, const struct sh_pg_step *step,
                uint64_t most_ms, sh_pg_done_fn *done)
{
    struct sh_pg_call work = {.steps = step,
                              .count = 1,
                              .deadline_ms = record_deadline(call, most_ms),
                              .trace = sh_rpc_call_trace(call)};
    enum sh_err err = sh_pg_run(pg, &work, done, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

/* --- the list --------------------------------------------------------------------- */

static void read_row(const PGresult *rows, int row, struct glossary_candidate *out)
{
    *out = (struct glossary_candidate){
        .id = sh_pg_text(rows, row, CANDIDATE_ID),
        .term = sh_pg_text(rows, row, CANDIDATE_TERM),
        .language = sh_pg_text(rows, row, CANDIDATE_LANGUAGE),
        .words = (uint32_t)sh_pg_u64(rows, row, CANDIDATE_WORDS),
        .frequency = sh_pg_u64(rows, row, CANDIDATE_FREQUENCY),
        .documents = sh_pg_u64(rows, row, CANDIDATE_DOCUMENTS),
        .score = strtod(PQgetvalue(rows, row, CANDIDATE_SCORE), NULL),
        .status = sh_pg_text(rows, row, CANDIDATE_STATUS),
        .term_id = sh_pg_text(rows, row, CANDIDATE_TERM_ID),
        .contexts = sh_pg_text(rows, row, CANDIDATE_CONTEXTS),
    };
}

static void on_list(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct glossary_candidate_page page = {0};
    struct glossary_candidate *found;
    const PGresult *rows;

    if (record_failed(call, reply))
        return;
    rows = reply->results[0];
    int count = PQntuples(rows);
    found = sh_arena_array(sh_rpc_call_arena(call), (size_t)count + 1, sizeof(*found));
    if (found == NULL) {
        record_no_memory(call);
        return;
    }
    for (int i = 0; i < count; i++)
        if (!PQgetisnull(rows, i, CANDIDATE_ID))
            read_row(rows, i, &found[page.candidates_count++]);
    page.candidates = found;
    page.total = count > 0 ? sh_pg_u64(rows, 0, CANDIDATE_TOTAL) : 0;
    sh_rpc_reply(call, glossary_candidate_page_desc(), &page);
}

void candidates_list_handle(void *arg, struct sh_rpc_call *call)
{
    struct candidates *self = arg;
    struct sh_pg_param params[LIST_PARAMS] = {0};
    struct sh_pg_step step = {&candidates_list, params, LIST_PARAMS, false};
    struct glossary_candidate_list list;
    char frequency[NUMBER], limit[NUMBER], offset[NUMBER];

    if (sh_rpc_call_decode(call, glossary_candidate_list_desc(), &list) != SH_OK)
        return;
    uint64_t per_page = list.per_page > 0 ? list.per_page : PER_PAGE;
    uint64_t page = list.page > 0 ? list.page : 1;

    (void)snprintf(frequency, sizeof(frequency), "%u", (unsigned)list.min_frequency);
    (void)snprintf(limit, sizeof(limit), "%" PRIu64, per_page);
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, (page - 1) * per_page);
    params[0] = terms_text_or_null(list.q);
    params[AFTER_RIGHTS] = terms_text_or_null(list.language);
    params[AFTER_RIGHTS + 1] =
        terms_text(list.status.len > 0 ? list.status : sh_bytes_of("open"));
    params[AFTER_RIGHTS + 2] = terms_text_or_null(list.kind);
    params[AFTER_RIGHTS + 3] = terms_text(sh_bytes_of(frequency));
    params[AFTER_RIGHTS + 4] = terms_text_or_null(list.job_id);
    params[AFTER_RIGHTS + 5] = terms_text(list.sort);
    params[AFTER_RIGHTS + 6] = terms_text(sh_bytes_of(limit));
    params[AFTER_RIGHTS + 7] = terms_text(sh_bytes_of(offset));
    if (record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        run(self->pg, call, &step, READ_MS, on_list);
}

/* --- verdicts --------------------------------------------------------------------- */

static void on_judged(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct glossary_judged judged = {0};
    struct glossary_verdict *all;

    if (record_failed(call, reply))
        return;
    int count = PQntuples(reply->results[0]);
    all = sh_arena_array(sh_rpc_call_arena(call), (size_t)count + 1, sizeof(*all));
    if (all == NULL) {
        record_no_memory(call);
        return;
    }
    for (int i = 0; i < count; i++)
        all[i] = (struct glossary_verdict){sh_pg_text(reply->results[0], i, 0),
                                           sh_pg_text(reply->results[0], i, 1),
                                           sh_pg_text(reply->results[0], i, 2)};
    judged.verdicts = all;
    judged.verdicts_count = (size_t)count;
    sh_rpc_reply(call, glossary_judged_desc(), &judged);
}

static void put(json_t *draft, const char *name, struct sh_bytes text)
{
    if (text.len > 0)
        (void)json_object_set_new(draft, name, json_stringn(text.data, text.len));
}

/* The members that were given; NULL: no memory. */
static char *draft_of(const struct glossary_judge *asked)
{
    json_t *draft = json_object();
    char *text;

    if (asked->draft_count == 1) {
        const struct glossary_term *term = &asked->draft[0];
        put(draft, "term", term->term);
        put(draft, "definition", term->definition);
        put(draft, "domain", term->domain);
        put(draft, "part_of_speech", term->part_of_speech);
        put(draft, "source", term->source);
        put(draft, "sense", term->sense);
        put(draft, "department", term->department);
        if (term->clearance_level > 0)
            (void)json_object_set_new(draft, "clearance_level",
                                      json_integer(term->clearance_level));
    }
    text = draft != NULL ? json_dumps(draft, JSON_COMPACT) : NULL;
    json_decref(draft);
    return text;
}

/* False: answered. */
static bool may_judge(struct sh_rpc_call *call, const struct glossary_judge *asked)
{
    struct glossary_term term = {.term = sh_bytes_of("x")};
    const char *field = NULL;
    const char *wrong;

    if (asked->draft_count == 1)
        term = asked->draft[0];
    if (term.term.len == 0)
        term.term = sh_bytes_of("x"); /* as it was found */
    uint32_t level = term.clearance_level;
    wrong = terms_check(&term, &field);
    if (wrong != NULL)
        sh_rpc_fail(call, SH_INVALID, NULL, field, "%s", wrong);
    else if (level > 0 &&
             !access_judge(sh_rpc_call_caller(call), level, term.department).readable)
        sh_rpc_fail(call, SH_FORBIDDEN, NULL, "clearance_level",
                    "a term's clearance_level and department must be within one's own");
    else
        return true;
    return false;
}

/* As an array of PostgreSQL. False: answered. */
static bool read_ids(struct sh_rpc_call *call, const struct glossary_judge *asked,
                     struct sh_buffer *out)
{
    sh_buffer_text(out, "{");
    for (size_t i = 0; i < asked->ids_count; i++) {
        if (!sh_uuid_valid(asked->ids[i])) {
            sh_rpc_fail(call, SH_INVALID, NULL, "ids", "that is no id of a candidate");
            return false;
        }
        sh_buffer_printf(out, "%s%.*s", i > 0 ? "," : "", (int)asked->ids[i].len,
                         (const char *)asked->ids[i].data);
    }
    sh_buffer_text(out, "}");
    return true;
}

void candidates_judge_handle(void *arg, struct sh_rpc_call *call)
{
    struct candidates *self = arg;
    struct sh_pg_param params[JUDGE_PARAMS] = {0};
    struct sh_pg_step step = {&candidates_judge, params, JUDGE_PARAMS, false};
    struct sh_buffer ids = {0};
    struct glossary_judge asked;
    char *draft;

    if (sh_rpc_call_decode(call, glossary_judge_desc(), &asked) != SH_OK ||
        !may_judge(call, &asked) || !read_ids(call, &asked, &ids)) {
        sh_buffer_free(&ids);
        return;
    }
    draft = draft_of(&asked);
    params[0] = terms_text(sh_buffer_bytes(&ids));
    params[AFTER_RIGHTS] = terms_text(asked.verdict);
    params[AFTER_RIGHTS + 1] = terms_text(sh_rpc_call_caller(call)->user_id);
    params[AFTER_RIGHTS + 2] = terms_text(sh_bytes_of(draft));
    if (ids.err != SH_OK || draft == NULL || record_rights(call, params + 1) != SH_OK)
        record_no_memory(call);
    else
        run(self->pg, call, &step, WRITE_MS, on_judged);
    sh_buffer_free(&ids);
    free(draft); /* jansson's */
}
