/* original_file: one file of BACKUP_DIR/.files: written, read again. See originals.h. One
 * thread. */
#ifndef BACKUP_ORIGINAL_FILE_H
#define BACKUP_ORIGINAL_FILE_H

#include "services/backup/pipeline/digest.h"
#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"

struct original; /* being written */

/* False: there is no such file yet. */
bool original_there(struct work *work, const char *hash);
/* Errors: SH_IO, SH_BUSY, SH_INVALID (BACKUP_PUBLIC_KEY), SH_NOMEM. */
SH_CHECK enum sh_err original_begin(struct work *work, const char *hash,
                                    struct original **out);
SH_CHECK enum sh_err original_add(struct original *original, struct sh_bytes bytes);
/* SH_MALFORMED: what was added is not what its name says. */
SH_CHECK enum sh_err original_keep(struct original *original);
/* NULL is fine; what was not kept leaves nothing. */
void original_close(struct original **at);

/* All of it; `out` NULL: it is only looked whether it is what it was. Errors:
 * SH_NOTFOUND, SH_MALFORMED, SH_IO, SH_FORBIDDEN (encrypted, and `out` wants it plain),
 * those of `out`; the work has no text of the first two. */
SH_CHECK enum sh_err original_read(struct work *work, const char *hash, pack_out_fn *out,
                                   void *arg);
/* Removes both of its forms. */
void original_remove(struct work *work, const char *hash);

#endif
