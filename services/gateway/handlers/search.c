/* Search: the request as a table, the identity, the answer of search as JSON. */
#include <stdlib.h>
#include <utf8proc.h>

#include "services/gateway/auth/auth.h"
#include "services/gateway/handlers/asker.h"
#include "services/gateway/handlers/handlers.h"

enum { QUERY_CHARACTERS = 2000, QUERY_BYTES = 16384 };
enum { DEFAULT_RESULTS = 10, OFFSET_MAX = 100000 };
enum { FACETS_MAX = 16, FACET_BYTES = 512 /* of a name, as of the bus */ };

static const char *const fusions[] = {"weighted", "rrf", NULL};

struct search_config {
    int64_t max_results;
    int64_t offset;
    double similarity_threshold;
    uint32_t mode;
    uint32_t fusion;
    double vector_weight;
    bool has_vector_weight;
    bool highlight;
    bool explain;
    double diversity;
    bool require_complete;
    bool expand;
    bool merge;
    int64_t per_document;
};

struct search_facets {
    struct schema_texts fields;
    int64_t values;
};

struct search_body {
    struct sh_bytes query;
    struct identity_user user;
    bool has_user;
    json_t *filters; /* NULL when absent */
    struct search_config config;
    struct search_facets facets;
    bool has_facets;
};

/* clang-format off */
#define AT(member) offsetof(struct search_config, member)
static const struct schema_field config_fields[] = {
    {.name = "max_results", .type = SCHEMA_INTEGER, .offset = AT(max_results),
     .least = 1, .most = INT32_MAX, .fallback = "10",
     .help = "at most what the role allows"},
    {.name = "offset", .type = SCHEMA_INTEGER, .offset = AT(offset),
     .least = 0, .most = OFFSET_MAX, .fallback = "0", .help = "results to skip"},
    {.name = "similarity_threshold", .type = SCHEMA_NUMBER,
     .offset = AT(similarity_threshold), .least = 0, .most = 1, .fallback = "0",
     .help = "least cosine similarity"},
    {.name = "mode", .type = SCHEMA_CHOICE, .offset = AT(mode), .choices = search_modes,
     .fallback = "\"hybrid\""},
    {.name = "fusion", .type = SCHEMA_CHOICE, .offset = AT(fusion), .choices = fusions,
     .fallback = "\"weighted\"", .help = "how a hybrid search joins its two rankings"},
    {.name = "vector_weight", .type = SCHEMA_NUMBER, .offset = AT(vector_weight),
     .least = 0, .most = 1, .present = AT(has_vector_weight),
     .help = "share of the vectors in weighted fusion; the model's own when absent"},
    {.name = "highlight", .type = SCHEMA_BOOLEAN, .offset = AT(highlight),
     .fallback = "true"},
    {.name = "explain", .type = SCHEMA_BOOLEAN, .offset = AT(explain),
     .fallback = "false", .help = "say how each score came about"},
    {.name = "diversity", .type = SCHEMA_NUMBER, .offset = AT(diversity),
     .least = 0, .most = 1, .fallback = "0",
     .help = "0: by score alone; towards 1: results that differ from each other"},
    {.name = "require_complete", .type = SCHEMA_BOOLEAN, .offset = AT(require_complete),
     .fallback = "false", .help = "503 rather than an answer without one of its parts"},
    {.name = "expand", .type = SCHEMA_BOOLEAN, .offset = AT(expand),
     .fallback = "true", .help = "find what the glossary calls the words otherwise, too"},
    {.name = "merge", .type = SCHEMA_BOOLEAN, .offset = AT(merge), .fallback = "false",
     .help = "neighbouring passages of a document become one result"},
    {.name = "per_document", .type = SCHEMA_INTEGER, .offset = AT(per_document),
     .least = 0, .most = 1000, .fallback = "0",
     .help = "most results of one document, its best; 0: any number"},
};
#undef AT

static const struct schema config_schema = {
    "SearchConfig", "How to search.", sizeof(struct search_config), config_fields,
    SH_COUNT(config_fields)};

#define AT(member) offsetof(struct search_facets, member)
static const struct schema_field facets_fields[] = {
    {.name = "fields", .type = SCHEMA_TEXTS, .offset = AT(fields), .most = FACETS_MAX,
     .help = "collection, or dotted names of the metadata; when absent, those that divide "
             "what matches, up to 8"},
    {.name = "values", .type = SCHEMA_INTEGER, .offset = AT(values), .least = 1,
     .most = 50, .fallback = "10", .help = "values of each, the most frequent"},
};
#undef AT

static const struct schema facets_schema = {
    "SearchFacets", "What to count the matching passages by.",
    sizeof(struct search_facets), facets_fields, SH_COUNT(facets_fields)};

