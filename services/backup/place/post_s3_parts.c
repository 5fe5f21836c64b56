/* A file sent to S3 in parts. What an upload that broke off has sent stays there, each
 * part with the SHA-256 that S3 has compared; so the next one, in this process or
 * another, asks what is there and sends what is not. Nothing is an object before all of
 * it is, and before it is completed S3 is asked once more what it has. Memory does not
 * grow with the file. */
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/pipeline/digest.h"
#include "services/backup/place/post_s3.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { PIECE = 256 * 1024 };

struct sending {
    struct post *post;
    const char *name;
    char key[SH_S3_KEY_MAX];
    int fd;
    uint64_t size;
    uint64_t part_size;
    unsigned count;
    char (*hashes)[DIGEST_TEXT]; /* of each part, in hex */
    struct sh_s3_part *parts;    /* as S3 has them; number 0: it has not */
    bool others;                 /* and what is not ours */
    char upload[SH_S3_UPLOAD_MAX];
};

/* --- here ------------------------------------------------------------------------- */

static uint64_t size_of_part(const struct sending *sending, unsigned at)
{
    uint64_t offset = at * sending->part_size;
    uint64_t left = sending->size - offset;

    return left < sending->part_size ? left : sending->part_size;
}

static enum sh_err hash_part(struct sending *sending, unsigned at, struct digest *whole)
{
    static char piece[PIECE];
    struct work *work = sending->post->work;
    struct digest digest = {0};
    uint64_t left = size_of_part(sending, at);
    off_t offset = (off_t)(at * sending->part_size);
    enum sh_err err = digest_begin(&digest);

    while (err == SH_OK && left > 0) {
        ssize_t n =
            pread(sending->fd, piece, left < PIECE ? (size_t)left : PIECE, offset);
        if (n <= 0) {
            err = work_fail(work, SH_IO, "%.100s cannot be read", sending->name);
            break;
        }
        digest_add(&digest, (struct sh_bytes){piece, (size_t)n});
        digest_add(whole, (struct sh_bytes){piece, (size_t)n});
        offset += n;
        left -= (uint64_t)n;
        err = work_go_on(work);
    }
    if (err == SH_OK)
        digest_end(&digest, sending->hashes[at]);
    digest_free(&digest);
    return err;
}

/* What is damaged is not sent at all. */
static enum sh_err hash_parts(struct sending *sending, const char *sha256)
{
    struct digest whole = {0};
    char hash[DIGEST_TEXT] = "";
    enum sh_err err = digest_begin(&whole);

    for (unsigned i = 0; i < sending->count && err == SH_OK; i++)
        err = hash_part(sending, i, &whole);
    if (err == SH_OK)
        digest_end(&whole, hash);
    digest_free(&whole);
    if (err == SH_OK && strcmp(hash, sha256) != 0)
        err = work_fail(sending->post->work, SH_MALFORMED,
                        "%.100s is not what was written", sending->name);
    return err;
}

/* --- there ------------------------------------------------------------------------ */

static bool same_hash(const char *hex, const char *base64)
{
    unsigned char bytes[48];
    char digits[3];

    if (strlen(base64) != 44 ||
        EVP_DecodeBlock(bytes, (const unsigned char *)base64, 44) != 33)
        return false;
    for (size_t i = 0; i < 32; i++) {
        (void)snprintf(digits, sizeof(digits), "%02x", bytes[i]);
        if (memcmp(digits, hex + 2 * i, 2) != 0)
            return false;
    }
    return true;
}

static void on_parts(void *arg, const struct sh_s3_reply *reply)
{
    struct sending *sending = arg;

    memset(sending->parts, 0, sending->count * sizeof(*sending->parts));
    sending->others = reply->more;
    for (size_t i = 0; i < reply->count; i++) {
        const struct sh_s3_part *part = &reply->parts[i];
        unsigned at = part->number - 1;
        if (at >= sending->count)
            sending->others = true;
        else if (part->size == size_of_part(sending, at) &&
                 same_hash(sending->hashes[at], part->sha256))
            sending->parts[at] = *part;
    }
}

