/* mcp: the Model Context Protocol, as a server that programs with language models start
 * and speak to by lines of JSON-RPC 2.0. What a tool does is a request to the HTTP API,
 * under the rights of who started it. Nothing here reads or writes by itself: command.c
 * does, tests and fuzzers stand in for it. One thread.
 *
 * Source: modelcontextprotocol.io/specification (2024-11-05, 2025-03-26, 2025-06-18). */
#ifndef CAIRN_MCP_H
#define CAIRN_MCP_H

#include <jansson.h>

#include "cli/api/api.h"
#include "shared/buffer.h"

enum {
    MCP_LINE_MAX = 1 << 20, /* bytes; longer ones are refused, and the next is read */
    MCP_DEPTH_MAX = 64,     /* of lists and objects in each other */
    MCP_BATCH_MAX = 32,
    MCP_WAITING_MAX = 16 /* requests that were read and not begun */
};

/* What JSON-RPC and the protocol call what is wrong. */
enum {
    MCP_UNREADABLE = -32700,
    MCP_INVALID = -32600,
    MCP_NO_METHOD = -32601,
    MCP_BAD_PARAMS = -32602,
    MCP_INTERNAL = -32603,
    MCP_NOT_FOUND = -32002 /* a resource */
};

/* How a request to the API ended: its reply's error says why it is not a 2xx. */
typedef enum api_end mcp_ask(void *arg, const struct api_request *request,
                             struct api_reply *reply);

struct mcp_waiting {
    json_t *message;
    size_t bytes; /* of its line */
};

struct mcp { /* the rest {0}; mcp_free() at the end */
    mcp_ask *ask;
    /* An answer, one line with its end. False: nobody reads any more. */
    bool (*write)(void *arg, struct sh_bytes line);
    void *arg;
    const char *version; /* of the protocol, as agreed; NULL before */
    struct mcp_waiting waiting[MCP_WAITING_MAX];
    size_t count;
    size_t bytes; /* of all that wait */
    struct api_reply reply;
    const json_t *running; /* the id of the request that is being served; NULL: none */
    bool cancelled;        /* that one: it gets no answer, and ask() may stop */
    bool deaf;             /* write() has failed */
};

void mcp_free(struct mcp *self);

/* A line, without its end: what it asks for waits, unless it is refused at once. ask()
 * may call it while there is room, and learns so that it is cancelled. */
void mcp_take(struct mcp *self, struct sh_bytes line);
/* A line that was longer than MCP_LINE_MAX. */
void mcp_refuse_long(struct mcp *self);
/* Whether another line may be taken: what waits is bounded. */
bool mcp_has_room(const struct mcp *self);
/* Does what has waited longest. False: nothing waits. */
bool mcp_serve(struct mcp *self);

/* --- within ----------------------------------------------------------------------- */

struct mcp_fault { /* code 0: none */
    int code;
    char text[API_ERROR_MAX];
};

__attribute__((format(printf, 3, 4))) void mcp_fail(struct mcp_fault *fault, int code,
                                                    const char *format, ...);

/* The result of a method, to be let go; NULL with `fault` set. `params` is an object or
 * NULL. */
typedef json_t *mcp_method(struct mcp *self, const json_t *params,
                           struct mcp_fault *fault);

mcp_method mcp_tools_list;
mcp_method mcp_tools_call;
mcp_method mcp_resources_list;
mcp_method mcp_resources_templates;
mcp_method mcp_resources_read;

/* What the API says, to be let go; NULL: self->reply.error says in words why not. `path`
 * is freed. */
json_t *mcp_get(struct mcp *self, struct sh_buffer *path);
/* `body` is let go. Only for questions: it may be sent twice. */
json_t *mcp_post(struct mcp *self, const char *path, json_t *body);

#endif
