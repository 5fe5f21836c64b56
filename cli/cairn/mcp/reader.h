/* reader: input, cut into lines of at most MCP_LINE_MAX bytes. */
#ifndef CAIRN_MCP_READER_H
#define CAIRN_MCP_READER_H

#include "shared/buffer.h"

enum mcp_line {
    MCP_LINE_NONE, /* more must be fed */
    MCP_LINE_READ,
    MCP_LINE_LONG /* and left out */
};

struct mcp_reader { /* {0} at first; mcp_reader_free() at the end */
    struct sh_buffer input;
    size_t at;     /* where the next line begins */
    size_t seen;   /* no line ends before this */
    bool skipping; /* what is left of a long one */
};

/* False: out of memory. */
bool mcp_reader_feed(struct mcp_reader *self, struct sh_bytes piece);
/* The next line, without its end and valid until more is fed; `ended`: nothing follows,
 * so that what has no end is a line too. */
enum mcp_line mcp_reader_next(struct mcp_reader *self, bool ended, struct sh_bytes *line);
void mcp_reader_free(struct mcp_reader *self);

#endif
