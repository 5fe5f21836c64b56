/* origin: where the rows of a restore come from: the dump of a full set, or the database
 * of a private server that recovers a physical one to a moment. That is dumped on the
 * way: no data directory changes hands, so the server that gets the rows may be anywhere.
 * One thread. */
#ifndef BACKUP_ORIGIN_H
#define BACKUP_ORIGIN_H

#include "services/backup/physical/recovered.h"
#include "services/backup/restore/load.h"

struct origin {
    struct load_from from;
    json_t *facts;  /* what was counted there, and must be found afterwards */
    json_t *golden; /* passages that must be, too */
    json_t *files;  /* originals that its documents refer to; NULL: the set's list */
    struct recovered *recovered; /* NULL: the set has a dump */
    char conninfo[BACKUP_PATH];  /* of the recovered database */
};

/* What can be seen beforehand. `folder` and `manifest` must stay; `until` as until.h, of
 * a physical set alone, "": all that is stored of the log. origin_close() in every case.
 * Errors: SH_INVALID, and those of recovered_choose(). */
SH_CHECK enum sh_err origin_open(struct work *work, int folder, const json_t *manifest,
                                 const char *until, struct origin *out);
/* Rows can be read from it afterwards. A physical set is recovered here, and `result`
 * gets "recovered" and what else recovered_start() tells. Errors: SH_MALFORMED (the set
 * is not good), those of recovered_start() and load_golden(). */
SH_CHECK enum sh_err origin_fill(struct work *work, struct origin *origin,
                                 json_t *result);
/* The rows were read: the server ends, and what was made for it is removed. What is known
 * of it stays. */
void origin_stop(struct origin *origin);
void origin_close(struct origin *origin);

#endif
