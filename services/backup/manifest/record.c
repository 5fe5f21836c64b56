#include "services/backup/manifest/record.h"

#include <errno.h>
#include <fcntl.h>
#include <sodium.h>
#include <stdlib.h>
#include <unistd.h>

#include "services/backup/manifest/manifest.h"
#include "services/backup/pipeline/digest.h"
#include "services/backup/pipeline/seal.h"

static const char temporary[] = ".manifest.json";

/* --- the mark --------------------------------------------------------------------- */

/* What the mark is of. NULL: out of memory. jansson's. */
static char *marked_text(const json_t *manifest)
{
    json_t *bare = json_copy(sh_unconst(manifest));
    char *text = NULL;

    if (bare != NULL) {
        (void)json_object_del(bare, "mark");
        text = json_dumps(bare, JSON_COMPACT | JSON_SORT_KEYS);
    }
    json_decref(bare);
    return text;
}

static enum sh_err hash_text(const char *text, char out[static DIGEST_TEXT])
{
    struct digest digest = {0};
    enum sh_err err = digest_begin(&digest);

    if (err == SH_OK) {
        digest_add(&digest, sh_bytes_of(text));
        digest_end(&digest, out);
    }
    digest_free(&digest);
    return err;
}

static enum sh_err sign(const char *text, const char *seed, json_t **mark)
{
    unsigned char raw[32], public_key[crypto_sign_PUBLICKEYBYTES];
    unsigned char secret[crypto_sign_SECRETKEYBYTES], signature[crypto_sign_BYTES];
    char key_text[2 * sizeof(public_key) + 1], text_of[2 * sizeof(signature) + 1];

    if (!seal_key_parse(seed, raw))
        return SH_INVALID;
    (void)crypto_sign_seed_keypair(public_key, secret, raw); /* these cannot fail */
    (void)crypto_sign_detached(signature, NULL, (const unsigned char *)text, strlen(text),
                               secret);
    sodium_memzero(secret, sizeof(secret));
    sodium_memzero(raw, sizeof(raw));
    *mark = json_pack(
        "{s:s, s:s, s:s}", "method", "ed25519", "key",
        sodium_bin2hex(key_text, sizeof(key_text), public_key, sizeof(public_key)),
        "value", sodium_bin2hex(text_of, sizeof(text_of), signature, sizeof(signature)));
    return *mark != NULL ? SH_OK : SH_NOMEM;
}

enum sh_err record_mark(json_t *manifest, const char *seed)
{
    char *text = marked_text(manifest);
    json_t *mark = NULL;
    char hash[DIGEST_TEXT];
    enum sh_err err = SH_NOMEM;

    if (text != NULL && seed[0] != '\0')
        err = sign(text, seed, &mark);
    else if (text != NULL && (err = hash_text(text, hash)) == SH_OK)
        mark = json_pack("{s:s, s:s}", "method", "sha256", "value", hash);
    if (err == SH_OK && json_object_set_new(manifest, "mark", mark) != 0)
        err = SH_NOMEM;
    free(text);
    return err;
}

static const char *check_signature(const json_t *mark, const char *text, const char *seed)
{
    const char *value = json_string_value(json_object_get(mark, "value"));
    const char *key = json_string_value(json_object_get(mark, "key"));
    unsigned char public_key[32], own[32], secret[crypto_sign_SECRETKEYBYTES];
    unsigned char raw[32], signature[crypto_sign_BYTES];
    size_t len = 0;

    if (key == NULL || value == NULL || !seal_key_parse(key, public_key) ||
        sodium_hex2bin(signature, sizeof(signature), value, strlen(value), NULL, &len,
                       NULL) != 0 ||
        len != sizeof(signature))
        return "its signature cannot be read";
    if (seed[0] != '\0' && seal_key_parse(seed, raw)) {
        (void)crypto_sign_seed_keypair(own, secret, raw);
        sodium_memzero(secret, sizeof(secret));
        if (sodium_memcmp(own, public_key, sizeof(own)) != 0)
            return "it is signed by another key";
    }
    return crypto_sign_verify_detached(signature, (const unsigned char *)text,
                                       strlen(text), public_key) == 0
               ? NULL
               : "its signature does not fit: it was changed";
}

enum sh_err record_check(const json_t *manifest, const char *seed, const char **why)
{
    const json_t *mark = json_object_get(manifest, "mark");
    const char *method = json_string_value(json_object_get(mark, "method"));
    const char *value = json_string_value(json_object_get(mark, "value"));
    char *text = marked_text(manifest);
    char hash[DIGEST_TEXT];

    *why = NULL;
    if (text == NULL)
        *why = "out of memory";
    else if (method == NULL || value == NULL)
        *why = "it has no mark";
    else if (strcmp(method, "ed25519") == 0)
        *why = check_signature(mark, text, seed);
    else if (seed[0] != '\0')
        *why = "it is not signed";
    else if (strcmp(method, "sha256") != 0 || hash_text(text, hash) != SH_OK ||
             strcmp(hash, value) != 0)
        *why = "its checksum does not fit: it was changed";
    free(text);
    return *why == NULL ? SH_OK : SH_MALFORMED;
}

