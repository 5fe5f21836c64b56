/* A place that is a directory. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/pipeline/digest.h"
#include "services/backup/place/post_internal.h"

enum { PIECE = 256 * 1024, NAME = 256 };

static enum sh_err failed(struct post *post, const char *name)
{
    int code = errno;
    enum sh_err err = code == ENOENT                     ? SH_NOTFOUND
                      : code == ENOSPC || code == EDQUOT ? SH_BUSY
                                                         : SH_IO;

    return work_fail(post->work, err, "the copy %.100s: %s", name, strerror(code));
}

static enum sh_err has(struct post *post, const char *name, uint64_t size, bool *there)
{
    struct stat st;

    *there = fstatat(post->root, name, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
             S_ISREG(st.st_mode) && (uint64_t)st.st_size == size;
    return SH_OK;
}

/* The folders of a name with slashes. */
static void make_folders(const struct post *post, const char *name)
{
    char part[NAME];

    for (const char *slash = strchr(name, '/'); slash != NULL;
         slash = strchr(slash + 1, '/')) {
        (void)snprintf(part, sizeof(part), "%.*s", (int)(slash - name), name);
        (void)mkdirat(post->root, part, 0700); /* what failed, open() tells */
    }
}

static enum sh_err copy(struct post *post, int from, int to, struct digest *digest)
{
    static char piece[PIECE];
    enum sh_err err = SH_OK;
    ssize_t n = 0;

    while (err == SH_OK && (n = read(from, piece, sizeof(piece))) > 0) {
        if (digest != NULL)
            digest_add(digest, (struct sh_bytes){piece, (size_t)n});
        err = post_write(post, to, piece, (size_t)n);
    }
    return err == SH_OK && n < 0 ? failed(post, "source") : err;
}

static enum sh_err put_open(struct post *post, const char *name, int fd, int to,
                            const char *sha256)
{
    struct digest digest = {0};
    char hash[DIGEST_TEXT] = "";
    enum sh_err err = digest_begin(&digest);

    if (err == SH_OK && lseek(fd, 0, SEEK_SET) != 0)
        err = failed(post, name);
    if (err == SH_OK)
        err = copy(post, fd, to, &digest);
    if (err == SH_OK)
        digest_end(&digest, hash);
    digest_free(&digest);
    if (err == SH_OK && strcmp(hash, sha256) != 0)
        err = work_fail(post->work, SH_MALFORMED, "%.100s is not what was written", name);
    if (err == SH_OK && fsync(to) != 0)
        err = failed(post, name);
    return err;
}

static enum sh_err put(struct post *post, const char *name, int fd, uint64_t size,
                       const char *sha256)
{
    char aside[NAME];
    enum sh_err err;

    (void)size;
    make_folders(post, name);
    (void)snprintf(aside, sizeof(aside), "%.240s.copying", name);
    int to = openat(post->root, aside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (to < 0)
        return failed(post, name);
    err = put_open(post, name, fd, to, sha256);
    (void)close(to);
    if (err == SH_OK &&
        (renameat(post->root, aside, post->root, name) != 0 || fsync(post->root) != 0))
        err = failed(post, name);
    if (err != SH_OK)
        (void)unlinkat(post->root, aside, 0);
    return err;
}

static enum sh_err get(struct post *post, const char *name, int fd)
{
    int from = openat(post->root, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    enum sh_err err;

    if (from < 0)
        return failed(post, name);
    err = copy(post, from, fd, NULL);
    (void)close(from);
    return err;
}

static enum sh_err list_shard(struct post *post, const char *folder, const char *shard,
                              post_each_fn *each, void *arg)
{
    char path[NAME];
    struct stat st;
    const struct dirent *entry;
    enum sh_err err = SH_OK;

    (void)snprintf(path, sizeof(path), "%.64s/%.64s", folder, shard);
    int fd = openat(post->root, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;
    while (directory != NULL && err == SH_OK && (entry = readdir(directory)) != NULL) {
        if (fstatat(fd, entry->d_name, &st, AT_SYMLINK_NOFOLLOW) != 0 ||
            !S_ISREG(st.st_mode))
            continue;
        (void)snprintf(path, sizeof(path), "%.64s/%.128s", shard, entry->d_name);
        err = each(arg, path, (uint64_t)st.st_size);
    }
    if (directory != NULL)
        (void)closedir(directory);
    else if (fd >= 0)
        (void)close(fd);
    return err;
}

static enum sh_err list(struct post *post, const char *folder, post_each_fn *each,
                        void *arg)
{
    const struct dirent *entry;
    enum sh_err err = SH_OK;
    int fd = openat(post->root, folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = fd >= 0 ? fdopendir(fd) : NULL;

    if (directory == NULL && fd >= 0)
        (void)close(fd);
    while (directory != NULL && err == SH_OK && (entry = readdir(directory)) != NULL)
        if (entry->d_name[0] != '.')
            err = list_shard(post, folder, entry->d_name, each, arg);
    if (directory != NULL)
        (void)closedir(directory);
    return err; /* no folder, no files */
}

static void close_dir(struct post *post)
{
    if (post->root >= 0)
        (void)close(post->root);
}

static const struct post_kind kind = {has, put, get, list, NULL, close_dir};

enum sh_err post_open_dir(struct post *post, const char *path)
{
    post->kind = &kind;
    if (path[0] != '/')
        return work_fail(post->work, SH_INVALID,
                         "a place is s3://BUCKET/PREFIX or /DIRECTORY, not %.100s", path);
    if (mkdir(path, 0700) != 0 && errno != EEXIST)
        return failed(post, path);
    post->root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return post->root >= 0 ? SH_OK : failed(post, path);
}
