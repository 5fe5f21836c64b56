/* sets: the backup sets in a directory, read from their manifests on libuv's threads; the
 * loop never waits for a disk. A manifest that cannot be read is logged and left out. */
#ifndef BACKUP_SETS_H
#define BACKUP_SETS_H

#include <uv.h>

#include "proto/msg.h"
#include "shared/mem.h"

enum { SETS_MAX = 10000 };

struct sets { /* newest first; lives in `arena` */
    struct backup_set *list;
    size_t count;
    size_t unreadable;
    struct sh_arena arena;
};

/* Blocks: for a thread that may. A directory that does not exist has no sets. Errors:
 * SH_IO, SH_NOMEM. `sets` is to be released with sets_free() in any case. */
SH_CHECK enum sh_err sets_read(const char *directory, struct sets *sets);
void sets_free(struct sets *sets);

/* The newest full set is not verified. One that a restore made of what it replaced does
 * not count: nobody waits for its proof. */
bool sets_unproven(const struct sets *sets);

/* `sets` is borrowed until `done` returns. Exactly once, on the loop's thread. */
typedef void sets_done_fn(void *arg, enum sh_err err, const struct sets *sets);
/* `directory` must stay as long. Errors: SH_NOMEM; `done` is then never called. */
SH_CHECK enum sh_err sets_read_later(uv_loop_t *loop, const char *directory,
                                     sets_done_fn *done, void *arg);

#endif
