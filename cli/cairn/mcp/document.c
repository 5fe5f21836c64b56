/* The tool `get_document`. */
#include "cli/cairn/mcp/tools.h"

static const struct mcp_argument arguments[] = {
    {"id", MCP_TEXT, "The document_id, as search gives it.", .required = true, .least = 1,
     .most = 500},
    {"offset", MCP_NUMBER,
     "Characters of its text to skip: next_offset of the piece before.", .least = 0,
     .most = 100000000},
    {"max_chars", MCP_NUMBER, "Characters of its text, at most.", .least = 100,
     .most = 200000, .fallback = 20000},
    {0}};

void mcp_document_text(struct sh_buffer *out, const json_t *document)
{
    size_t i = 0;
    const json_t *section = NULL;
    mcp_write(out, json_object_get(document, "title"));
    sh_buffer_text(out, "\n");
    json_array_foreach(json_object_get(document, "sections"), i, section)
    {
        const json_t *title = json_object_get(section, "title");
        sh_buffer_text(out, "\n");
        mcp_write(out, title);
        sh_buffer_text(out, json_string_length(title) > 0 ? "\n" : "");
        mcp_write(out, json_object_get(section, "text"));
        sh_buffer_text(out, "\n");
    }
}

/* Where the character `count` begins, counted from `at`; the end when there is none. */
static size_t characters_on(struct sh_bytes text, size_t at, size_t count)
{
    const unsigned char *data = text.data;
    while (at < text.len && count > 0) {
        at++;
        while (at < text.len && (data[at] & 0xc0) == 0x80)
            at++;
        count--;
    }
    return at;
}

static size_t characters_in(struct sh_bytes text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; at = characters_on(text, at, 1))
        count++;
    return count;
}

/* The piece that was asked for, and where the next one begins. */
static void cut(struct sh_buffer *whole, const json_t *given, struct mcp_found *found)
{
    struct sh_bytes text = sh_buffer_bytes(whole);
    size_t offset = (size_t)mcp_number(given, &mcp_get_document, "offset");
    size_t most = (size_t)mcp_number(given, &mcp_get_document, "max_chars");
    size_t total = characters_in(text);
    size_t from = characters_on(text, 0, offset);
    size_t to = characters_on(text, from, most);
    size_t next = offset + most;
    const char *data = text.data ? text.data : "";
    sh_buffer_append(&found->text, data + from, to - from);
    json_object_set_new(found->data, "text", json_stringn(data + from, to - from));
    json_object_set_new(found->data, "total_chars", json_integer((json_int_t)total));
    json_object_set_new(found->data, "next_offset",
                        to < text.len ? json_integer((json_int_t)next) : json_null());
    if (to < text.len)
        sh_buffer_printf(
            &found->text,
            "\n[This is not all: %zu characters in all; go on with offset %zu.]\n", total,
            offset + most);
}

static bool run(struct mcp *self, const json_t *given, struct mcp_found *found)
{
    static const char *const about[] = {
        "id", "title", "collection", "metadata", "created_at", "updated_at", NULL};
    struct sh_buffer path = {0};
    struct sh_buffer whole = {0};
    sh_buffer_text(&path, "/api/documents/");
    api_segment(&path, mcp_text(given, "id"));
    json_t *document = mcp_get(self, &path);
    bool good = document != NULL;
    if (good) {
        mcp_document_text(&whole, document);
        found->data = mcp_pick(document, about);
        cut(&whole, given, found);
    }
    sh_buffer_free(&whole);
    json_decref(document);
    return good;
}

const struct mcp_tool mcp_get_document = {
    .name = "get_document",
    .title = "Read a document",
    .help = "The text of a document, or a piece of a long one, by its id.",
    .arguments = arguments,
    .run = run};
