/* post_s3: what the files of a place in S3 share: each call waits for its answer. */
#ifndef BACKUP_POST_S3_H
#define BACKUP_POST_S3_H

#include "services/backup/place/post_internal.h"

typedef void post_take_fn(void *arg, const struct sh_s3_reply *reply);

/* Of the next good answer, while it lasts. */
void post_s3_take(struct post *post, post_take_fn *take, void *arg);
/* For every call; `arg` is the post. */
void post_s3_reply(void *arg, const struct sh_s3_reply *reply);
/* The end of a call that was begun so. */
SH_CHECK enum sh_err post_s3_wait(struct post *post, enum sh_err begun, const char *name);
void post_s3_key(const struct post *post, const char *name,
                 char out[static SH_S3_KEY_MAX]);

/* post_s3_parts.c */
struct post_file {
    const char *name;
    int fd;
    uint64_t size;
    const char *sha256;
};
SH_CHECK enum sh_err post_s3_put_parts(struct post *post, const struct post_file *file);
/* Uploads below the place that nobody goes on with are aborted. */
SH_CHECK enum sh_err post_s3_sweep(struct post *post);

#endif
