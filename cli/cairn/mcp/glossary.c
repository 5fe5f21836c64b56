/* The tool `define_term`. */
#include <stdio.h>

#include "cli/cairn/mcp/tools.h"

static const struct mcp_argument arguments[] = {
    {"term", MCP_TEXT, "The term, or how it begins, or words of its definition.",
     .required = true, .least = 1, .most = 200},
    {"language", MCP_TEXT, "Only in this language: en, fr, ...", .least = 1, .most = 35},
    {"domain", MCP_TEXT, "Only of this field.", .least = 1, .most = 200},
    {"limit", MCP_NUMBER, "Entries, at most.", .least = 1, .most = 20, .fallback = 5},
    {0}};

static void write_entry(struct sh_buffer *out, const json_t *entry)
{
    const json_t *domain = json_object_get(entry, "domain");
    mcp_write(out, json_object_get(entry, "term"));
    sh_buffer_text(out, " (");
    mcp_write(out, json_object_get(entry, "language"));
    sh_buffer_text(out, json_is_string(domain) ? ", " : "");
    mcp_write(out, domain);
    sh_buffer_text(out, ", ");
    mcp_write(out, json_object_get(entry, "status"));
    sh_buffer_text(out, "): ");
    mcp_write(out, json_object_get(entry, "definition"));
    sh_buffer_text(out, "\n");
}

static bool run(struct mcp *self, const json_t *given, struct mcp_found *found)
{
    static const char *const members[] = {
        "id",     "term",           "definition", "language", "domain",
        "status", "part_of_speech", "source",     "sense",    NULL};
    struct sh_buffer path = {0};
    char limit[24];
    size_t i = 0;
    const json_t *entry = NULL;
    (void)snprintf(limit, sizeof(limit), "%ld",
                   mcp_number(given, &mcp_define_term, "limit"));
    sh_buffer_text(&path, "/api/glossary");
    api_query(&path, "q", mcp_text(given, "term"));
    api_query(&path, "language", mcp_text(given, "language"));
    api_query(&path, "domain", mcp_text(given, "domain"));
    api_query(&path, "per_page", limit);
    json_t *answer = mcp_get(self, &path);
    json_t *entries = json_array();
    json_array_foreach(json_object_get(answer, "entries"), i, entry)
    {
        json_array_append_new(entries, mcp_pick(entry, members));
        write_entry(&found->text, entry);
    }
    if (json_array_size(entries) == 0)
        sh_buffer_text(&found->text, "The glossary does not have it.\n");
    found->data = json_pack("{s:o}", "entries", entries);
    json_decref(answer);
    return answer != NULL;
}

const struct mcp_tool mcp_define_term = {
    .name = "define_term",
    .title = "Define a term",
    .help =
        "What a term means in this organisation, by its glossary, the best entry first.",
    .arguments = arguments,
    .run = run};
