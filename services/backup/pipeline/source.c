#include "services/backup/pipeline/source.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "services/backup/pipeline/digest.h"
#include "services/backup/pipeline/seal.h"
#include "shared/mem.h"

enum { PIECE = 256 * 1024 };

struct source {
    struct work *work;
    int folder;
    uint64_t done, total;
    pack_out_fn *next; /* gets the bytes of the files; NULL: nobody does */
    void *next_arg;
    struct pack *pack;
    struct seal seal;
    unsigned char private_key[32];
    bool sealed;
    bool opened; /* the head of the sealed stream was read */
    bool last;   /* its last piece was */
    unsigned char held[SEAL_PIECE_MAX];
    size_t held_len;
    unsigned char plain[SEAL_PIECE];
    char piece[PIECE];
};

/* --- files ------------------------------------------------------------------------ */

static bool plain_name(const char *name)
{
    return name != NULL && name[0] != '\0' && name[0] != '.' &&
           strchr(name, '/') == NULL && strlen(name) < 128;
}

static enum sh_err read_bytes(struct source *source, int fd, const char *name,
                              uint64_t size, struct digest *digest)
{
    enum sh_err err = SH_OK;
    uint64_t left = size;

    while (err == SH_OK) {
        ssize_t n = read(fd, source->piece, sizeof(source->piece));
        if (n < 0 && errno == EINTR)
            n = read(fd, source->piece, sizeof(source->piece));
        if (n < 0)
            return work_fail(source->work, SH_IO, "%s cannot be read: %s", name,
                             strerror(errno));
        if (n == 0 || (uint64_t)n > left)
            break;
        left -= (uint64_t)n;
        source->done += (uint64_t)n;
        struct sh_bytes bytes = {source->piece, (size_t)n};
        digest_add(digest, bytes);
        err = work_go_on(source->work);
        if (err == SH_OK && source->next != NULL)
            err = source->next(source->next_arg, bytes);
        work_progress(source->work, source->done, source->total);
    }
    if (err == SH_OK && left > 0)
        err = work_fail(source->work, SH_MALFORMED, "%s has not the size that it had",
                        name);
    return err;
}

static enum sh_err read_part(struct source *source, const json_t *part,
                             struct digest *digest)
{
    const char *name = json_string_value(json_object_get(part, "name"));
    const char *sha256 = json_string_value(json_object_get(part, "sha256"));
    json_int_t size = json_integer_value(json_object_get(part, "size"));
    char hash[DIGEST_TEXT];
    struct stat st;
    enum sh_err err;

    if (!plain_name(name) || sha256 == NULL || size < 0)
        return work_fail(source->work, SH_MALFORMED, "the manifest names no files");
    int fd = openat(source->folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return work_fail(source->work, errno == ENOENT ? SH_NOTFOUND : SH_IO, "%s: %s",
                         name, strerror(errno));
    err = fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_size == size
              ? digest_begin(digest)
              : work_fail(source->work, SH_MALFORMED, "%s has not the size that it had",
                          name);
    if (err == SH_OK)
        err = read_bytes(source, fd, name, (uint64_t)size, digest);
    (void)close(fd);
    if (err != SH_OK)
        return err;
    digest_end(digest, hash);
    if (strcmp(hash, sha256) != 0)
        return work_fail(source->work, SH_MALFORMED, "%s is not what was written", name);
    return SH_OK;
}

static enum sh_err read_parts(struct source *source, const json_t *stream)
{
    const json_t *parts = json_object_get(stream, "parts");
    struct digest digest = {0};
    enum sh_err err = SH_OK;

    if (!json_is_array(parts))
        return work_fail(source->work, SH_MALFORMED, "the manifest names no files");
    source->total = (uint64_t)json_integer_value(json_object_get(stream, "bytes"));
    for (size_t i = 0; i < json_array_size(parts) && err == SH_OK; i++)
        err = read_part(source, json_array_get(parts, i), &digest);
    digest_free(&digest);
    return err;
}

/* --- unsealing -------------------------------------------------------------------- */

static enum sh_err open_head(struct source *source)
{
    enum sh_err err = seal_open(&source->seal, source->private_key, source->held);

