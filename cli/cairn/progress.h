/* progress: one line on stderr that changes in place; nothing when that is no terminal.
 * One thread at a time. */
#ifndef CAIRN_PROGRESS_H
#define CAIRN_PROGRESS_H

#include <stdbool.h>
#include <stdint.h>

struct progress { /* progress_start() before use */
    bool shown;   /* stderr is a terminal, and it is wanted */
    bool drawn;
    uint64_t begun_ms;
    uint64_t drawn_ms;
};

struct progress_figures {
    const char *what; /* "files" */
    uint64_t done;
    uint64_t failed;
    uint64_t total; /* 0: not known */
    uint64_t bytes; /* sent; 0: not told */
};

void progress_start(struct progress *self, bool wanted);
/* Draws ten times a second at most, unless `now`. */
void progress_show(struct progress *self, const struct progress_figures *figures,
                   bool now);
/* Takes the line away, so that something else can be said. */
void progress_clear(struct progress *self);

#endif
