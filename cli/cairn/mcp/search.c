/* The tool `search`. */
#include "cli/cairn/mcp/tools.h"

static const char *const modes[] = {"hybrid", "vector", "text", NULL};

static const struct mcp_argument arguments[] = {
    {"query", MCP_TEXT,
     "What to look for: a question or words. \"A phrase\" in quotes and +word must be in "
     "a result, -word must not.",
     .required = true, .least = 1, .most = 2000},
    {"mode", MCP_CHOICE,
     "By words (text), by meaning (vector), or both (hybrid, the default).",
     .choices = modes},
    {"max_results", MCP_NUMBER, "Passages, at most what the caller's role allows.",
     .least = 1, .most = 50, .fallback = 10},
    {"offset", MCP_NUMBER, "Passages to skip, for further ones.", .least = 0,
     .most = 1000},
    {"collection", MCP_TEXT, "Only of this collection.", .least = 1, .most = 200},
    {.name = "filters",
     .type = MCP_OBJECT,
     .help = "Only what they fit, as the HTTP API has them: {\"department\":\"IT\"}, "
             "with all, any, not."},
    {0}};

static json_t *body_of(const json_t *given)
{
    json_t *filters = json_deep_copy(json_object_get(given, "filters"));
    const char *collection = mcp_text(given, "collection");
    const char *mode = mcp_text(given, "mode");
    json_t *config =
        json_pack("{s:I, s:I}", "max_results",
                  (json_int_t)mcp_number(given, &mcp_search, "max_results"), "offset",
                  (json_int_t)mcp_number(given, &mcp_search, "offset"));
    if (mode)
        json_object_set_new(config, "mode", json_string(mode));
    if (!json_is_object(filters)) {
        json_decref(filters);
        filters = json_object();
    }
    if (collection && json_object_size(filters) == 0)
        json_object_set_new(filters, "collection", json_string(collection));
    else if (collection) /* both must hold, whatever the filters have */
        filters = json_pack("{s:[o, {s:s}]}", "all", filters, "collection", collection);
    return json_pack("{s:O, s:o, s:o}", "query", json_object_get(given, "query"),
                     "config", config, "filters", filters);
}

static void write_hit(struct sh_buffer *out, const json_t *hit, json_int_t number)
{
    const json_t *section = json_object_get(hit, "section_title");
    const json_t *page = json_object_get(hit, "page_number");
    sh_buffer_printf(out, "%lld. ", (long long)number);
    mcp_write(out, json_object_get(hit, "document_title"));
    if (json_string_length(section) > 0)
        sh_buffer_text(out, ": ");
    mcp_write(out, section);
    if (json_is_integer(page))
        sh_buffer_printf(out, ", page %lld", (long long)json_integer_value(page));
    sh_buffer_text(out, " (document_id ");
    mcp_write(out, json_object_get(hit, "document_id"));
    sh_buffer_text(out, ")\n");
    mcp_write(out, json_object_get(hit, "text"));
    sh_buffer_text(out, "\n\n");
}

static void write_rest(struct sh_buffer *out, const json_t *answer, json_int_t next)
{
    const json_t *degraded = json_object_get(answer, "degraded");
    json_int_t total = json_integer_value(json_object_get(answer, "total"));
    if (json_array_size(json_object_get(answer, "results")) == 0)
        sh_buffer_text(out, "Nothing was found.\n");
    else if (next < total)
        sh_buffer_printf(out, "There are %lld in all; go on with offset %lld.\n",
                         (long long)total, (long long)next);
    if (json_array_size(degraded) > 0) {
        sh_buffer_text(out, "Something was out of order, so more may be found later: ");
        mcp_write(out, degraded);
        sh_buffer_text(out, "\n");
    }
}

static bool run(struct mcp *self, const json_t *given, struct mcp_found *found)
{
    static const char *const about[] = {"total", "mode", "degraded", "expanded", NULL};
    static const char *const members[] = {
        "document_id", "document_title", "section_title", "page_number",    "text",
        "chunk_id",    "metadata",       "similarity",    "combined_score", NULL};
    json_int_t number = mcp_number(given, &mcp_search, "offset");
    json_t *answer = mcp_post(self, "/api/search", body_of(given));
    json_t *results = json_array();
    size_t i = 0;
    const json_t *hit = NULL;
    found->data = mcp_pick(answer, about);
    json_array_foreach(json_object_get(answer, "results"), i, hit)
    {
        json_array_append_new(results, mcp_pick(hit, members));
        write_hit(&found->text, hit, ++number);
    }
    json_object_set_new(found->data, "results", results);
    write_rest(&found->text, answer, number);
    json_decref(answer);
    return answer != NULL;
}

const struct mcp_tool mcp_search = {
    .name = "search",
    .title = "Search documents",
    .help = "Finds passages of the organisation's documents, the best first, with title, "
            "section and page of each and the document_id for get_document.",
    .arguments = arguments,
    .run = run};
