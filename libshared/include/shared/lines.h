/* lines: cuts a stream into lines within bounded memory. What is fed is kept until it is
 * taken; a line over the limit is dropped as it comes and reported once. One thread. */
#ifndef SHARED_LINES_H
#define SHARED_LINES_H

#include "shared/buffer.h"

struct sh_lines {
    size_t max; /* bytes of a line without its end */
    struct sh_buffer buffer;
    size_t start;   /* of the next line in the buffer */
    size_t scanned; /* no line end before this */
    uint64_t number;
    bool skipping; /* inside a line that is too long */
    bool ended;
};

struct sh_line {
    uint64_t number;      /* from 1 */
    struct sh_bytes text; /* without its end; borrowed until the next call */
    bool too_long;        /* `text` is empty then */
};

void sh_lines_open(struct sh_lines *lines, size_t max);
void sh_lines_close(struct sh_lines *lines);
/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err sh_lines_feed(struct sh_lines *lines, struct sh_bytes piece);
/* The stream is over: what remains is the last line. */
void sh_lines_end(struct sh_lines *lines);
/* False: no further line yet, or none at all after sh_lines_end(). */
bool sh_lines_next(struct sh_lines *lines, struct sh_line *out);
/* Whether a line is waiting, without taking it. */
bool sh_lines_waiting(struct sh_lines *lines);

#endif
