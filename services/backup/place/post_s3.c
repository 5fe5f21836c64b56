/* A place in a bucket of S3: every request is signed, every upload has its SHA-256 with
 * it, which the server compares before it keeps anything. */
#include <stdio.h>
#include <string.h>

#include "services/backup/place/post_s3.h"

enum { PIECE = 8 << 20 };

void post_s3_reply(void *arg, const struct sh_s3_reply *reply)
{
    struct post *post = arg;

    post->reply = *reply;
    (void)snprintf(post->why, sizeof(post->why), "%s", reply->why);
    post->written = SH_OK;
    if (reply->err == SH_OK && post->to >= 0 && reply->body.len > 0)
        post->written = post_write(post, post->to, reply->body.data, reply->body.len);
    for (size_t i = 0; post->each != NULL && i < reply->count; i++) {
        const struct sh_s3_object *object = &reply->objects[i];
        size_t skip = strlen(post->place.prefix) + strlen(post->folder) + 1;
        (void)snprintf(post->after, sizeof(post->after), "%s", object->key);
        if (post->written == SH_OK && strlen(object->key) > skip)
            post->written = post->each(post->each_arg, object->key + skip, object->size);
    }
    if (post->take != NULL && reply->err == SH_OK)
        post->take(post->take_arg, reply);
    post->take = NULL;
    post->call = NULL;
    post->answered = true;
}

void post_s3_take(struct post *post, post_take_fn *take, void *arg)
{
    post->take = take;
    post->take_arg = arg;
}

/* What S3 said, or why nothing of it came. */
static enum sh_err fail(struct post *post, enum sh_err err, const char *name)
{
    const struct sh_s3_reply *reply = &post->reply;

    if (reply->status == 0 && post->why[0] != '\0')
        return work_fail(post->work, err, "S3 %.200s: %s: %s", name, sh_err_text(err),
                         post->why);
    return work_fail(post->work, err, "S3 %.200s: %s (HTTP %d %s)", name,
                     sh_err_text(err), reply->status, reply->code);
}

static void give_up(void *arg)
{
    struct post *post = arg;

    if (post->call != NULL)
        sh_s3_cancel(post->call); /* it answers soon */
}

static void await(struct post *post)
{
    work_until_cancelled(post->work, &post->answered, give_up, post);
}

enum sh_err post_s3_wait(struct post *post, enum sh_err begun, const char *name)
{
    enum sh_err err = begun;

    if (begun == SH_OK) {
        await(post);
        err = post->reply.err != SH_OK ? post->reply.err : post->written;
    }
    post->answered = false;
    post->take = NULL;
    if (err == SH_OK)
        return work_go_on(post->work);
    if (err == SH_INVALID) /* that S3 refuses it is no fault of who asked for the run */
        err = SH_UPSTREAM;
    return fail(post, err, name);
}

void post_s3_key(const struct post *post, const char *name,
                 char out[static SH_S3_KEY_MAX])
{
    (void)snprintf(out, SH_S3_KEY_MAX, "%.700s%.300s", post->place.prefix, name);
}

static enum sh_err has(struct post *post, const char *name, uint64_t size, bool *there)
{
    char key[SH_S3_KEY_MAX];
    enum sh_err err;

    post_s3_key(post, name, key);
    err = sh_s3_head(post->s3, key, post_s3_reply, post, &post->call);
    if (err == SH_OK) {
        await(post);
        err = post->reply.err;
        *there = err == SH_OK && post->reply.size == size;
    }
    post->answered = false;
    if (err == SH_OK || err == SH_NOTFOUND)
        return work_go_on(post->work);
    return fail(post, err, name);
}

static enum sh_err put(struct post *post, const char *name, int fd, uint64_t size,
                       const char *sha256)
{
    char key[SH_S3_KEY_MAX];
    struct sh_s3_put what = {.fd = fd, .size = size, .sha256 = sha256};

    if (size > (uint64_t)post->work->all->s3.part_mb << 20)
        return post_s3_put_parts(post, &(struct post_file){name, fd, size, sha256});
    post_s3_key(post, name, key);
    return post_s3_wait(
        post, sh_s3_put(post->s3, key, &what, post_s3_reply, post, &post->call), name);
}

static enum sh_err get(struct post *post, const char *name, int fd)
{
    char key[SH_S3_KEY_MAX];
    uint64_t size;
    enum sh_err err;

    post_s3_key(post, name, key);
    err = post_s3_wait(post, sh_s3_head(post->s3, key, post_s3_reply, post, &post->call),
                       name);
    size = post->reply.size;
    post->to = fd;
    for (uint64_t at = 0; err == SH_OK && at < size; at += PIECE) {
        struct sh_s3_range range = {at, size - at < PIECE ? (size_t)(size - at) : PIECE};
        err = post_s3_wait(
            post, sh_s3_get(post->s3, key, &range, post_s3_reply, post, &post->call),
            name);
    }
    post->to = -1;
    return err;
}

static enum sh_err list(struct post *post, const char *folder, post_each_fn *each,
                        void *arg)
{
    char prefix[SH_S3_KEY_MAX];
    char after[SH_S3_KEY_MAX + 1];
    enum sh_err err = SH_OK;

    (void)snprintf(prefix, sizeof(prefix), "%.700s%.200s/", post->place.prefix, folder);
    post->after[0] = '\0';
    post->each = each;
    post->each_arg = arg;
    post->folder = folder;
    do {
        memcpy(after, post->after, sizeof(after));
        struct sh_s3_page page = {.prefix = prefix, .after = after};
        err = post_s3_wait(
            post, sh_s3_list(post->s3, &page, post_s3_reply, post, &post->call), folder);
    } while (err == SH_OK && post->reply.more);
    post->each = NULL;
    return err;
}

static void close_s3(struct post *post)
{
    sh_s3_close(&post->s3);
}

static const struct post_kind kind = {has, put, get, list, post_s3_sweep, close_s3};

enum sh_err post_open_s3(struct post *post, const char *url)
{
    enum sh_err err;

    post->kind = &kind;
    post->to = -1;
    if (!sh_s3_place_parse(url, &post->place))
        return work_fail(post->work, SH_INVALID, "%.200s is no place in S3", url);
    err = sh_s3_create(post->work->loop, &post->work->all->s3, post->place.bucket,
                       &post->s3);
    return err == SH_OK ? SH_OK
                        : work_fail(post->work, err, "S3 cannot be used: look at S3_*");
}
