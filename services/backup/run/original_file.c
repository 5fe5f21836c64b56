#include "services/backup/run/original_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/pipeline/seal.h"
#include "shared/mem.h"

enum { PATH = 128, PIECE = 256 * 1024 };

struct original {
    struct work *work;
    char hash[DIGEST_TEXT];
    int fd;
    bool sealed;
    struct seal seal;
    struct digest plain; /* must become `hash` */
    struct digest stored;
    size_t held_len;
    unsigned char held[SEAL_PIECE];
    unsigned char piece[SEAL_PIECE_MAX];
};

static void path_of(const char *hash, const char *suffix, char out[static PATH])
{
    (void)snprintf(out, PATH, ".files/%.2s/%.64s%s", hash, hash, suffix);
}

static const char *suffix(bool sealed)
{
    return sealed ? ".sealed" : "";
}

/* In the form that is wanted now: a set whose owner asked for encryption is not content
 * with a plain file, nor does it keep one from being opened by those without a key. */
bool original_there(struct work *work, const char *hash)
{
    char path[PATH];
    struct stat st;

    path_of(hash, suffix(work->all->backup.public_key[0] != '\0'), path);
    return fstatat(work->root, path, &st, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISREG(st.st_mode);
}

/* --- writing ---------------------------------------------------------------------- */

static enum sh_err disk_error(const struct original *original, const char *what)
{
    int code = errno;

    return work_fail(original->work, code == ENOSPC || code == EDQUOT ? SH_BUSY : SH_IO,
                     "original %.16s… cannot be %s: %s", original->hash, what,
                     strerror(code));
}

static enum sh_err write_all(const struct original *original, const void *bytes,
                             size_t len)
{
    const char *data = bytes;

    while (len > 0) {
        ssize_t n = write(original->fd, data, len);
        if (n < 0 && errno != EINTR)
            return disk_error(original, "written");
        if (n > 0) {
            data += n;
            len -= (size_t)n;
        }
    }
    return SH_OK;
}

static enum sh_err store(struct original *original, const void *bytes, size_t len)
{
    digest_add(&original->stored, (struct sh_bytes){bytes, len});
    return write_all(original, bytes, len);
}

static enum sh_err begin_seal(struct original *original)
{
    const char *hex = original->work->all->backup.public_key;
    unsigned char key[32];
    unsigned char head[SEAL_HEAD];

    original->sealed = hex[0] != '\0';
    if (!original->sealed)
        return SH_OK;
    if (!seal_key_parse(hex, key) || seal_begin(&original->seal, key, head) != SH_OK)
        return work_fail(original->work, SH_INVALID,
                         "BACKUP_PUBLIC_KEY is no public key");
    return store(original, head, sizeof(head));
}

enum sh_err original_begin(struct work *work, const char *hash, struct original **out)
{
    struct original *original = sh_alloc(sizeof(*original));
    char path[PATH];
    enum sh_err err = original ? SH_OK : SH_NOMEM;

    *out = original;
    if (original == NULL)
        return err;
    original->work = work;
    (void)snprintf(original->hash, sizeof(original->hash), "%.64s", hash);
    (void)snprintf(path, sizeof(path), ".files/%.2s", hash);
    (void)mkdirat(work->root, ".files", 0700); /* what failed, the next call tells */
    (void)mkdirat(work->root, path, 0700);
    path_of(hash, ".making", path);
    original->fd = openat(work->root, path,
                          O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (original->fd < 0)
        err = disk_error(original, "made");
    if (err == SH_OK)
        err = digest_begin(&original->plain);
    if (err == SH_OK)
        err = digest_begin(&original->stored);
    if (err == SH_OK)
        err = begin_seal(original);
    if (err != SH_OK)
        original_close(out);
    return err;
}

static enum sh_err store_piece(struct original *original, bool last)
{
    struct sh_bytes held = {original->held, original->held_len};
    size_t len = seal_piece(&original->seal, held, last, original->piece);

    original->held_len = 0;
    return store(original, original->piece, len);
}

enum sh_err original_add(struct original *original, struct sh_bytes bytes)
{
    const char *data = bytes.data;
    enum sh_err err = SH_OK;

    digest_add(&original->plain, bytes);
    if (!original->sealed)
        return write_all(original, bytes.data, bytes.len);
    while (bytes.len > 0 && err == SH_OK) {
        if (original->held_len == SEAL_PIECE)
            err = store_piece(original, false);
        size_t some = SEAL_PIECE - original->held_len;
        some = some < bytes.len ? some : bytes.len;
        memcpy(original->held + original->held_len, data, some);
        original->held_len += some;
        data += some;
        bytes.len -= some;
    }
    return err;
}

static enum sh_err end_seal(struct original *original)
{
    char hash[DIGEST_TEXT];
    enum sh_err err = original->sealed ? store_piece(original, true) : SH_OK;

    if (err != SH_OK || !original->sealed)
        return err;
    digest_end(&original->stored, hash);
    return write_all(original, hash, DIGEST_TEXT - 1);
}

enum sh_err original_keep(struct original *original)
{
    char from[PATH];
    char to[PATH];
    char hash[DIGEST_TEXT];
    enum sh_err err = end_seal(original);

    if (err != SH_OK)
        return err;
    digest_end(&original->plain, hash);
    if (strcmp(hash, original->hash) != 0)
        return work_fail(original->work, SH_MALFORMED,
                         "original %.16s… is damaged in FILE_STORE", original->hash);
    path_of(original->hash, ".making", from);
    path_of(original->hash, suffix(original->sealed), to);
    if (fsync(original->fd) != 0)
        return disk_error(original, "written");
    if (renameat(original->work->root, from, original->work->root, to) != 0)
        return disk_error(original, "put in its place");
    return SH_OK;
}

void original_close(struct original **at)
{
    struct original *original = *at;
    char path[PATH];

    *at = NULL;
    if (original == NULL)
        return;
    if (original->fd >= 0)
        (void)close(original->fd);
    path_of(original->hash, ".making", path);
    (void)unlinkat(original->work->root, path, 0); /* gone already when it was kept */
    digest_free(&original->plain);
    digest_free(&original->stored);
    sodium_memzero(original, sizeof(*original));
    sh_free(original);
}

void original_remove(struct work *work, const char *hash)
{
    char path[PATH];

    for (int sealed = 0; sealed < 2; sealed++) {
        path_of(hash, suffix(sealed != 0), path);
        (void)unlinkat(work->root, path, 0); /* one of them is there */
    }
}

/* --- reading ---------------------------------------------------------------------- */

struct reading {
    struct work *work;
    int fd;
    uint64_t left; /* without what stands at the end */
    struct digest digest;
    pack_out_fn *out;
    void *arg;
};

static enum sh_err read_exactly(struct reading *reading, void *into, size_t len)
{
    char *at = into;

    while (len > 0) {
        ssize_t n = read(reading->fd, at, len);
        if (n == 0)
            return SH_MALFORMED;
        if (n < 0 && errno != EINTR)
            return SH_IO;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
    }
    return SH_OK;
}

static enum sh_err next_piece(struct reading *reading, void *into, size_t most,
                              size_t *len)
{
    *len = reading->left < most ? (size_t)reading->left : most;
    enum sh_err err = read_exactly(reading, into, *len);

    if (err == SH_OK)
        digest_add(&reading->digest, (struct sh_bytes){into, *len});
    reading->left -= *len;
    return err == SH_OK ? work_go_on(reading->work) : err;
}

static enum sh_err read_plain(struct reading *reading, char *piece)
{
    enum sh_err err = SH_OK;
    size_t len;

    while (err == SH_OK && reading->left > 0) {
        err = next_piece(reading, piece, PIECE, &len);
        if (err == SH_OK && reading->out != NULL)
            err = reading->out(reading->arg, (struct sh_bytes){piece, len});
    }
    return err;
}

static enum sh_err open_seal(struct reading *reading, struct seal *seal)
{
    const char *hex = reading->work->all->backup.private_key;
    unsigned char head[SEAL_HEAD];
    unsigned char key[32];
    size_t len;
    enum sh_err err = next_piece(reading, head, sizeof(head), &len);

    if (err != SH_OK || len != sizeof(head))
        return SH_MALFORMED;
    if (!seal_key_parse(hex, key))
        return work_fail(reading->work, SH_FORBIDDEN,
                         "originals are encrypted: BACKUP_PRIVATE_KEY is needed");
    err = seal_open(seal, key, head);
    sodium_memzero(key, sizeof(key));
    return err == SH_FORBIDDEN
               ? work_fail(reading->work, err, "originals are encrypted for another key")
               : err;
}

static enum sh_err read_sealed(struct reading *reading, char *piece)
{
    struct seal seal;
    unsigned char *plain = sh_alloc(SEAL_PIECE);
    bool last = false;
    enum sh_err err = plain ? open_seal(reading, &seal) : SH_NOMEM;

    while (err == SH_OK && reading->left > 0) {
        size_t len = 0;
        size_t out = 0;
        err = last ? SH_MALFORMED : next_piece(reading, piece, SEAL_PIECE_MAX, &len);
        if (err == SH_OK)
            err =
                seal_open_piece(&seal, (struct sh_bytes){piece, len}, plain, &out, &last);
        if (err == SH_OK && out > 0)
            err = reading->out(reading->arg, (struct sh_bytes){plain, out});
    }
    sh_free(plain);
    return err == SH_OK && !last ? SH_MALFORMED : err;
}

static enum sh_err read_open(struct reading *reading, const char *hash, bool sealed)
{
    struct stat st;
    char is[DIGEST_TEXT];
    char must[DIGEST_TEXT] = "";
    char *piece = sh_alloc(PIECE);
    size_t end = sealed ? DIGEST_TEXT - 1 : 0;
    enum sh_err err = piece ? digest_begin(&reading->digest) : SH_NOMEM;

    if (err == SH_OK && (fstat(reading->fd, &st) != 0 || (size_t)st.st_size < end))
        err = SH_MALFORMED;
    if (err == SH_OK)
        reading->left = (uint64_t)st.st_size - end;
    if (err == SH_OK)
        err = sealed && reading->out != NULL ? read_sealed(reading, piece)
                                             : read_plain(reading, piece);
    if (err == SH_OK)
        err = read_exactly(reading, must, end);
    digest_end(&reading->digest, is);
    if (err == SH_OK && strcmp(is, sealed ? must : hash) != 0)
        err = SH_MALFORMED;
    digest_free(&reading->digest);
    sh_free(piece);
    return err;
}

enum sh_err original_read(struct work *work, const char *hash, pack_out_fn *out,
                          void *arg)
{
    struct reading reading = {.work = work, .out = out, .arg = arg, .fd = -1};
    enum sh_err err = SH_NOTFOUND;
    char path[PATH];
    bool sealed = false;

    path_of(hash, "", path);
    reading.fd = openat(work->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    if (reading.fd < 0) {
        sealed = true;
        path_of(hash, ".sealed", path);
        reading.fd = openat(work->root, path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
    }
    if (reading.fd >= 0) {
        err = read_open(&reading, hash, sealed);
        (void)close(reading.fd);
    }
    return err;
}
