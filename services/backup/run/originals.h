/* originals: the files that documents were made from. They are kept once for all sets, in
 * BACKUP_DIR/.files/ab/abcd…, under the SHA-256 of what is in them: a set has a list of
 * its own, and only what is new is copied. With a public key they are encrypted, as
 * abcd….sealed, and the SHA-256 of what is on the disk stands at the end of the file; the
 * set's list is not. One thread. */
#ifndef BACKUP_ORIGINALS_H
#define BACKUP_ORIGINALS_H

#include "services/backup/run/work.h"

/* `wanted`: strings "HASH SIZE"; NULL: all that FILE_STORE has. Puts "files" into the
 * manifest's streams, and counts into "originals". Errors: as create_set(). */
SH_CHECK enum sh_err originals_save(struct work *work, int folder, const json_t *wanted,
                                    json_t *manifest);
/* Reads each file of the set's list again. *result: {"files","bytes","damaged":[…]}, the
 * caller's. Errors: SH_IO, SH_CANCELED, and those of source_read(). */
SH_CHECK enum sh_err originals_check(struct work *work, int folder,
                                     const json_t *manifest, json_t **result);
/* Puts those that FILE_STORE does not have back into it: of the set's list, or of
 * `wanted`, strings "HASH SIZE", where it is not NULL. */
SH_CHECK enum sh_err originals_restore(struct work *work, int folder,
                                       const json_t *manifest, const json_t *wanted,
                                       json_t **result);
/* What the lists of all sets name, but of those that are members of `leaving`. *names: an
 * object with a member for each hash, the caller's. The lists are not encrypted: a server
 * that cannot open its sets must know what they need, and the names of the files tell as
 * much. Errors: SH_MALFORMED, SH_NOTFOUND, SH_FORBIDDEN (a list from before, that is
 * encrypted), SH_IO: a list cannot be read, so nobody knows what is not needed;
 * SH_CANCELED, SH_NOMEM. */
SH_CHECK enum sh_err originals_named(struct work *work, const json_t *leaving,
                                     json_t **names);
/* Removes the files that are not among `names`; `dry`: only counts. How many. */
uint64_t originals_sweep(struct work *work, const json_t *names, bool dry);

#endif
