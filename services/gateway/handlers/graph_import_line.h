/* graph_import_line: the lines that an import answers. */
#ifndef GATEWAY_GRAPH_IMPORT_LINE_H
#define GATEWAY_GRAPH_IMPORT_LINE_H

#include "proto/msg.h"
#include "shared/buffer.h"

struct import_tally {
    uint64_t created, replaced, unchanged, failed;
};

/* A record that is none. */
void import_line_failed(uint64_t line, enum sh_err err, const char *code,
                        const char *field, const char *error, struct sh_buffer *out);
/* One that graph did not take. */
void import_line_refused(const struct graph_refused *refused, struct sh_buffer *out);
/* A portion; it is added to the sum. */
void import_line_stored(uint64_t first, uint64_t last,
                        const struct graph_put_reply *reply, struct import_tally *tally,
                        struct sh_buffer *out);
/* The sum, but for its end. `why`: the stream could not be read to its end; or "". */
void import_line_sum(const struct import_tally *tally, const char *why,
                     struct sh_buffer *out);

#endif