static enum sh_err look(struct sending *sending)
{
    struct post *post = sending->post;

    post_s3_take(post, on_parts, sending);
    return post_s3_wait(post,
                        sh_s3_upload_parts(post->s3, sending->key, sending->upload,
                                           post_s3_reply, post, &post->call),
                        sending->name);
}

/* --- which upload ----------------------------------------------------------------- */

static void on_uploads(void *arg, const struct sh_s3_reply *reply)
{
    struct sending *sending = arg;

    for (size_t i = 0; i < reply->count; i++)
        if (strcmp(reply->uploads[i].key, sending->key) == 0)
            (void)snprintf(sending->upload, sizeof(sending->upload), "%s",
                           reply->uploads[i].id);
}

static enum sh_err abort_upload(struct post *post, const char *key, const char *upload)
{
    return post_s3_wait(
        post, sh_s3_upload_abort(post->s3, key, upload, post_s3_reply, post, &post->call),
        key);
}

static void on_begun(void *arg, const struct sh_s3_reply *reply)
{
    struct sending *sending = arg;

    (void)snprintf(sending->upload, sizeof(sending->upload), "%s", reply->upload);
}

static enum sh_err begin(struct sending *sending)
{
    struct post *post = sending->post;

    memset(sending->parts, 0, sending->count * sizeof(*sending->parts));
    post_s3_take(post, on_begun, sending);
    return post_s3_wait(
        post,
        sh_s3_upload_begin(post->s3, sending->key, post_s3_reply, post, &post->call),
        sending->name);
}

/* One that broke off, with what it has of this file, or a new one. */
static enum sh_err find_or_begin(struct sending *sending)
{
    struct post *post = sending->post;
    enum sh_err err;

    post_s3_take(post, on_uploads, sending);
    err = post_s3_wait(
        post, sh_s3_uploads(post->s3, sending->key, post_s3_reply, post, &post->call),
        sending->name);
    if (err == SH_OK && sending->upload[0] != '\0') {
        err = look(sending);
        if (err == SH_OK && !sending->others)
            return SH_OK;
        if (err == SH_OK)
            err = abort_upload(post, sending->key, sending->upload);
    }
    return err == SH_OK ? begin(sending) : err;
}

/* --- sending ---------------------------------------------------------------------- */

static enum sh_err send_missing(struct sending *sending)
{
    struct post *post = sending->post;
    enum sh_err err = SH_OK;

    for (unsigned i = 0; i < sending->count && err == SH_OK; i++) {
        struct sh_s3_piece piece = {.upload = sending->upload,
                                    .number = i + 1,
                                    .fd = sending->fd,
                                    .offset = i * sending->part_size,
                                    .size = size_of_part(sending, i),
                                    .sha256 = sending->hashes[i]};
        if (sending->parts[i].number == 0)
            err = post_s3_wait(post,
                               sh_s3_upload_put(post->s3, sending->key, &piece,
                                                post_s3_reply, post, &post->call),
                               sending->name);
    }
    return err;
}

static enum sh_err complete(struct sending *sending)
{
    struct post *post = sending->post;
    struct sh_s3_whole whole = {sending->upload, sending->parts, sending->count};
    enum sh_err err = look(sending);

    for (unsigned i = 0; i < sending->count && err == SH_OK; i++)
        if (sending->parts[i].number == 0 || sending->others)
            err = work_fail(post->work, SH_UPSTREAM,
                            "S3 has not what was sent of %.100s: part %u", sending->name,
                            i + 1);
    if (err != SH_OK)
        return err;
    err = post_s3_wait(post,
                       sh_s3_upload_complete(post->s3, sending->key, &whole,
                                             post_s3_reply, post, &post->call),
                       sending->name);
    if (err != SH_NOTFOUND)
        return err;
    /* a moment ago it was there: it is completed, and the answer was lost; the caller
     * looks whether there is an object */
    post->work->error[0] = '\0';
    return SH_OK;
}

