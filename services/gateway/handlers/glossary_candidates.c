/* Terms that are found in documents: looking for them, what was found, and what people
 * say of it. */
#include <stdio.h>

#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/glossary.h"
#include "services/gateway/handlers/write_key.h"
#include "services/gateway/json_out.h"
#include "shared/uuid.h"

enum { IDS_MAX = 500, PER_PAGE_MAX = 200, QUERY_BYTES = 2048, JUDGE_MS = 15000 };

/* Contexts are texts of documents. False: answered. */
static bool may_read_documents(struct exchange *x)
{
    if (authorised(x, PERMIT_READ_DOCUMENTS))
        return true;
    exchange_fail_err(x, SH_FORBIDDEN, "candidates take the permission read_documents");
    return false;
}

/* --- extraction ------------------------------------------------------------------- */

struct extract_body {
    struct sh_bytes document_id, collection, language;
    int64_t min_frequency, most;
};
#define AT(member) offsetof(struct extract_body, member)
static const struct schema_field extract_fields[] = {
    {.name = "document_id",
     .type = SCHEMA_TEXT,
     .offset = AT(document_id),
     .most = 256,
     .bytes = 256,
     .help = "only in this document"},
    {.name = "collection",
     .type = SCHEMA_TEXT,
     .offset = AT(collection),
     .most = 256,
     .bytes = 256,
     .help = "only in documents of this collection; else in all that one may read"},
    {.name = "language",
     .type = SCHEMA_TEXT,
     .offset = AT(language),
     .most = 64,
     .bytes = 64,
     .help = "only in documents of this language (en, de, …)"},
    {.name = "min_frequency",
     .type = SCHEMA_INTEGER,
     .offset = AT(min_frequency),
     .least = 1,
     .most = 1000000,
     .fallback = "2",
     .help = "how often a candidate is found at least"},
    {.name = "max_candidates",
     .type = SCHEMA_INTEGER,
     .offset = AT(most),
     .least = 1,
     .most = 10000,
     .fallback = "1000",
     .help = "of each language and class of rights, the best"},
};
#undef AT
const struct schema glossary_extract_schema = {
    "GlossaryExtract", "Where terms are to be looked for.", sizeof(struct extract_body),
    extract_fields, SH_COUNT(extract_fields)};

struct extract_state {
    bool wait;
};

static void on_job(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct extract_state *state = x->state;
    struct job_ref job;

    if (exchange_decode(x, job_ref_desc(), response->payload, &job))
        glossary_answer_job(x, job.id, state->wait);
}

void glossary_extract_post(struct exchange *x, void *body_in)
{
    const struct extract_body *body = body_in;
    struct extract_state *state = exchange_state(x, sizeof *state);
    const struct glossary_extract order = {
        .document_id = body->document_id,
        .collection = body->collection,
        .language = body->language,
        .min_frequency = (uint32_t)body->min_frequency,
        .most = (uint32_t)body->most,
    };
    struct write_key key;

    if (state == NULL || !may_read_documents(x) ||
        !exchange_query_flag(x, "wait", &state->wait) || !write_key_read(x, &key))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_EXTRACT,
                         .kind = SH_RPC_WRITE,
                         .key = write_key_bytes(&key),
                         .desc = glossary_extract_desc(),
                         .msg = &order,
                         .timeout_ms = x->edge->gateway->config.write_timeout_ms,
                         .done = on_job,
                     });
}

/* --- the list --------------------------------------------------------------------- */

struct list_state {
    uint32_t page;
    uint32_t per_page;
};

