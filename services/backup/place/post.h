/* post: a place as files by name ("ID/database.000"), whatever it is. One thread. */
#ifndef BACKUP_POST_H
#define BACKUP_POST_H

#include "services/backup/run/work.h"

struct post;

/* "/directory" or "s3://bucket/prefix". Errors: SH_INVALID, SH_IO, SH_NOMEM; the work has
 * the text. */
SH_CHECK enum sh_err post_open(struct work *work, const char *place, struct post **out);
void post_close(struct post **at);
/* A file of this size is there. */
SH_CHECK enum sh_err post_has(struct post *post, const char *name, uint64_t size,
                              bool *there);
/* From the descriptor's beginning; in its place only when all of it is there and has
 * this checksum. Errors: SH_MALFORMED: it has not; SH_IO, SH_BUSY, SH_UNAVAILABLE … */
SH_CHECK enum sh_err post_put(struct post *post, const char *name, int fd, uint64_t size,
                              const char *sha256);
/* Written to the descriptor. Errors: SH_NOTFOUND … */
SH_CHECK enum sh_err post_get(struct post *post, const char *name, int fd);
/* Names below `folder`, "ab/abcd…" of ".files", to `each`. */
SH_CHECK enum sh_err
post_list(struct post *post, const char *folder,
          enum sh_err (*each)(void *arg, const char *name, uint64_t size), void *arg);

/* What runs before this one began to send and nobody goes on with is removed. */
SH_CHECK enum sh_err post_sweep(struct post *post);

#endif
