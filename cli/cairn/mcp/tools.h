/* tools: what a model may call, as tables: from a row come the description, the check of
 * what is given, and the call. */
#ifndef CAIRN_MCP_TOOLS_H
#define CAIRN_MCP_TOOLS_H

#include "cli/cairn/mcp/mcp.h"

enum mcp_type { MCP_TEXT, MCP_NUMBER, MCP_CHOICE, MCP_OBJECT };

struct mcp_argument {
    const char *name;
    enum mcp_type type;
    const char *help;
    bool required;
    long least; /* characters of a text, or the number */
    long most;
    long fallback;              /* of a number */
    const char *const *choices; /* ended by NULL */
};

/* What a tool found: for programs, and in words. */
struct mcp_found {
    json_t *data;
    struct sh_buffer text;
};

struct mcp_tool {
    const char *name;
    const char *title;
    const char *help;
    const struct mcp_argument *arguments; /* ends with {0} */
    /* `given` is an object that was checked. False: self->reply.error says why. */
    bool (*run)(struct mcp *self, const json_t *given, struct mcp_found *found);
};

extern const struct mcp_tool mcp_search;
extern const struct mcp_tool mcp_get_document;
extern const struct mcp_tool mcp_define_term;
extern const struct mcp_tool mcp_graph_neighbors;

/* JSON Schema of the arguments. */
json_t *mcp_describe(const struct mcp_argument *arguments);
bool mcp_check(const struct mcp_argument *arguments, const json_t *given,
               struct mcp_fault *fault);

/* NULL when it was not given. */
const char *mcp_text(const json_t *given, const char *name);
/* Of a number that the tool's table has. */
long mcp_number(const json_t *given, const struct mcp_tool *tool, const char *name);

/* An object with those members (names end with NULL) that `from` has. */
json_t *mcp_pick(const json_t *from, const char *const *names);
/* A value's text, as JSON when it is none; nothing when it is NULL or null. */
void mcp_write(struct sh_buffer *out, const json_t *value);

/* A document as text: its title, and titles and texts of its sections. */
void mcp_document_text(struct sh_buffer *out, const json_t *document);

#endif
