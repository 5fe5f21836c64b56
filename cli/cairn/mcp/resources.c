/* Documents as resources: cairn://documents/ID. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <curl/curl.h>

#include "cli/cairn/mcp/tools.h"
#include "shared/mem.h"

#define SCHEME "cairn://documents/"

enum { PER_PAGE = 50, PAGE_MAX = 1000000 };

json_t *mcp_resources_templates(struct mcp *self, const json_t *params,
                                struct mcp_fault *fault)
{
    (void)self;
    (void)params;
    (void)fault;
    return json_pack("{s:[{s:s, s:s, s:s, s:s, s:s}]}", "resourceTemplates",
                     "uriTemplate", SCHEME "{id}", "name", "document", "title",
                     "A document", "description", "The text of a document, by its id.",
                     "mimeType", "text/plain");
}

/* --- resources/list --------------------------------------------------------------- */

/* The cursor is the number of a page; 0: it is none. */
static long page_of(const json_t *params)
{
    const json_t *cursor = json_object_get(params, "cursor");
    const char *text = json_string_value(cursor);
    if (!cursor)
        return 1;
    if (!text || !text[0] || strlen(text) > 7 ||
        strspn(text, "0123456789") != strlen(text))
        return 0;
    long page = strtol(text, NULL, 10);
    return page <= PAGE_MAX ? page : 0;
}

static json_t *resource_of(const json_t *document)
{
    struct sh_buffer uri = {0};
    const char *id = mcp_text(document, "id");
    sh_buffer_text(&uri, SCHEME);
    api_segment(&uri, id ? id : "");
    json_t *resource = json_pack("{s:s%, s:s, s:s}", "uri", uri.data ? uri.data : "",
                                 uri.len, "name", id ? id : "", "mimeType", "text/plain");
    json_object_set(resource, "title", json_object_get(document, "title"));
    sh_buffer_free(&uri);
    return resource;
}

json_t *mcp_resources_list(struct mcp *self, const json_t *params,
                           struct mcp_fault *fault)
{
    struct sh_buffer path = {0};
    json_t *list = json_array();
    long page = page_of(params);
    size_t i = 0;
    const json_t *document = NULL;
    if (page == 0) {
        json_decref(list);
        mcp_fail(fault, MCP_BAD_PARAMS, "cursor is none of ours");
        return NULL;
    }
    sh_buffer_printf(&path, "/api/documents?page=%ld&per_page=%d", page, PER_PAGE);
    json_t *answer = mcp_get(self, &path);
    if (!answer)
        mcp_fail(fault, MCP_INTERNAL, "%s", self->reply.error);
    json_array_foreach(json_object_get(answer, "documents"), i, document)
        json_array_append_new(list, resource_of(document));
    json_t *result = json_pack("{s:o}", "resources", list);
    if (json_is_true(json_object_get(json_object_get(answer, "pagination"), "has_next")))
        json_object_set_new(result, "nextCursor", json_sprintf("%ld", page + 1));
    if (!answer) {
        json_decref(result);
        result = NULL;
    }
    json_decref(answer);
    return result;
}

/* --- resources/read --------------------------------------------------------------- */

/* The id that the address names, to be freed by curl; NULL: it names none. */
static char *id_of(const char *uri)
{
    size_t scheme = sizeof(SCHEME) - 1;
    int len = 0;
    if (!uri || strlen(uri) > 2000 || strncmp(uri, SCHEME, scheme) != 0)
        return NULL;
    char *id = curl_easy_unescape(NULL, uri + scheme, (int)strlen(uri + scheme), &len);
    if (id && len > 0 && strlen(id) == (size_t)len)
        return id;
    curl_free(id);
    return NULL;
}

static json_t *contents_of(const json_t *uri, const json_t *document)
{
    struct sh_buffer text = {0};
    mcp_document_text(&text, document);
    json_t *contents =
        json_pack("{s:[{s:o, s:s, s:s%}]}", "contents", "uri", json_copy(sh_unconst(uri)),
                  "mimeType", "text/plain", "text", text.data ? text.data : "", text.len);
    sh_buffer_free(&text);
    return contents;
}

json_t *mcp_resources_read(struct mcp *self, const json_t *params,
                           struct mcp_fault *fault)
{
    const json_t *uri = json_object_get(params, "uri");
    struct sh_buffer path = {0};
    char *id = id_of(json_string_value(uri));
    if (!id) {
        mcp_fail(fault, MCP_BAD_PARAMS, "uri must be " SCHEME "ID");
        return NULL;
    }
    sh_buffer_text(&path, "/api/documents/");
    api_segment(&path, id);
    curl_free(id);
    json_t *document = mcp_get(self, &path);
    if (!document) {
        mcp_fail(fault, self->reply.status == 404 ? MCP_NOT_FOUND : MCP_INTERNAL, "%s",
                 self->reply.error);
        return NULL;
    }
    json_t *contents = contents_of(uri, document);
    json_decref(document);
    return contents;
}