#define AT(member) offsetof(struct search_body, member)
static const struct schema_field body_fields[] = {
    {.name = "query", .type = SCHEMA_TEXT, .offset = AT(query), .required = true,
     .help = "1 to 2,000 characters after trimming"},
    {.name = "user", .type = SCHEMA_OBJECT, .offset = AT(user),
     .of = &identity_user_schema, .present = AT(has_user), .help = "who asks"},
    {.name = "filters", .type = SCHEMA_FREEFORM, .offset = AT(filters),
     .most = ASKER_FILTERS_BYTES,
     .help = "department, campus, min_priority, max_clearance, document_id, "
             "collection, metadata"},
    {.name = "config", .type = SCHEMA_OBJECT, .offset = AT(config),
     .of = &config_schema},
    {.name = "facets", .type = SCHEMA_OBJECT, .offset = AT(facets),
     .of = &facets_schema, .present = AT(has_facets),
     .help = "count all that matches by its attributes"},
};
#undef AT

const struct schema search_schema = {"SearchRequest", "What to look for.",
                                     sizeof(struct search_body), body_fields,
                                     SH_COUNT(body_fields)};
/* clang-format on */

/* --- the question ----------------------------------------------------------------- */

static bool is_space(utf8proc_int32_t c)
{
    if (c < 0x80)
        return c == ' ' || (c >= '\t' && c <= '\r');
    utf8proc_category_t category = utf8proc_category(c);
    return c == 0x85 || category == UTF8PROC_CATEGORY_ZS ||
           category == UTF8PROC_CATEGORY_ZL || category == UTF8PROC_CATEGORY_ZP;
}

struct sh_bytes search_trim(struct sh_bytes text)
{
    const utf8proc_uint8_t *data = text.data;
    utf8proc_ssize_t at = 0, len = (utf8proc_ssize_t)text.len, first = -1, end = 0;

    while (at < len) {
        utf8proc_int32_t c;
        utf8proc_ssize_t step = utf8proc_iterate(data + at, len - at, &c);
        if (step <= 0) /* not UTF-8: not white space either */
            step = 1;
        else if (is_space(c)) {
            at += step;
            continue;
        }
        if (first < 0)
            first = at;
        at += step;
        end = at;
    }
    if (first < 0)
        return (struct sh_bytes){0};
    return (struct sh_bytes){data + first, (size_t)(end - first)};
}

/* False: answered. */
static bool check_query(struct exchange *x, struct sh_bytes *query)
{
    *query = search_trim(*query);
    x->audit.query = *query;
    size_t characters = schema_characters(*query);
    if (characters >= 1 && characters <= QUERY_CHARACTERS && query->len <= QUERY_BYTES)
        return true;
    exchange_invalid(x, "query", "query must hold 1 to %d characters besides white space",
                     QUERY_CHARACTERS);
    return false;
}

static bool is_ascii(struct sh_bytes text)
{
    const unsigned char *bytes = text.data;
    unsigned char all = 0;

    for (size_t i = 0; i < text.len; i++)
        all |= bytes[i];
    return all < 0x80;
}

/* In NFC, in the arena: the same text written in two ways is one question. What cannot be
 * composed, or gets too long by it, goes as it is. */
static struct sh_bytes compose(struct exchange *x, struct sh_bytes text)
{
    utf8proc_uint8_t *composed = NULL;

    if (is_ascii(text))
        return text;
    utf8proc_ssize_t len = utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &composed,
                                        UTF8PROC_STABLE | UTF8PROC_COMPOSE);
    if (len > 0 && len <= QUERY_BYTES) {
        struct sh_bytes copy =
            sh_arena_copy(&x->arena, (struct sh_bytes){composed, (size_t)len});
        text = copy.data != NULL ? copy : text;
    }
    free(composed);
    return text;
}

static uint32_t limit_results(const struct exchange *x, int64_t asked)
{
    uint32_t limit =
        settings_result_limit(&x->edge->gateway->config, x->role->max_results);
    return asked < (int64_t)limit ? (uint32_t)asked : limit;
}

/* --- asking ----------------------------------------------------------------------- */

static void on_results(struct exchange *x, const struct sh_rpc_response *reply)
{
    struct search_results results;

    if (exchange_decode(x, search_results_desc(), reply->payload, &results))
        search_answer(x, &results);
}

