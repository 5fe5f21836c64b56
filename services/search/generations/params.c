/* The parameters of the jobs of generations, as JSON. */
#include <jansson.h>
#include <stdlib.h>

#include "services/search/generations/compare.h"
#include "shared/mem.h"

static bool is_query(const json_t *text)
{
    size_t len = json_string_length(text);
    return json_is_string(text) && len > 0 && len <= COMPARE_QUERY_BYTES;
}

static bool is_judged(const json_t *entry)
{
    const json_t *relevant = json_object_get(entry, "relevant");
    return is_query(json_object_get(entry, "query")) && json_is_object(relevant) &&
           json_object_size(relevant) > 0;
}

static bool all_are(const json_t *list, bool (*good)(const json_t *entry))
{
    size_t count = json_array_size(list);

    for (size_t i = 0; i < count; i++)
        if (!good(json_array_get(list, i)))
            return false;
    return count > 0 && count <= COMPARE_QUERIES_MAX;
}

static json_t *recent_queries(const struct query_vectors *recent)
{
    struct sh_bytes found[COMPARE_RECENT];
    size_t count = query_vectors_recent(recent, found, COMPARE_RECENT);
    json_t *list = json_array();

    for (size_t i = 0; i < count; i++)
        json_array_append_new(list, json_stringn(found[i].data, found[i].len));
    return list;
}

static const char *take_queries(const json_t *body, const struct query_vectors *recent,
                                json_t *out)
{
    json_t *queries = json_object_get(body, "queries");
    json_t *judged = json_object_get(body, "judged");

    if (judged != NULL && !all_are(judged, is_judged))
        return "judged must be a list of 1 to 100 objects {\"query\", \"relevant\": "
               "{document id: grade}}";
    if (queries != NULL && !all_are(queries, is_query))
        return "queries must be a list of 1 to 100 texts";
    if (judged != NULL)
        json_object_set(out, "judged", judged);
    else if (queries != NULL)
        json_object_set(out, "queries", queries);
    else
        json_object_set_new(out, "queries", recent_queries(recent));
    bool any = json_array_size(json_object_get(out, judged ? "judged" : "queries")) > 0;
    return any ? NULL : "nothing was asked lately; give queries, or judged ones";
}

char *compare_params(const struct generation_compare *request,
                     const struct query_vectors *recent, const char **why)
{
    json_t *body = request->queries.len > 0
                       ? json_loadb(request->queries.data, request->queries.len, 0, NULL)
                       : json_object();
    json_t *out = json_pack("{s:s%, s:s%}", "from", request->from.data, request->from.len,
                            "to", request->to.data, request->to.len);
    char *text = NULL;

    *why = "out of memory";
    if (request->from.len == 0 || request->to.len == 0 ||
        sh_bytes_equal(request->from, request->to))
        *why = "from and to must be the fingerprints of two generations";
    else if (!json_is_object(body))
        *why = "the queries must be a JSON object";
    else if (out != NULL && (*why = take_queries(body, recent, out)) == NULL)
        text = json_dumps(out, JSON_COMPACT);
    json_decref(body);
    json_decref(out);
    return text;
}

char *reindex_params(struct sh_bytes model, const char *fingerprint, bool activate)
{
    json_t *json = json_pack("{s:s%, s:b}", "model", model.len > 0 ? model.data : "",
                             model.len, "activate", (int)activate);
    char *text = NULL;
    char *copy = NULL;

    if (json != NULL && fingerprint != NULL)
        json_object_set_new(json, "fingerprint", json_string(fingerprint));
    if (json != NULL)
        text = json_dumps(json, JSON_COMPACT);
    if (text != NULL)
        copy = sh_strdup(text);
    free(text); /* jansson's */
    json_decref(json);
    return copy;
}
