/* stored: FILE_STORE, a directory or S3, as a run uses it: each call waits. One thread.
 */
#ifndef BACKUP_STORED_H
#define BACKUP_STORED_H

#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"

struct stored;

/* Errors: SH_INVALID, SH_IO, SH_NOMEM; the work has the text. */
SH_CHECK enum sh_err stored_open(struct work *work, struct stored **out);
void stored_close(struct stored **at);
/* All of one file. Errors: SH_NOTFOUND (no text), SH_IO, SH_UNAVAILABLE, those of `out`.
 */
SH_CHECK enum sh_err stored_read(struct stored *stored, const char *hash,
                                 pack_out_fn *out, void *arg);
SH_CHECK enum sh_err stored_has(struct stored *stored, const char *hash, bool *there);
/* "HASH SIZE" strings of all there is; the caller's. */
SH_CHECK enum sh_err stored_list(struct stored *stored, json_t **out);
/* Writing one file: begin, add…, keep. SH_MALFORMED: it is not what its name says. */
SH_CHECK enum sh_err stored_begin(struct stored *stored);
SH_CHECK enum sh_err stored_add(struct stored *stored, struct sh_bytes bytes);
SH_CHECK enum sh_err stored_keep(struct stored *stored, const char *hash);

#endif