static void ask(struct exchange *x, const struct search_body *body)
{
    const struct search_config *config = &body->config;
    struct search_state *state = sh_arena_alloc(&x->arena, sizeof *state);
    struct sh_bytes question = {0};
    struct search_query query = {
        .query = compose(x, body->query),
        .mode = config->mode,
        .fusion = config->fusion,
        .vector_weight = config->has_vector_weight ? config->vector_weight : -1,
        .max_results = limit_results(x, config->max_results),
        .offset = (uint32_t)config->offset,
        .similarity_threshold = config->similarity_threshold,
        .diversity = config->diversity,
        .highlight = config->highlight,
        .explain = config->explain,
        .require_complete = config->require_complete,
        .no_expand = !config->expand,
        .merge = config->merge,
        .per_document = (uint32_t)config->per_document,
        .facets = body->has_facets,
        .facet_fields = body->facets.fields.items,
        .facet_fields_count = body->facets.fields.count,
        .facet_values = body->has_facets ? (uint32_t)body->facets.values : 0,
    };

    if (state == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    *state = (struct search_state){
        .query = body->query, .explain = config->explain, .highlight = config->highlight};
    x->state = state;
    if (!asker_filters(x, body->filters, &query.filters))
        return;
    x->audit.filters = query.filters;
    meter_query(x->role->name, x->caller.department);
    if (flight_search(x, &state->seat, &query, &question))
        return;
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_SEARCH_QUERY,
                         .kind = SH_RPC_READ,
                         .desc = question.len > 0 ? NULL : search_query_desc(),
                         .msg = &query,
                         .raw = question,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_results,
                     });
}

/* False: answered. */
static bool check_facets(struct exchange *x, const struct search_facets *facets)
{
    for (size_t i = 0; i < facets->fields.count; i++) {
        if (facets->fields.items[i].len > 0 && facets->fields.items[i].len <= FACET_BYTES)
            continue;
        exchange_invalid(x, "facets.fields",
                         "facets.fields must be names of 1 to %d bytes", FACET_BYTES);
        return false;
    }
    return true;
}

void search_post(struct exchange *x, void *arg)
{
    struct search_body *body = arg;

    if (check_query(x, &body->query) && check_facets(x, &body->facets) &&
        asker_identify(x, body->has_user ? &body->user : NULL))
        ask(x, body);
}

/* --- GET: the same for a person --------------------------------------------------- */

/* False: answered, or out of memory. */
static bool read_query(struct exchange *x, struct sh_bytes *query)
{
    if (!exchange_query_text(x, "q", QUERY_BYTES, query))
        return false;
    if (query->len == 0 && !exchange_query_text(x, "query", QUERY_BYTES, query))
        return false;
    return check_query(x, query);
}

/* Copy the text parameter to the filters when it is there. False: answered. */
static bool filter_text(struct exchange *x, const char *name)
{
    struct sh_bytes value;

    if (!exchange_query_text(x, name, 1024, &value))
        return false;
    if (value.len == 0 ||
        json_object_set_new(x->json, name, json_stringn(value.data, value.len)) == 0)
        return true;
    exchange_fail_err(x, SH_NOMEM, NULL);
    return false;
}

/* The filters become x->json, so that they end with the exchange. False: answered. */
static bool read_filters(struct exchange *x)
{
    static const char *const texts[] = {"department", "campus", "collection",
                                        "document_id"};
    uint32_t priority = UINT32_MAX;

    if ((x->json = json_object()) == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    for (size_t i = 0; i < SH_COUNT(texts); i++)
        if (!filter_text(x, texts[i]))
            return false;
    if (!exchange_query_u32(x, "min_priority", 0, 5, &priority))
        return false;
    if (priority == UINT32_MAX ||
        json_object_set_new(x->json, "min_priority", json_integer(priority)) == 0)
        return true;
    exchange_fail_err(x, SH_NOMEM, NULL);
    return false;
}

/* False: answered. */
static bool read_mode(struct exchange *x, uint32_t *mode)
{
    struct sh_bytes text;

    if (!exchange_query_text(x, "mode", 16, &text))
        return false;
    for (uint32_t i = 0; search_modes[i] != NULL; i++)
        if (text.len == 0 || sh_bytes_is(text, search_modes[i])) {
            *mode = i;
            return true;
        }
    exchange_invalid(x, "mode", "mode must be one of: hybrid, vector, text");
    return false;
}

void search_get(struct exchange *x, void *unused)
{
    (void)unused;
    struct search_body body = {.config = {.highlight = true, .expand = true}};
    uint32_t results = DEFAULT_RESULTS, offset = 0;

    if (!read_query(x, &body.query) || !read_filters(x) ||
        !exchange_query_u32(x, "max_results", 1, INT32_MAX, &results) ||
        !exchange_query_u32(x, "offset", 0, OFFSET_MAX, &offset) ||
        !read_mode(x, &body.config.mode) || !asker_identify(x, NULL))
        return;
    body.filters = x->json;
    body.config.max_results = results;
    body.config.offset = offset;
    ask(x, &body);
}
