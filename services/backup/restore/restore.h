/* restore: a set's database becomes one again, of a physical set as it was at a moment.
 * Never into one that is in use: it is made beside it, compared with the manifest, and
 * then the two change names in one transaction. What was there before stays until the
 * next restore, and can be brought back. One thread. */
#ifndef BACKUP_RESTORE_H
#define BACKUP_RESTORE_H

#include "services/backup/restore/pick.h"

struct restore_order {
    const char *id;
    const char *until; /* of a physical set, as until.h; "": all that is stored */
};

/* Into a new database of that name on the server of DATABASE_URL. Errors: SH_CONFLICT (it
 * is there), SH_UNAVAILABLE, SH_UPSTREAM, SH_MALFORMED (what came out is not what was
 * saved; it is gone again), those of source_read() and of origin.h. */
SH_CHECK enum sh_err restore_database(struct work *work,
                                      const struct restore_order *order, const char *name,
                                      json_t **result);
/* Only some tables of it: see pick.h. */
SH_CHECK enum sh_err restore_tables(struct work *work, const struct restore_order *order,
                                    const char *name, const struct pick *tables,
                                    json_t **result);
/* Only documents of some collections, into the live database: see bring.h. The set is
 * verified first; originals that are missing come back too. */
SH_CHECK enum sh_err restore_collections(struct work *work,
                                         const struct restore_order *order,
                                         const struct pick *collections, json_t **result);
/* The database of DATABASE_URL: the set is verified, what is there is saved as a set
 * first. *result: {"id","previous_database","safety_backup","originals",…}; of a physical
 * set "recovered", too. */
SH_CHECK enum sh_err restore_live(struct work *work, const struct restore_order *order,
                                  json_t **result);
/* What a restore that was killed has left: the database takes connections again. Errors:
 * SH_CONFLICT: a restore is under way. */
SH_CHECK enum sh_err restore_repair(struct work *work, json_t **result);
/* The same, where the journal says that a restore was killed: before any other run. What
 * fails is said; the next run tries again. */
void restore_mend(struct work *work);
/* What was there before the last restore_live() is there again; with `redo` what that
 * restore had brought, after it was undone. *result: {"what","set","database",
 * "previous_database"}. Errors: SH_NOTFOUND: there is nothing of that kind. */
SH_CHECK enum sh_err restore_undo(struct work *work, bool redo, json_t **result);
/* Which of the two there is: {"what":"undo"|"redo"|"nothing","set"}; set: "" where it is
 * not known. Any thread; asks the database's server. */
SH_CHECK enum sh_err restore_undoable(struct work *work, json_t **result);

#endif