static void write_candidate(struct sh_buffer *out, const struct glossary_candidate *one)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "id", one->id);
    json_member_text(out, "term", one->term);
    json_member_text(out, "language", one->language);
    json_member(out, "words");
    json_u64(out, one->words);
    json_member(out, "frequency");
    json_u64(out, one->frequency);
    json_member(out, "documents");
    json_u64(out, one->documents);
    json_member(out, "score");
    json_number(out, one->score, 4);
    json_member_text(out, "status", one->status);
    if (one->term_id.len > 0)
        json_member_text(out, "term_id", one->term_id);
    json_member(out, "contexts");
    json_raw(out, one->contexts, "[]");
    sh_buffer_text(out, "}");
}

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct list_state *state = x->state;
    struct glossary_candidate_page page;

    if (!exchange_decode(x, glossary_candidate_page_desc(), response->payload, &page))
        return;
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{\"candidates\":[");
    for (size_t i = 0; i < page.candidates_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_candidate(out, &page.candidates[i]);
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

/* One of `known`, which is ended by NULL, or nothing. False: answered. */
static bool read_choice(struct exchange *x, const char *name, const char *const *known,
                        struct sh_bytes *out)
{
    if (!exchange_query_text(x, name, 16, out))
        return false;
    for (size_t i = 0; known[i] != NULL; i++)
        if (out->len == 0 || sh_bytes_is(*out, known[i]))
            return true;
    exchange_invalid(x, name, "that is not one of its values");
    return false;
}

void glossary_candidates_get(struct exchange *x, void *unused)
{
    static const char *const statuses[] = {"open", "accepted", "rejected", NULL};
    static const char *const kinds[] = {"word", "phrase", NULL};
    static const char *const sorts[] = {"score", "frequency", "documents", "term", NULL};
    struct list_state *state = exchange_state(x, sizeof *state);
    struct glossary_candidate_list list = {.min_frequency = 1};

    (void)unused;
    if (state == NULL)
        return;
    *state = (struct list_state){.page = 1, .per_page = 20};
    if (!may_read_documents(x) ||
        !exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, PER_PAGE_MAX, &state->per_page) ||
        !exchange_query_u32(x, "min_frequency", 1, 1000000, &list.min_frequency) ||
        !exchange_query_text(x, "q", QUERY_BYTES, &list.q) ||
        !exchange_query_text(x, "language", 64, &list.language) ||
        !exchange_query_text(x, "job_id", 64, &list.job_id) ||
        !read_choice(x, "status", statuses, &list.status) ||
        !read_choice(x, "kind", kinds, &list.kind) ||
        !read_choice(x, "sort", sorts, &list.sort))
        return;
    list.q = search_trim(list.q);
    list.page = state->page;
    list.per_page = state->per_page;
    glossary_ask(x, METHOD_GLOSSARY_CANDIDATES, SH_RPC_READ,
                 glossary_candidate_list_desc(), &list, on_page);
}

/* --- verdicts --------------------------------------------------------------------- */

struct draft_body { /* what is absent is as it was found */
    struct sh_bytes term, definition, domain, part_of_speech, source, sense, department;
    int64_t clearance_level;
};
#define TEXT(name_, most_, bytes_, help_)                                                \
    {                                                                                    \
        .name = #name_, .type = SCHEMA_TEXT,                                             \
        .offset = offsetof(struct draft_body, name_), .most = (most_),                   \
        .bytes = (bytes_), .help = (help_)                                               \
    }
static const struct schema_field draft_fields[] = {
    TEXT(term, 512, 2048, "as it is to be written; as it was found when absent"),
    TEXT(definition, 65536, 65536, "what it means"),
    TEXT(domain, 256, 256, "the field that it belongs to"),
    TEXT(part_of_speech, 64, 64, "noun, verb, …"),
    TEXT(source, 1024, 1024, "where it is from; extraction when absent"),
    TEXT(sense, 256, 256, "tells homonyms of one language and domain apart"),
    TEXT(department, 256, 256, "whose it is, above clearance 2"),
    {.name = "clearance_level",
     .type = SCHEMA_INTEGER,
     .offset = offsetof(struct draft_body, clearance_level),
     .least = 0,
     .most = 5,
     .fallback = "0",
     .help = "who may read it; 0: as the least strict documents that it was found in"},
};
const struct schema glossary_draft_schema = {
    "GlossaryDraft", "The entry that a candidate becomes.", sizeof(struct draft_body),
    draft_fields, SH_COUNT(draft_fields)};

struct ids_body {
    struct schema_texts ids;
};
static const struct schema_field ids_fields[] = {
    {.name = "ids",
     .type = SCHEMA_TEXTS,
     .offset = offsetof(struct ids_body, ids),
     .least = 1,
     .most = IDS_MAX,
     .required = true,
     .help = "of candidates, at most 500"},
};
const struct schema glossary_ids_schema = {
    "GlossaryCandidateIds", "Candidates that are judged together.",
    sizeof(struct ids_body), ids_fields, SH_COUNT(ids_fields)};

