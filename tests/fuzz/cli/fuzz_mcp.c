/* What a program says to `cairn mcp`, and what a server answers to it: whatever they are,
 * each answer is one line of JSON. The first line of the input is what the server says to
 * every request, the rest comes from the program. */
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/mcp/mcp.h"
#include "cli/cairn/mcp/reader.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct world {
    struct sh_bytes said; /* by the server */
    long asked;
};

static enum api_end ask(void *arg, const struct api_request *request,
                        struct api_reply *reply)
{
    struct world *world = arg;
    if (!request->path || strlen(request->path) < 4 ||
        memcmp(request->path, "/api", 4) != 0)
        abort();
    sh_buffer_clear(&reply->body);
    sh_buffer_append(&reply->body, world->said.data, world->said.len);
    reply->status = ++world->asked % 5 == 0 ? 404 : 200;
    return world->asked % 7 == 0 ? API_UNREACHABLE : API_ANSWERED;
}

static bool write_line(void *arg, struct sh_bytes line)
{
    (void)arg;
    const char *text = line.data;
    json_t *json = json_loadb(text, line.len, 0, NULL);
    if (!json || line.len == 0 || memchr(text, '\n', line.len) != text + line.len - 1)
        abort();
    json_decref(json);
    return true;
}

static void take_lines(struct mcp *mcp, struct mcp_reader *reader, bool ended)
{
    struct sh_bytes line;
    enum mcp_line what = MCP_LINE_READ;
    while (what != MCP_LINE_NONE) {
        while (!mcp_has_room(mcp))
            (void)mcp_serve(mcp);
        what = mcp_reader_next(reader, ended, &line);
        if (what == MCP_LINE_READ)
            mcp_take(mcp, line);
        else if (what == MCP_LINE_LONG)
            mcp_refuse_long(mcp);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *end = size > 0 ? memchr(data, '\n', size) : NULL;
    size_t first = end ? (size_t)(end - data) : 0;
    struct world world = {.said = {data, first}};
    struct mcp mcp = {.ask = ask, .write = write_line, .arg = &world};
    struct mcp_reader reader = {0};
    size_t half = first + (size - first) / 2;
    if (!mcp_reader_feed(&reader, (struct sh_bytes){data + first, half - first}))
        abort();
    take_lines(&mcp, &reader, false);
    if (!mcp_reader_feed(&reader, (struct sh_bytes){data + half, size - half}))
        abort();
    take_lines(&mcp, &reader, true);
    while (mcp_serve(&mcp))
        continue;
    mcp_free(&mcp);
    mcp_reader_free(&reader);
    return 0;
}
