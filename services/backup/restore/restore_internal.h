/* restore_internal: what the files of restore share. One thread. */
#ifndef BACKUP_RESTORE_INTERNAL_H
#define BACKUP_RESTORE_INTERNAL_H

#include "services/backup/restore/origin.h"
#include "services/backup/restore/restore.h"
#include "services/backup/restore/swap.h"

struct restoring {
    struct work *work;
    const char *id;
    int folder;
    json_t *manifest;
    struct origin origin;
    struct swap swap;
    json_t *result;
};

/* --- restore.c: every restore begins and ends so ---------------------------------- */

/* restoring_end() in every case. */
SH_CHECK enum sh_err restoring_begin(struct work *work, const struct restore_order *order,
                                     struct restoring *restoring);
/* What goes into a live database was looked at as a whole before. */
SH_CHECK enum sh_err restoring_verify(struct restoring *restoring);
/* Originals that are missing. */
SH_CHECK enum sh_err restoring_originals(struct restoring *restoring);
/* Of a database beside, "NAME_WHAT_20260131020000". */
void restoring_name(const struct restoring *restoring, const char *what,
                    char out[static 64]);
SH_CHECK enum sh_err restoring_end(struct restoring *restoring, enum sh_err err,
                                   json_t **result);

/* --- restore_mend.c --------------------------------------------------------------- */

/* Ends what journal_begin() began. */
void restoring_settle(struct work *work, struct swap *swap, enum sh_err err);

#endif
