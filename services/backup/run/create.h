/* create: making a set. Kinds: full (the database, the originals, the configuration),
 * physical (the server's files, and the same beside them), files, config. A run that
 * fails or is cancelled leaves nothing behind. One thread, and one that counts while the
 * dump is running. */
#ifndef BACKUP_CREATE_H
#define BACKUP_CREATE_H

#include "services/backup/run/work.h"

struct create_order {
    const char *kind;
    const char *label; /* for people */
    const char *by;    /* who asked */
    bool safety;       /* made before a restore: kept by retention like any other */
};
/* The directory is locked. *manifest is the caller's; `id` is in it. Errors: SH_INVALID
 * (no such kind), SH_UNAVAILABLE, SH_UPSTREAM, SH_IO, SH_BUSY, SH_CANCELED, SH_NOMEM; the
 * work has the text. */
SH_CHECK enum sh_err create_set(struct work *work, const struct create_order *order,
                                json_t **manifest);

#endif
