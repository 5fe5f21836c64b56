/* Generations of vectors: what there is; building, comparing, activating, dropping. What
 * search answers is passed on as it is. */
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/write_key.h"

enum { QUERIES_MAX = 100, CHANGE_MS = 60000 };

struct reindex_body {
    struct sh_bytes model;
    bool activate;
};

struct judged_body {
    struct sh_bytes query;
    json_t *relevant;
};

struct compare_body {
    struct sh_bytes from, to;
    struct schema_texts queries;
    struct schema_list judged;
};

/* clang-format off */
#define AT(member) offsetof(struct reindex_body, member)
static const struct schema_field reindex_fields[] = {
    {.name = "model", .type = SCHEMA_TEXT, .offset = AT(model), .required = true,
     .least = 1, .most = 256, .bytes = 256,
     .help = "of the embedder: use-lite, builtin:hashing, ollama:nomic-embed-text, …"},
    {.name = "activate", .type = SCHEMA_BOOLEAN, .offset = AT(activate),
     .fallback = "false", .help = "make it live as soon as it is complete"},
};
#undef AT
#define AT(member) offsetof(struct judged_body, member)
static const struct schema_field judged_fields[] = {
    {.name = "query", .type = SCHEMA_TEXT, .offset = AT(query), .required = true,
     .least = 1, .most = 2000},
    {.name = "relevant", .type = SCHEMA_FREEFORM, .offset = AT(relevant),
     .required = true, .most = 65536, .help = "document ids and their grades"},
};
#undef AT
static const struct schema judged_schema = {
    "JudgedQuery", "A question and what answers it.", sizeof(struct judged_body),
    judged_fields, SH_COUNT(judged_fields)};
#define AT(member) offsetof(struct compare_body, member)
static const struct schema_field compare_fields[] = {
    {.name = "from", .type = SCHEMA_TEXT, .offset = AT(from), .required = true,
     .least = 1, .most = 64, .bytes = 64, .help = "fingerprint of a generation"},
    {.name = "to", .type = SCHEMA_TEXT, .offset = AT(to), .required = true,
     .least = 1, .most = 64, .bytes = 64, .help = "of another one"},
    {.name = "queries", .type = SCHEMA_TEXTS, .offset = AT(queries),
     .least = 1, .most = QUERIES_MAX,
     .help = "questions; without these and judged ones: what was asked lately"},
    {.name = "judged", .type = SCHEMA_LIST, .offset = AT(judged), .of = &judged_schema,
     .least = 1, .most = QUERIES_MAX},
};
#undef AT
/* clang-format on */

const struct schema reindex_schema = {"Reindex", "A generation of vectors to be built.",
                                      sizeof(struct reindex_body), reindex_fields,
                                      SH_COUNT(reindex_fields)};
const struct schema compare_schema = {
    "CompareGenerations", "Two generations, and what to ask both.",
    sizeof(struct compare_body), compare_fields, SH_COUNT(compare_fields)};

static void on_reply(struct exchange *x, const struct sh_rpc_response *response)
{
    struct generation_reply reply;
    char place[128];

    if (!exchange_decode(x, generation_reply_desc(), response->payload, &reply))
        return;
    bool job = reply.job_id.len > 0;
    if (job) {
        (void)snprintf(place, sizeof place, "/api/jobs/%.*s", (int)reply.job_id.len,
                       (const char *)reply.job_id.data);
        sh_http_add_header(x->request, "Location", place);
    }
    exchange_answer_as(x, job ? 202 : 200, "application/json", reply.body);
}

static void ask(struct exchange *x, enum method method, const struct msg_desc *desc,
                const void *message)
{
    bool reads = method == METHOD_GENERATIONS;
    bool job = !reads && method != METHOD_GENERATION_ACTIVATE;
    struct write_key key;

    if (!write_key_read(x, &key))
        return;
    exchange_call(
        x, &(struct exchange_call){
               .peer = PEER_SEARCH,
               .method = (uint32_t)method,
               .kind = reads ? SH_RPC_READ : SH_RPC_WRITE,
               .desc = desc,
               .msg = message,
               .key = job ? write_key_bytes(&key) : NULL,
               .timeout_ms = reads ? x->edge->gateway->config.read_timeout_ms : CHANGE_MS,
               .done = on_reply,
           });
}

void generation_list(struct exchange *x, void *unused)
{
    static const struct empty nothing;

    (void)unused;
    ask(x, METHOD_GENERATIONS, empty_desc(), &nothing);
}

void reindex_post(struct exchange *x, void *body_in)
{
    const struct reindex_body *body = body_in;
    struct reindex_request request = {.model = body->model, .activate = body->activate};

    ask(x, METHOD_REINDEX, reindex_request_desc(), &request);
}

static void ask_about(struct exchange *x, enum method method)
{
    char fingerprint[65];
    struct generation_ref ref;

    if (!exchange_param(x, "fingerprint", fingerprint, sizeof fingerprint))
        return;
    ref.fingerprint = sh_bytes_of(fingerprint);
    ask(x, method, generation_ref_desc(), &ref);
}

void generation_activate_post(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_GENERATION_ACTIVATE);
}

void generation_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_GENERATION_DROP);
}

void generation_rollback_post(struct exchange *x, void *unused)
{
    const struct generation_ref previous = {.fingerprint = {0}};

    (void)unused;
    ask(x, METHOD_GENERATION_ACTIVATE, generation_ref_desc(), &previous);
}

/* The questions as they came; null counts as absent. */
static char *questions(const struct exchange *x)
{
    json_t *some = json_object();
    static const char *const names[] = {"queries", "judged"};

    for (size_t i = 0; i < SH_COUNT(names); i++) {
        json_t *value = json_object_get(x->json, names[i]);
        if (value != NULL && !json_is_null(value))
            json_object_set(some, names[i], value);
    }
    json_t *queries = json_object_get(some, "queries");
    if (json_is_string(queries)) { /* a single one */
        json_t *list = json_array();
        json_array_append(list, queries);
        json_object_set_new(some, "queries", list);
    }
    char *text = json_dumps(some, JSON_COMPACT);
    json_decref(some);
    return text;
}

void generation_compare_post(struct exchange *x, void *body_in)
{
    const struct compare_body *body = body_in;
    char *text = questions(x);
    struct generation_compare request = {
        .from = body->from, .to = body->to, .queries = sh_bytes_of(text)};

    if (text == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else
        ask(x, METHOD_GENERATION_COMPARE, generation_compare_desc(), &request);
    free(text); /* jansson's */
}