static void write_verdict(struct sh_buffer *out, const struct glossary_verdict *one)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "id", one->id);
    json_member_text(out, "outcome", one->outcome);
    if (one->term_id.len > 0)
        json_member_text(out, "term_id", one->term_id);
    sh_buffer_text(out, "}");
}

static void on_judged_one(struct exchange *x, const struct sh_rpc_response *response)
{
    struct glossary_judged judged;

    if (!exchange_decode(x, glossary_judged_desc(), response->payload, &judged))
        return;
    if (judged.verdicts_count != 1) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
    } else if (sh_bytes_is(judged.verdicts[0].outcome, "not_found")) {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such candidate");
    } else if (sh_bytes_is(judged.verdicts[0].outcome, "conflict")) {
        exchange_fail_err(x, SH_CONFLICT, "the glossary has an entry of it already");
    } else {
        write_verdict(exchange_out(x), &judged.verdicts[0]);
        exchange_answer(x, 200);
    }
}

static void on_judged(struct exchange *x, const struct sh_rpc_response *response)
{
    struct sh_buffer *out = exchange_out(x);
    struct glossary_judged judged;

    if (!exchange_decode(x, glossary_judged_desc(), response->payload, &judged))
        return;
    sh_buffer_text(out, "{\"results\":[");
    for (size_t i = 0; i < judged.verdicts_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        write_verdict(out, &judged.verdicts[i]);
    }
    sh_buffer_text(out, "]}");
    exchange_answer(x, 200);
}

static void judge(struct exchange *x, const struct glossary_judge *order,
                  exchange_reply_fn *done)
{
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_GLOSSARY_JUDGE,
                         .kind = SH_RPC_WRITE,
                         .desc = glossary_judge_desc(),
                         .msg = order,
                         .timeout_ms = JUDGE_MS,
                         .done = done,
                     });
}

/* False: answered. */
static bool check_id(struct exchange *x, const char *field, struct sh_bytes id)
{
    bool good = sh_uuid_valid(id);

    if (!good)
        exchange_invalid(x, field, "%s is no id of a candidate", field);
    return good;
}

static void judge_one(struct exchange *x, const char *verdict,
                      const struct glossary_term *draft)
{
    struct sh_bytes ids;

    if (!exchange_param_text(x, "id", SH_UUID, &ids) || !check_id(x, "id", ids))
        return;
    x->audit.target = ids;
    judge(x,
          &(struct glossary_judge){.ids = &ids,
                                   .ids_count = 1,
                                   .verdict = sh_bytes_of(verdict),
                                   .draft = draft,
                                   .draft_count = draft != NULL ? 1 : 0},
          on_judged_one);
}

void glossary_candidate_accept(struct exchange *x, void *body_in)
{
    const struct draft_body *body = body_in;
    const struct glossary_term draft = {
        .term = search_trim(body->term),
        .definition = search_trim(body->definition),
        .domain = body->domain,
        .part_of_speech = body->part_of_speech,
        .source = body->source,
        .sense = body->sense,
        .department = body->department,
        .clearance_level = (uint32_t)body->clearance_level,
    };

    judge_one(x, "accepted", &draft);
}

void glossary_candidate_reject(struct exchange *x, void *unused)
{
    (void)unused;
    judge_one(x, "rejected", NULL);
}

void glossary_candidate_reopen(struct exchange *x, void *unused)
{
    (void)unused;
    judge_one(x, "open", NULL);
}

static void judge_all(struct exchange *x, const struct ids_body *body,
                      const char *verdict)
{
    char name[32] = "ids";

    for (size_t i = 0; i < body->ids.count; i++) {
        if (!body->ids.single)
            (void)snprintf(name, sizeof name, "ids[%zu]", i);
        if (!check_id(x, name, body->ids.items[i]))
            return;
    }
    judge(x,
          &(struct glossary_judge){.ids = body->ids.items,
                                   .ids_count = body->ids.count,
                                   .verdict = sh_bytes_of(verdict)},
          on_judged);
}

void glossary_candidates_accept(struct exchange *x, void *body)
{
    judge_all(x, body, "accepted");
}

void glossary_candidates_reject(struct exchange *x, void *body)
{
    judge_all(x, body, "rejected");
}

void glossary_candidates_reopen(struct exchange *x, void *body)
{
    judge_all(x, body, "open");
}
