/* source: the reading end of what a sink wrote. Sizes and checksums are compared while
 * it is read, so that nothing damaged is taken for good; the last bytes are given before
 * the last checksum is known, and only SH_OK at the end says that all was right. One
 * thread. */
#ifndef BACKUP_SOURCE_H
#define BACKUP_SOURCE_H

#include "services/backup/pipeline/pack.h"
#include "services/backup/run/work.h"

/* Everything of a stream, as it was given to the sink. `stream` is of the manifest.
 * Errors: SH_MALFORMED (damaged), SH_NOTFOUND (a file is missing), SH_FORBIDDEN (it is
 * encrypted, and not for BACKUP_PRIVATE_KEY, or there is none), SH_IO, SH_NOMEM,
 * SH_CANCELED, and those of `out`. The work has the text. */
SH_CHECK enum sh_err source_read(struct work *work, int folder, const json_t *stream,
                                 pack_out_fn *out, void *arg);
/* Sizes and checksums alone: what can be said without a private key. */
SH_CHECK enum sh_err source_check(struct work *work, int folder, const json_t *stream);

#endif
