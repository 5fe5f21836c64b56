/* extract_child: cairn-extract at work on one file: a process that may do nothing but
 * compute. It is watched: what takes more memory or time than it may is killed. What it
 * writes is handed on piece by piece. Loop thread only. */
#ifndef SEARCH_EXTRACT_CHILD_H
#define SEARCH_EXTRACT_CHILD_H

#include <uv.h>

#include "shared/bytes.h"
#include "shared/err.h"

struct extract_child;

/* Why it was killed: the first reason. */
enum extract_killed {
    EXTRACT_NOT_KILLED,
    EXTRACT_CANCELED,
    EXTRACT_TIMED_OUT,
    EXTRACT_OVER_MEMORY,
    EXTRACT_NONSENSE, /* what it wrote, or it could not be started */
};

struct extract_exit {
    enum extract_killed killed;
    int64_t status;
    int signal;
};

struct extract_child_events {
    /* Borrowed. Not while it is held, and not once it was killed. */
    void (*piece)(void *arg, struct sh_bytes piece);
    /* It is dead and all that it wrote was read; the child is gone when this returns. */
    void (*ended)(void *arg, const struct extract_exit *exit);
};

struct extract_child_order {
    const char *program; /* extract_find_program()'s */
    const char *name;    /* of the file; may be "" */
    const char *type;    /* as declared */
    int fd;              /* the file; the caller's, open until the child has ended */
    uint32_t pages;
    uint32_t characters;
    uint32_t nesting;
    uint32_t ratio; /* of expansion */
    uint32_t memory_mb;
    uint32_t cpu_s;
    uint32_t wall_s; /* 0: as long as whoever reads it takes */
};

/* cairn-extract: the one given, or (empty) the one in the folder of the program that
 * runs. Errors: SH_INVALID, SH_IO and others of the system. */
SH_CHECK enum sh_err extract_find_program(const char *given, char out[static PATH_MAX]);

/* No event comes from inside any of these. Errors: SH_NOMEM. */
SH_CHECK enum sh_err extract_child_open(uv_loop_t *loop,
                                        const struct extract_child_events *events,
                                        void *arg, struct extract_child **out);
/* Once, and not after a kill. Errors: those of starting a process; it is to be killed or
 * closed then. */
SH_CHECK enum sh_err extract_child_run(struct extract_child *self,
                                       const struct extract_child_order *order);
/* Held, it is not read, so it stops when its pipe is full. Its end comes only when it is
 * let go. */
void extract_child_hold(struct extract_child *self, bool held);
/* Its end comes soon, also when it never ran. */
void extract_child_kill(struct extract_child *self, enum extract_killed why);
/* It is killed, and no event comes any more. *child becomes NULL; NULL is fine. */
void extract_child_close(struct extract_child **child);

#endif
