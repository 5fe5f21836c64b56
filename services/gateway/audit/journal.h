/* journal: rows on their way to PostgreSQL, one a line, in a file of AUDIT_DIR: written
 * before they are sent, gone when they are stored. As long as PostgreSQL keeps up they
 * are in memory, too, and the file is not read. What a process leaves there is taken over
 * by the next one that finds it. A journal is locked by the process that has it open.
 * Without a directory it is kept in memory and ends with the process. One thread; file
 * calls block.
 */
#ifndef GATEWAY_AUDIT_JOURNAL_H
#define GATEWAY_AUDIT_JOURNAL_H

#include <limits.h>

#include "shared/buffer.h"

struct journal_piece { /* whole lines */
    struct journal_piece *next;
    size_t from; /* before this everything is stored */
    size_t len;
    size_t room;
    char lines[];
};

struct journal { /* zeroed: closed, as after journal_close() */
    bool open;
    int fd;                      /* -1: in memory only */
    struct journal_piece *first; /* the newest lines, the oldest of them first */
    struct journal_piece *last;
    struct journal_piece *spare;
    uint64_t held; /* bytes of them that are not stored: up to `size` */
    uint64_t size;
    uint64_t loaded; /* before this everything is stored */
    uint64_t max;    /* bytes that may wait */
    char dir[PATH_MAX];
    char path[PATH_MAX + 256]; /* "": in memory */
};

/* A new one, named by the chain. The directory is made. Errors: SH_IO, SH_TOOBIG (path).
 */
SH_CHECK enum sh_err journal_open(struct journal *journal, const char *dir,
                                  const char *chain, uint64_t max);
/* One that nobody has open. Errors: SH_NOTFOUND: there is none. */
SH_CHECK enum sh_err journal_adopt(struct journal *journal, const char *dir);
/* A file without waiting lines is removed. Closed already is fine. */
void journal_close(struct journal *journal);
/* Whole lines. Errors: SH_BUSY (max is reached), SH_IO, SH_NOMEM;
 * nothing was written then. */
SH_CHECK enum sh_err journal_append(struct journal *journal, struct sh_bytes lines);
/* Adds the oldest lines that are not stored, about `max` bytes but at least one line;
 * nothing when all are. Errors: SH_IO, SH_NOMEM. */
SH_CHECK enum sh_err journal_read(const struct journal *journal, size_t max,
                                  struct sh_buffer *out);
/* The first `len` bytes of what was read are stored. */
void journal_stored(struct journal *journal, size_t len);
uint64_t journal_waiting(const struct journal *journal);
/* Put a line that cannot be stored aside, into the directory's file `rejected`. */
void journal_reject(const struct journal *journal, struct sh_bytes line);

#endif
