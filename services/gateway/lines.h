/* lines: cuts a stream into lines within bounded memory. What is fed is kept until it is
 * taken; a line over the limit is dropped as it comes and reported once. One thread. */
#ifndef GATEWAY_LINES_H
#define GATEWAY_LINES_H

#include "shared/buffer.h"

struct lines {
    size_t max; /* bytes of a line without its end */
    struct sh_buffer buffer;
    size_t start;   /* of the next line in the buffer */
    size_t scanned; /* no line end before this */
    uint64_t number;
    bool skipping; /* inside a line that is too long */
    bool ended;
};

struct line {
    uint64_t number;      /* from 1 */
    struct sh_bytes text; /* without its end; borrowed until the next call */
    bool too_long;        /* `text` is empty then */
};

void lines_open(struct lines *lines, size_t max);
void lines_close(struct lines *lines);
/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err lines_feed(struct lines *lines, struct sh_bytes piece);
/* The stream is over: what remains is the last line. */
void lines_end(struct lines *lines);
/* False: no further line yet, or none at all after lines_end(). */
bool lines_next(struct lines *lines, struct line *out);
/* Whether a line is waiting, without taking it. */
bool lines_waiting(struct lines *lines);

#endif
