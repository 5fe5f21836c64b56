/* bring: documents of single collections out of a set, back among those that are there.
 * In one transaction: a document of the set is added, or takes the place of the one with
 * its id, with its passages; documents that the set does not have stay as they are. Views
 * follow as after any other change. One thread. */
#ifndef BACKUP_BRING_H
#define BACKUP_BRING_H

#include "services/backup/restore/pick.h"
#include "services/backup/tool/database.h"

/* From the database `from` (pick_load() of bring_tables()) into that of `to`. *result:
 * {"collections","documents","added","replaced","passages","vectors","to_be_embedded"},
 * the caller's. Errors: SH_NOTFOUND (the set has nothing of these collections),
 * SH_UPSTREAM, SH_CANCELED; nothing is changed then. */
SH_CHECK enum sh_err bring_collections(struct work *work, PGconn *from, PGconn *to,
                                       const struct pick *collections, json_t **result);
/* What is needed for it, of what these facts have. */
void bring_tables(const json_t *facts, struct pick *out);

#endif
