/* The two kinds of place; see post.h. */
#ifndef BACKUP_POST_INTERNAL_H
#define BACKUP_POST_INTERNAL_H

#include "services/backup/place/post.h"

typedef enum sh_err post_each_fn(void *arg, const char *name, uint64_t size);

struct post_kind {
    enum sh_err (*has)(struct post *post, const char *name, uint64_t size, bool *there);
    enum sh_err (*put)(struct post *post, const char *name, int fd, uint64_t size,
                       const char *sha256);
    enum sh_err (*get)(struct post *post, const char *name, int fd);
    enum sh_err (*list)(struct post *post, const char *folder, post_each_fn *each,
                        void *arg);
    enum sh_err (*sweep)(struct post *post); /* NULL: nothing is ever left */
    void (*close)(struct post *post);
};

struct post {
    struct work *work;
    const struct post_kind *kind;
    int root; /* of a directory */
    struct sh_s3 *s3;
    struct sh_s3_place place;
    struct sh_s3_call *call; /* of S3, under way */
    bool answered;
    struct sh_s3_reply reply;
    char why[160]; /* of the reply */
    int to;        /* get: where the bytes go */
    enum sh_err written;
    void (*take)(void *arg, const struct sh_s3_reply *reply);
    void *take_arg;
    post_each_fn *each;
    void *each_arg;
    const char *folder;
    char after[SH_S3_KEY_MAX + 1];
};

SH_CHECK enum sh_err post_open_dir(struct post *post, const char *path);
SH_CHECK enum sh_err post_open_s3(struct post *post, const char *url);
/* All of it. SH_IO, SH_BUSY: no room. */
SH_CHECK enum sh_err post_write(struct post *post, int fd, const void *bytes, size_t len);

#endif
