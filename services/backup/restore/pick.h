/* pick: some tables of a set, in a database of their own. It has the whole schema, so
 * that types, functions and indexes are there; rows only of the tables that were named,
 * and none of the keys by which those refer to others. One thread. */
#ifndef BACKUP_PICK_H
#define BACKUP_PICK_H

#include "services/backup/run/work.h"

enum { PICK_MOST = 16 };

struct pick {
    const char *names[PICK_MOST]; /* "chunks", "public.chunks" */
    size_t count;
};

/* Into the empty database `name` on the server of `conninfo`; `origin` was filled.
 * *result: {"tables":
 * {"public.chunks": rows}, "foreign_keys_left_out": [names]}, the caller's. Errors:
 * SH_NOTFOUND (the set has no such table), SH_MALFORMED (other rows than were saved),
 * those of load_some(). */
struct origin;
SH_CHECK enum sh_err pick_load(struct work *work, const struct origin *origin,
                               const char *conninfo, const char *name,
                               const struct pick *pick, json_t **result);

#endif
