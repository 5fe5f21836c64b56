/* load: a dump through pg_restore into a database: that of a set, or one that is made on
 * the way, of a database that was recovered. One thread. */
#ifndef BACKUP_LOAD_H
#define BACKUP_LOAD_H

#include "services/backup/tool/child.h"

struct load_from {
    int folder; /* of the set */
    const json_t *manifest;
    const char *server; /* libpq's, of a database that is dumped; NULL: the set's dump */
    uint64_t size;      /* of that database, for the progress */
};

/* Into the database that `conninfo` names, which must be empty. It is one transaction:
 * all of it or nothing. Errors: those of source_read() or dump_read(), SH_UPSTREAM
 * (pg_restore); the work has the text. */
SH_CHECK enum sh_err load_database(struct work *work, const struct load_from *from,
                                   const char *conninfo, const char *name);
/* Lets pg_restore read the set's whole archive, without a database: its table of
 * contents, and every row of it. *entries: tables whose data is in it. */
SH_CHECK enum sh_err load_list(struct work *work, int folder, const json_t *manifest,
                               size_t *entries);

/* A stream into a program's standard input; `how` says which program. Errors: those of
 * source_read(), SH_UPSTREAM (the program's end). */
SH_CHECK enum sh_err load_into(struct work *work, int folder, const json_t *stream,
                               const struct child_spec *how);
/* The known passages that were saved with it; an empty array where there are none. The
 * caller's. */
SH_CHECK enum sh_err load_golden(struct work *work, int folder, const json_t *manifest,
                                 json_t **golden);

/* Of it only what a list names (a file as pg_restore --list writes it); NULL: all. */
SH_CHECK enum sh_err load_some(struct work *work, const struct load_from *from,
                               const char *conninfo, const char *name, const char *only);
/* What is in it, written to `out` as pg_restore --list does. */
SH_CHECK enum sh_err load_contents(struct work *work, const struct load_from *from,
                                   int out);

#endif
