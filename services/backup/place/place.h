/* place: where sets are copied to and brought back from: a directory, or a bucket of S3.
 * A set's manifest goes last, so that half of a copy is no set; what is there already is
 * not sent again, so a copy that broke off goes on from its last whole file. One thread.
 */
#ifndef BACKUP_PLACE_H
#define BACKUP_PLACE_H

#include "services/backup/run/work.h"

/* The set and the originals to each of BACKUP_PLACES, all of which are tried. *copies:
 * [{"place","ok","sent_bytes","error"?}], the caller's; NULL: none was tried, as there is
 * no such set to be copied. Errors: that of the first place that failed; the work has the
 * text. */
SH_CHECK enum sh_err place_copy(struct work *work, const char *id, json_t **copies);
/* Into BACKUP_DIR, compared with its manifest before it counts. Errors: SH_NOTFOUND,
 * SH_CONFLICT (it is here), SH_MALFORMED, SH_UNAVAILABLE, SH_IO, SH_BUSY. */
SH_CHECK enum sh_err place_fetch(struct work *work, const char *id, const char *from,
                                 json_t **result);

#endif