enum sh_err post_s3_put_parts(struct post *post, const struct post_file *file)
{
    uint64_t part_size = (uint64_t)post->work->all->s3.part_mb << 20;
    bool there = false;

    while (file->size > part_size * SH_S3_PARTS_MAX)
        part_size *= 2;
    struct sending sending = {.post = post,
                              .name = file->name,
                              .fd = file->fd,
                              .size = file->size,
                              .part_size = part_size,
                              .count =
                                  (unsigned)((file->size + part_size - 1) / part_size)};
    post_s3_key(post, file->name, sending.key);
    sending.hashes = sh_alloc_array(sending.count, sizeof(*sending.hashes));
    sending.parts = sh_alloc_array(sending.count, sizeof(*sending.parts));
    enum sh_err err = sending.hashes && sending.parts ? SH_OK : SH_NOMEM;
    if (err == SH_OK)
        err = hash_parts(&sending, file->sha256);
    if (err == SH_OK)
        err = find_or_begin(&sending);
    if (err == SH_OK)
        err = send_missing(&sending);
    if (err == SH_OK)
        err = complete(&sending);
    if (err == SH_OK)
        err = post_has(post, file->name, file->size, &there);
    if (err == SH_OK && !there)
        err = work_fail(post->work, SH_UPSTREAM, "S3 does not show %.100s", file->name);
    sh_free(sending.hashes);
    sh_free(sending.parts);
    return err;
}

/* --- what nobody goes on with ----------------------------------------------------- */

enum { DAY_S = 86400, SWEPT_AT_ONCE = 32 };

struct sweeping {
    struct post *post;
    size_t count;
    struct {
        char key[SH_S3_KEY_MAX + 1];
        char upload[SH_S3_UPLOAD_MAX];
    } list[SWEPT_AT_ONCE];
};

/* Of a set, an original, or the log. Others may use the bucket too, and the log is sent
 * by a process of its own, perhaps now. */
static bool is_left(const struct post *post, const struct sh_s3_upload *upload)
{
    size_t len = strlen(post->place.prefix);
    const char *name = upload->key + len;

    if (strncmp(upload->key, post->place.prefix, len) != 0)
        return false;
    if (strncmp(name, ".wal/", 5) == 0)
        return sh_wall_time() - upload->begun > DAY_S;
    return strncmp(name, ".files/", 7) == 0 ||
           (strspn(name, "0123456789") == 8 && name[8] == 'T');
}

static void on_left(void *arg, const struct sh_s3_reply *reply)
{
    struct sweeping *sweeping = arg;

    sweeping->count = 0;
    for (size_t i = 0; i < reply->count && sweeping->count < SWEPT_AT_ONCE; i++) {
        const struct sh_s3_upload *upload = &reply->uploads[i];
        if (!is_left(sweeping->post, upload) || strlen(upload->key) > SH_S3_KEY_MAX ||
            strlen(upload->id) >= SH_S3_UPLOAD_MAX)
            continue;
        (void)snprintf(sweeping->list[sweeping->count].key, SH_S3_KEY_MAX + 1, "%s",
                       upload->key);
        (void)snprintf(sweeping->list[sweeping->count++].upload, SH_S3_UPLOAD_MAX, "%s",
                       upload->id);
    }
}

enum sh_err post_s3_sweep(struct post *post)
{
    struct sweeping *sweeping = sh_alloc(sizeof(*sweeping));
    enum sh_err err = sweeping != NULL ? SH_OK : SH_NOMEM;

    if (err != SH_OK)
        return err;
    sweeping->post = post;
    do {
        post_s3_take(post, on_left, sweeping);
        err = post_s3_wait(
            post,
            sh_s3_uploads(post->s3, post->place.prefix, post_s3_reply, post, &post->call),
            "uploads");
        for (size_t i = 0; i < sweeping->count && err == SH_OK; i++)
            err = abort_upload(post, sweeping->list[i].key, sweeping->list[i].upload);
    } while (err == SH_OK && sweeping->count == SWEPT_AT_ONCE);
    sh_free(sweeping);
    return err;
}