/* --- on the disk ------------------------------------------------------------------ */

static bool write_text(int folder, const char *text)
{
    int fd = openat(folder, temporary,
                    O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    size_t len = strlen(text);
    bool good = fd >= 0;

    while (good && len > 0) {
        ssize_t n = write(fd, text, len);
        if (n > 0) {
            text += n;
            len -= (size_t)n;
        }
        good = n > 0 || (n < 0 && errno == EINTR);
    }
    good = good && fsync(fd) == 0;
    if (fd >= 0 && close(fd) != 0)
        good = false;
    good = good && renameat(folder, temporary, folder, "manifest.json") == 0;
    return good && fsync(folder) == 0;
}

enum sh_err record_write(struct work *work, int folder, json_t *manifest)
{
    enum sh_err err = record_mark(manifest, work->all->backup.signing_key);
    char *text = err == SH_OK ? json_dumps(manifest, JSON_INDENT(2)) : NULL;

    if (err == SH_INVALID)
        return work_fail(work, err, "BACKUP_SIGNING_KEY is not 64 digits of hex");
    if (text == NULL)
        return SH_NOMEM;
    if (strlen(text) > MANIFEST_BYTES_MAX) {
        err = work_fail(work, SH_TOOBIG, "the manifest is too large");
    } else if (!write_text(folder, text)) {
        int code = errno;
        (void)unlinkat(folder, temporary, 0);
        err = work_fail(work, code == ENOSPC || code == EDQUOT ? SH_BUSY : SH_IO,
                        "the manifest cannot be written: %s", strerror(code));
    }
    free(text);
    return err;
}

static enum sh_err check_read(struct work *work, const char *id, const json_t *manifest)
{
    const char *own = json_string_value(json_object_get(manifest, "id"));
    const char *why = NULL;

    if (own == NULL || strcmp(own, id) != 0)
        return work_fail(work, SH_MALFORMED, "the manifest of %s is another one's", id);
    if (record_check(manifest, work->all->backup.signing_key, &why) != SH_OK)
        return work_fail(work, SH_MALFORMED, "the manifest of %s: %s", id, why);
    return SH_OK;
}

enum sh_err record_read(struct work *work, int folder, const char *id, json_t **out)
{
    int fd =
        openat(folder, "manifest.json", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    json_error_t error;
    enum sh_err err;

    *out = NULL;
    if (fd < 0)
        return work_fail(work, errno == ENOENT ? SH_NOTFOUND : SH_IO,
                         "%s has no manifest: %s", id, strerror(errno));
    off_t size = lseek(fd, 0, SEEK_END);
    if (size >= 0 && size <= MANIFEST_BYTES_MAX && lseek(fd, 0, SEEK_SET) == 0)
        *out = json_loadfd(fd, JSON_REJECT_DUPLICATES, &error);
    (void)close(fd);
    if (*out == NULL)
        return work_fail(work, SH_MALFORMED, "the manifest of %s cannot be read", id);
    err = check_read(work, id, *out);
    if (err != SH_OK) {
        json_decref(*out);
        *out = NULL;
    }
    return err;
}

/* --- of the whole ----------------------------------------------------------------- */

static void add_parts(struct digest *digest, const json_t *stream)
{
    const json_t *parts = json_object_get(stream, "parts");

    for (size_t i = 0; i < json_array_size(parts); i++) {
        const json_t *part = json_array_get(parts, i);
        const char *name = json_string_value(json_object_get(part, "name"));
        const char *hash = json_string_value(json_object_get(part, "sha256"));
        char line[256];
        int len = snprintf(line, sizeof(line), "%s %lld %s\n", name ? name : "",
                           (long long)json_integer_value(json_object_get(part, "size")),
                           hash ? hash : "");
        digest_add(digest, (struct sh_bytes){
                               line, (size_t)(len < (int)sizeof(line) ? len : 255)});
    }
}

enum sh_err record_whole(const json_t *manifest, char out[static DIGEST_TEXT])
{
    json_t *streams = json_object_get(manifest, "streams");
    struct digest digest = {0};
    const char *name;
    json_t *stream;
    enum sh_err err = digest_begin(&digest);

    if (err == SH_OK) {
        json_object_foreach(streams, name, stream) add_parts(&digest, stream);
        digest_end(&digest, out);
    }
    digest_free(&digest);
    return err;
}

uint64_t record_bytes(const json_t *manifest)
{
    json_t *streams = json_object_get(manifest, "streams");
    uint64_t bytes = 0;
    const char *name;
    json_t *stream;

    json_object_foreach(streams, name, stream) bytes +=
        (uint64_t)json_integer_value(json_object_get(stream, "bytes"));
    return bytes;
}