    if (err == SH_FORBIDDEN)
        return work_fail(source->work, err, "it is encrypted for another key");
    if (err != SH_OK)
        return work_fail(source->work, err, "an encrypted stream has no head");
    source->opened = true;
    source->held_len = 0;
    return SH_OK;
}

static enum sh_err open_piece(struct source *source)
{
    size_t len = 0;
    struct sh_bytes sealed = {source->held, source->held_len};
    enum sh_err err = source->last ? SH_MALFORMED
                                   : seal_open_piece(&source->seal, sealed, source->plain,
                                                     &len, &source->last);

    source->held_len = 0;
    if (err != SH_OK)
        return work_fail(source->work, err, "an encrypted stream was altered");
    return pack_add(source->pack, (struct sh_bytes){source->plain, len}, false);
}

static enum sh_err on_sealed(void *arg, struct sh_bytes bytes)
{
    struct source *source = arg;
    const char *data = bytes.data;
    enum sh_err err = SH_OK;

    while (bytes.len > 0 && err == SH_OK) {
        size_t whole = source->opened ? SEAL_PIECE_MAX : SEAL_HEAD;
        size_t some = whole - source->held_len;
        some = some < bytes.len ? some : bytes.len;
        memcpy(source->held + source->held_len, data, some);
        source->held_len += some;
        data += some;
        bytes.len -= some;
        if (source->held_len == whole)
            err = source->opened ? open_piece(source) : open_head(source);
    }
    return err;
}

static enum sh_err end_sealed(struct source *source)
{
    enum sh_err err = SH_OK;

    if (source->held_len > 0 && source->opened)
        err = open_piece(source);
    if (err == SH_OK && !source->last)
        err = work_fail(source->work, SH_MALFORMED, "an encrypted stream is cut off");
    return err;
}

/* --- the whole -------------------------------------------------------------------- */

static enum sh_err on_plain(void *arg, struct sh_bytes bytes)
{
    struct source *source = arg;

    return pack_add(source->pack, bytes, false);
}

static enum sh_err set_up(struct source *source, const json_t *stream, pack_out_fn *out,
                          void *arg)
{
    const char *key = source->work->all->backup.private_key;
    struct pack_options options = {.out = out, .arg = arg};

    if (!pack_method_parse(json_string_value(json_object_get(stream, "compression")),
                           &options.method))
        return work_fail(source->work, SH_MALFORMED, "the manifest names no compression");
    source->sealed = json_is_true(json_object_get(stream, "encrypted"));
    if (source->sealed && key[0] == '\0')
        return work_fail(source->work, SH_FORBIDDEN,
                         "it is encrypted: BACKUP_PRIVATE_KEY is needed");
    if (source->sealed && !seal_key_parse(key, source->private_key))
        return work_fail(source->work, SH_INVALID, "BACKUP_PRIVATE_KEY is no key");
    source->next = source->sealed ? on_sealed : on_plain;
    source->next_arg = source;
    return pack_open(&options, true, &source->pack);
}

enum sh_err source_read(struct work *work, int folder, const json_t *stream,
                        pack_out_fn *out, void *arg)
{
    struct source *source = sh_alloc(sizeof(*source));
    enum sh_err err = SH_NOMEM;

    if (source == NULL)
        return err;
    source->work = work;
    source->folder = folder;
    err = set_up(source, stream, out, arg);
    if (err == SH_OK)
        err = read_parts(source, stream);
    if (err == SH_OK && source->sealed)
        err = end_sealed(source);
    if (err == SH_OK)
        err = pack_add(source->pack, (struct sh_bytes){0}, true);
    if (err == SH_MALFORMED)
        err = work_fail(work, err, "a stream cannot be unpacked");
    pack_close(&source->pack);
    sodium_memzero(source, sizeof(*source));
    sh_free(source);
    return err;
}

enum sh_err source_check(struct work *work, int folder, const json_t *stream)
{
    struct source *source = sh_alloc(sizeof(*source));
    enum sh_err err = SH_NOMEM;

    if (source != NULL) {
        source->work = work;
        source->folder = folder;
        err = read_parts(source, stream);
    }
    sh_free(source);
    return err;
}
