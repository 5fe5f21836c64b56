/* record: a set's manifest.json as a whole: written so that it is there entirely or not
 * at all, and closed by a mark that shows whether somebody or something changed it. The
 * mark is of the compact JSON with sorted keys and without the mark:
 *   "mark": {"method": "ed25519", "key": public key, "value": signature}
 *   "mark": {"method": "sha256", "value": checksum}      where there is no signing key
 * One thread. */
#ifndef BACKUP_RECORD_H
#define BACKUP_RECORD_H

#include <jansson.h>

#include "services/backup/run/work.h"

/* `seed`: BACKUP_SIGNING_KEY, or "". Puts the mark into the manifest. Errors: SH_INVALID
 * (no such key), SH_NOMEM. */
SH_CHECK enum sh_err record_mark(json_t *manifest, const char *seed);
/* Errors: SH_MALFORMED: it was changed, or is not signed, or by another key though there
 * is one; `why` is then a sentence. */
SH_CHECK enum sh_err record_check(const json_t *manifest, const char *seed,
                                  const char **why);

/* Marked, written, on the disk. Errors: SH_IO, SH_BUSY, those of record_mark(); the work
 * has the text. */
SH_CHECK enum sh_err record_write(struct work *work, int folder, json_t *manifest);
/* Read and checked; *out is the caller's. Errors: SH_NOTFOUND, SH_MALFORMED, SH_IO; the
 * work has the text. */
SH_CHECK enum sh_err record_read(struct work *work, int folder, const char *id,
                                 json_t **out);

/* SHA-256 over "NAME SIZE SHA256\n" of all files, in the manifest's order: of the whole.
 */
SH_CHECK enum sh_err record_whole(const json_t *manifest, char out[static 65]);
/* All bytes of all streams. */
uint64_t record_bytes(const json_t *manifest);

#endif
