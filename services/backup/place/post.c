#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/place/post_internal.h"
#include "shared/mem.h"

enum sh_err post_open(struct work *work, const char *place, struct post **out)
{
    struct post *post = sh_alloc(sizeof(*post));
    enum sh_err err = SH_NOMEM;

    *out = post;
    if (post == NULL)
        return err;
    post->work = work;
    post->root = -1;
    err = strncmp(place, "s3://", 5) == 0 ? post_open_s3(post, place)
                                          : post_open_dir(post, place);
    if (err != SH_OK)
        post_close(out);
    return err;
}

void post_close(struct post **at)
{
    struct post *post = *at;

    *at = NULL;
    if (post == NULL)
        return;
    if (post->kind != NULL)
        post->kind->close(post);
    sh_free(post);
}

enum sh_err post_has(struct post *post, const char *name, uint64_t size, bool *there)
{
    *there = false;
    return post->kind->has(post, name, size, there);
}

enum sh_err post_put(struct post *post, const char *name, int fd, uint64_t size,
                     const char *sha256)
{
    return post->kind->put(post, name, fd, size, sha256);
}

enum sh_err post_get(struct post *post, const char *name, int fd)
{
    return post->kind->get(post, name, fd);
}

enum sh_err post_list(struct post *post, const char *folder, post_each_fn *each,
                      void *arg)
{
    return post->kind->list(post, folder, each, arg);
}

enum sh_err post_sweep(struct post *post)
{
    return post->kind->sweep != NULL ? post->kind->sweep(post) : SH_OK;
}

enum sh_err post_write(struct post *post, int fd, const void *bytes, size_t len)
{
    const char *data = bytes;

    while (len > 0) {
        ssize_t n = write(fd, data, len);
        if (n < 0 && errno != EINTR) {
            int code = errno;
            return work_fail(post->work,
                             code == ENOSPC || code == EDQUOT ? SH_BUSY : SH_IO,
                             "a copy cannot be written: %s", strerror(code));
        }
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return work_go_on(post->work);
}
