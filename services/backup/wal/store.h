/* store: the log as it is kept, BACKUP_DIR/.wal/SYSTEM/: for each segment NAME.000 … from
 * the pipeline and NAME.json, its record, marked as manifests are:
 *   {"segment","system_identifier","through":"0/3000000","at": Unix seconds,
 *    "partial":false,"stream":{…}}
 * A segment that is still being written is kept as partial-a or partial-b in turn, so
 * that the one before stays whole while the next is stored; histories of timelines as
 * 00000002.history. `through` is the end of the log in it, `at` a time before which all
 * that was committed is in it or in what comes before it. The record comes last: without
 * it there is no segment. One thread. */
#ifndef BACKUP_STORE_H
#define BACKUP_STORE_H

#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"

#define STORE_ROOT ".wal"

enum { STORE_NAME = 64, STORE_PARTIALS = 2 };

struct store_piece {
    const char *name;    /* of the record: a segment, "partial-a", a history */
    const char *segment; /* what it is: a segment or a history */
    const char *system;
    uint64_t through;
    double at;
    bool partial;
};

/* The folder of a system; made if need be. *fd is the caller's. Errors: SH_NOTFOUND,
 * SH_IO, SH_INVALID (no such identifier). */
SH_CHECK enum sh_err store_open(struct work *work, const char *system, bool make,
                                int *fd);
/* All of the descriptor's file. Errors: SH_IO, SH_BUSY, SH_NOMEM; what was there under
 * the name is then still there, but for the pieces of a partial one. */
SH_CHECK enum sh_err store_put(struct work *work, int store, int from,
                               const struct store_piece *piece);
/* The record, checked; the caller's. Errors: SH_NOTFOUND, SH_MALFORMED, SH_IO. */
SH_CHECK enum sh_err store_record(struct work *work, int store, const char *name,
                                  json_t **record);
/* What was stored, as source_read(). */
SH_CHECK enum sh_err store_get(struct work *work, int store, const json_t *record,
                               pack_out_fn *out, void *arg);
/* Checksums alone. */
SH_CHECK enum sh_err store_check(struct work *work, int store, const json_t *record);
/* Record first; what is not there is no error. */
void store_remove(int store, const char *name);
/* "partial-a". */
const char *store_partial(unsigned which);

#endif
