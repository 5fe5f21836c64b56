/* file_read: a file of the store, piece by piece. At most one job of a reader is with the
 * workers, or one call with S3. */
#include <errno.h>
#include <unistd.h>

#include "file_store_internal.h"
#include "shared/mem.h"

struct sh_file_reader {
    struct sh_file_store *store;
    struct sh_work work;
    bool working;
    bool closed; /* by its owner: goes when the worker is done with it */
    int fd;      /* of a directory's file */
    char hash[SH_FILE_HASH_TEXT];
    uint64_t size;
    enum sh_err worked;
    uint64_t offset; /* of the read under way */
    size_t len;      /* wanted, then read */
    char *piece;     /* SH_FILE_PIECE */
    struct sh_s3_call *call;
    sh_file_opened_fn *opened;
    sh_file_got_fn *got;
    void *arg;
};

static void destroy(struct sh_file_reader *reader)
{
    if (reader->fd >= 0)
        close(reader->fd);
    sh_free(reader->piece);
    sh_free(reader);
}

int sh_file_reader_fd(const struct sh_file_reader *reader)
{
    return reader->fd;
}

void sh_file_reader_close(struct sh_file_reader **reader_p)
{
    struct sh_file_reader *reader = *reader_p;

    *reader_p = NULL;
    if (reader == NULL)
        return;
    reader->closed = true;
    if (reader->call != NULL)
        sh_s3_cancel(reader->call); /* which comes back to us */
    else if (!reader->working)
        destroy(reader);
}

/* True: the owner has left, and so has the reader. */
static bool is_over(struct sh_file_reader *reader)
{
    bool closed = reader->closed;

    reader->working = false;
    reader->call = NULL;
    if (closed)
        destroy(reader);
    return closed;
}

static enum sh_err submit(struct sh_file_reader *reader,
                          void (*run)(struct sh_work *work),
                          void (*done)(struct sh_work *work, enum sh_err err))
{
    reader->work = (struct sh_work){.run = run, .done = done};
    enum sh_err err = sh_workers_submit(reader->store->workers, &reader->work);
    reader->working = err == SH_OK;
    return err;
}

/* --- opening
 * ---------------------------------------------------------------------------- */

static void run_open(struct sh_work *work)
{
    struct sh_file_reader *reader = SH_CONTAINER_OF(work, struct sh_file_reader, work);

    reader->fd = file_dir_open(reader->store, reader->hash, &reader->size);
    if (reader->fd >= 0)
        reader->worked = SH_OK;
    else if (errno == ENOENT)
        reader->worked = SH_NOTFOUND;
    else
        reader->worked = file_dir_error("open", reader->hash, errno);
}

static void on_open(struct sh_work *work, enum sh_err err)
{
    struct sh_file_reader *reader = SH_CONTAINER_OF(work, struct sh_file_reader, work);

    if (!is_over(reader))
        reader->opened(reader->arg, err != SH_OK ? err : reader->worked, reader->size);
}

static void on_head(void *arg, const struct sh_s3_reply *reply)
{
    struct sh_file_reader *reader = arg;

    if (is_over(reader))
        return;
    reader->size = reply->size;
    reader->opened(reader->arg, file_s3_result(reply, "look for a file"), reader->size);
}

static enum sh_err start_opening(struct sh_file_reader *reader)
{
    char key[SH_S3_KEY_MAX + 1];

    if (reader->store->s3 == NULL)
        return submit(reader, run_open, on_open);
    if (!file_key(reader->store, reader->hash, key))
        return SH_INVALID;
    return sh_s3_head(reader->store->s3, key, on_head, reader, &reader->call);
}

enum sh_err sh_file_open(struct sh_file_store *store, struct sh_bytes hash,
                         sh_file_opened_fn *opened, void *arg,
                         struct sh_file_reader **out)
{
    *out = NULL;
    if (!sh_file_hash_ok(hash))
        return SH_INVALID;
    struct sh_file_reader *reader = sh_alloc(sizeof(*reader));
    if (reader == NULL)
        return SH_NOMEM;
    reader->store = store;
    reader->fd = -1;
    reader->opened = opened;
    reader->arg = arg;
    memcpy(reader->hash, hash.data, hash.len);
    if (store->s3 == NULL)
        reader->piece = sh_alloc(SH_FILE_PIECE);
    enum sh_err err =
        store->s3 == NULL && reader->piece == NULL ? SH_NOMEM : start_opening(reader);
    if (err != SH_OK)
        destroy(reader);
    else
        *out = reader;
    return err;
}

/* --- reading
 * ---------------------------------------------------------------------------- */

static void run_read(struct sh_work *work)
{
    struct sh_file_reader *reader = SH_CONTAINER_OF(work, struct sh_file_reader, work);
    size_t have = 0;

    reader->worked = SH_OK;
    while (have < reader->len) {
        ssize_t got = pread(reader->fd, reader->piece + have, reader->len - have,
                            (off_t)(reader->offset + have));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            reader->worked = file_dir_error("read", reader->hash, errno);
        if (got <= 0)
            break;
        have += (size_t)got;
    }
    reader->len = have;
}

static void on_read(struct sh_work *work, enum sh_err err)
{
    struct sh_file_reader *reader = SH_CONTAINER_OF(work, struct sh_file_reader, work);

    if (is_over(reader))
        return;
    if (err == SH_OK)
        err = reader->worked;
    reader->got(reader->arg, err,
                (struct sh_bytes){reader->piece, err == SH_OK ? reader->len : 0});
}

static void on_object(void *arg, const struct sh_s3_reply *reply)
{
    struct sh_file_reader *reader = arg;

    if (!is_over(reader))
        reader->got(reader->arg, file_s3_result(reply, "read a file"), reply->body);
}

/* Nothing is left to read, which is also told later. */
static void run_nothing(struct sh_work *work)
{
    struct sh_file_reader *reader = SH_CONTAINER_OF(work, struct sh_file_reader, work);
    reader->worked = SH_OK;
}

enum sh_err sh_file_read(struct sh_file_reader *reader, uint64_t offset, size_t len,
                         sh_file_got_fn *got)
{
    uint64_t left = offset < reader->size ? reader->size - offset : 0;
    char key[SH_S3_KEY_MAX + 1];

    reader->len = len < SH_FILE_PIECE ? len : SH_FILE_PIECE;
    if (reader->len > left)
        reader->len = (size_t)left;
    reader->offset = offset;
    reader->got = got;
    if (reader->len == 0)
        return submit(reader, run_nothing, on_read);
    if (reader->store->s3 == NULL)
        return submit(reader, run_read, on_read);
    if (!file_key(reader->store, reader->hash, key))
        return SH_INVALID;
    const struct sh_s3_range range = {offset, reader->len};
    return sh_s3_get(reader->store->s3, key, &range, on_object, reader, &reader->call);
}
