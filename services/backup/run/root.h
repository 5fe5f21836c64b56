/* root: the backup directory itself. Whoever changes something there holds its lock, so
 * there is one run at a time whatever started it; a lock ends with its process. Names
 * with a dot in front are no sets: .making-ID is being written, .gone-ID being removed,
 * .files has the originals, .lock and .log what they say. One thread. */
#ifndef BACKUP_ROOT_H
#define BACKUP_ROOT_H

#include "services/backup/run/work.h"

/* Made if need be. Errors: SH_IO; the work has the text. */
SH_CHECK enum sh_err root_open(struct work *work);
/* Errors: SH_CONFLICT: another run is under way; SH_CANCELED while one is waited for;
 * SH_IO. Clears away what a run that was killed has left. */
SH_CHECK enum sh_err root_lock(struct work *work);
/* A folder for a new set; *fd is the caller's. Errors: SH_IO, SH_BUSY. */
SH_CHECK enum sh_err root_make(struct work *work, const char *id, int *fd);
/* All of it is on the disk: it becomes a set. */
SH_CHECK enum sh_err root_keep(struct work *work, const char *id, int fd);
/* What was begun, or a set: it is none from the first moment on. */
SH_CHECK enum sh_err root_remove(struct work *work, const char *name);
/* "20260131T120000Z-full" and what makes it one of its kind. */
void root_name(const struct work *work, const char *kind, double now,
               char out[static BACKUP_ID]);
bool root_id_ok(const char *id);
/* A set's folder. Errors: SH_NOTFOUND, SH_IO. */
SH_CHECK enum sh_err root_set(struct work *work, const char *id, int *fd);
/* False: there is no such set in BACKUP_DIR, as far as `directory` can be read. Any
 * thread. */
bool root_may_have(const char *directory, const char *id);
/* The set's manifest, checked, which the caller lets go; `fd` as above, closed on errors.
 */
SH_CHECK enum sh_err root_manifest(struct work *work, const char *id, int *fd,
                                   json_t **manifest);
/* A line of BACKUP_DIR/.log with the time in front. */
__attribute__((format(printf, 2, 3))) void root_note(struct work *work,
                                                     const char *format, ...);

#endif
