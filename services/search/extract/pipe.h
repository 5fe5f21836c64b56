/* pipe: what comes from cairn-extract, taken apart: frames of four bytes of length and a
 * message, `section` as often as there are any, then one `extract_end`, then nothing. The
 * child has read a stranger's file and is believed nothing: every length is bounded.
 * Pure. */
#ifndef SEARCH_EXTRACT_PIPE_H
#define SEARCH_EXTRACT_PIPE_H

#include "proto/msg.h"

struct extract_pipe {
    struct sh_arena *arena; /* what is found lives in it */
    size_t bytes_max;       /* of all frames */
    struct sh_buffer frame; /* under way, its length first */
    size_t bytes;
    struct section *sections;
    size_t count;
    size_t room;
    struct extract_end end;
    bool ended;
    enum sh_err err; /* the first one stays */
};

/* Errors, which stick: SH_MALFORMED, SH_TOOBIG, SH_NOMEM. */
SH_CHECK enum sh_err extract_pipe_feed(struct extract_pipe *pipe, struct sh_bytes bytes);
/* The pipe is closed. Errors: as above, and SH_MALFORMED where the end is missing. */
SH_CHECK enum sh_err extract_pipe_close(struct extract_pipe *pipe);
/* Not the arena. */
void extract_pipe_free(struct extract_pipe *pipe);

#endif
