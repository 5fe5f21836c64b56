/* file_write: a file on its way into the store. Pieces are gathered while a worker writes
 * and hashes those before them; at most one job of a writer is with the workers. */
#include <errno.h>
#include <fcntl.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <unistd.h>

#include "file_store_internal.h"
#include "shared/buffer.h"
#include "shared/mem.h"

enum { FULL = 1 << 20, DRAINED = 256 << 10 }; /* bytes that wait for the disk */

struct sh_file_writer {
    struct sh_file_store *store;
    struct sh_work work;
    bool working;
    bool closed;             /* by its owner: goes when the worker is done with it */
    bool full;               /* the owner waits for `drained` */
    bool finishing;          /* all was appended */
    struct sh_buffer queued; /* the loop's */
    struct sh_buffer taken;  /* the worker's while it works */
    bool ending;             /* the worker's: nothing follows what is taken */
    int fd;                  /* the worker's; -1: not open yet */
    char path[FILE_PATH];    /* in the spool; "": nothing is there */
    EVP_MD_CTX *digest;
    uint64_t size;
    char hash[SH_FILE_HASH_TEXT]; /* when it is finished */
    enum sh_err err;              /* the first, which sticks */
    enum sh_err worked;           /* of the job */
    struct sh_s3_call *call;
    void (*drained)(void *arg);
    sh_file_finished_fn *finished;
    sh_file_done_fn *committed;
    void *arg;
};

static void submit_write(struct sh_file_writer *writer);

/* --- the end
 * ---------------------------------------------------------------------------- */

static void drop(struct sh_file_writer *writer)
{
    if (writer->fd >= 0)
        close(writer->fd);
    if (writer->path[0] != '\0')
        (void)unlink(writer->path); /* else the spool is tidied */
    writer->fd = -1;
    writer->path[0] = '\0';
}

static void run_drop(struct sh_work *work)
{
    drop(SH_CONTAINER_OF(work, struct sh_file_writer, work));
}

static void on_dropped(struct sh_work *work, enum sh_err err)
{
    struct sh_file_writer *writer = SH_CONTAINER_OF(work, struct sh_file_writer, work);

    if (err != SH_OK)
        drop(writer);
    EVP_MD_CTX_free(writer->digest);
    sh_buffer_free(&writer->queued);
    sh_buffer_free(&writer->taken);
    sh_free(writer);
}

static void destroy(struct sh_file_writer *writer)
{
    writer->work = (struct sh_work){.run = run_drop, .done = on_dropped};
    if (sh_workers_submit(writer->store->workers, &writer->work) != SH_OK)
        on_dropped(&writer->work, SH_CANCELED);
}

void sh_file_writer_close(struct sh_file_writer **writer_p)
{
    struct sh_file_writer *writer = *writer_p;

    *writer_p = NULL;
    if (writer == NULL)
        return;
    writer->closed = true;
    if (writer->call != NULL)
        sh_s3_cancel(writer->call); /* which comes back to us */
    else if (!writer->working)
        destroy(writer);
}

/* True: the owner has left, and so has the writer. */
static bool is_over(struct sh_file_writer *writer)
{
    bool closed = writer->closed;

    writer->working = false;
    if (closed)
        destroy(writer);
    return closed;
}

/* --- writing
 * ---------------------------------------------------------------------------- */

static enum sh_err write_all(struct sh_file_writer *writer)
{
    const char *data = writer->taken.data;
    size_t left = writer->taken.len;

    while (left > 0) {
        ssize_t wrote = write(writer->fd, data, left);
        if (wrote < 0 && errno == EINTR)
            continue;
        if (wrote < 0)
            return file_dir_error("write", writer->path, errno);
        data += wrote;
        left -= (size_t)wrote;
    }
    return SH_OK;
}

static enum sh_err seal(struct sh_file_writer *writer)
{
    unsigned char digest[EVP_MAX_MD_SIZE];

    if (EVP_DigestFinal_ex(writer->digest, digest, NULL) != 1)
        return SH_NOMEM;
    for (size_t i = 0; i < SH_FILE_HASH_TEXT / 2; i++)
        (void)snprintf(writer->hash + 2 * i, 3, "%02x", digest[i]);
    if (writer->store->s3 == NULL && fsync(writer->fd) != 0)
        return file_dir_error("keep", writer->path, errno);
    return SH_OK;
}

static enum sh_err take_in(struct sh_file_writer *writer)
{
    if (writer->fd < 0) {
        writer->fd = file_dir_spool(writer->store, writer->path);
        if (writer->fd < 0)
            return file_dir_error("write to", writer->store->spool, errno);
    }
    enum sh_err err = write_all(writer);
    if (err == SH_OK &&
        EVP_DigestUpdate(writer->digest, writer->taken.data, writer->taken.len) != 1)
        err = SH_NOMEM;
    if (err == SH_OK && writer->ending)
        err = seal(writer);
    return err;
}

static void run_write(struct sh_work *work)
{
    struct sh_file_writer *writer = SH_CONTAINER_OF(work, struct sh_file_writer, work);
    writer->worked = take_in(writer);
}

static void on_written(struct sh_work *work, enum sh_err err)
{
    struct sh_file_writer *writer = SH_CONTAINER_OF(work, struct sh_file_writer, work);

    if (is_over(writer))
        return;
    sh_buffer_clear(&writer->taken);
    if (writer->err == SH_OK)
        writer->err = err != SH_OK ? err : writer->worked;
    bool sealed = writer->ending && writer->err == SH_OK;
    if (writer->err == SH_OK && !sealed && (writer->queued.len > 0 || writer->finishing))
        submit_write(writer);
    if (writer->full && (writer->err != SH_OK || writer->queued.len < DRAINED)) {
        writer->full = false;
        writer->drained(writer->arg);
    } else if (writer->finishing && (sealed || writer->err != SH_OK)) {
        writer->finished(writer->arg, writer->err, writer->hash, writer->size);
    }
}

static void submit_write(struct sh_file_writer *writer)
{
    struct sh_buffer spare = writer->taken;

    writer->taken = writer->queued;
    writer->queued = spare;
    writer->ending = writer->finishing;
    writer->work = (struct sh_work){.run = run_write, .done = on_written};
    writer->working = true;
    enum sh_err err = sh_workers_submit(writer->store->workers, &writer->work);
    if (err != SH_OK) {
        writer->working = false;
        writer->err = err;
    }
}

enum sh_err sh_file_begin(struct sh_file_store *store, void (*drained)(void *arg),
                          void *arg, struct sh_file_writer **out)
{
    struct sh_file_writer *writer = sh_alloc(sizeof(*writer));

    *out = NULL;
    if (writer == NULL)
        return SH_NOMEM;
    writer->store = store;
    writer->fd = -1;
    writer->drained = drained;
    writer->arg = arg;
    writer->digest = EVP_MD_CTX_new();
    if (writer->digest == NULL ||
        EVP_DigestInit_ex(writer->digest, EVP_sha256(), NULL) != 1) {
        EVP_MD_CTX_free(writer->digest);
        sh_free(writer);
        return SH_NOMEM;
    }
    *out = writer;
    return SH_OK;
}

enum sh_err sh_file_append(struct sh_file_writer *writer, struct sh_bytes bytes,
                           bool *full)
{
    *full = false;
    if (writer->err != SH_OK || bytes.len == 0)
        return writer->err;
    sh_buffer_append(&writer->queued, bytes.data, bytes.len);
    if (writer->queued.err != SH_OK)
        writer->err = writer->queued.err;
    writer->size += bytes.len;
    if (writer->err == SH_OK && !writer->working)
        submit_write(writer);
    writer->full = writer->queued.len >= FULL && writer->err == SH_OK;
    *full = writer->full;
    return writer->err;
}

enum sh_err sh_file_finish(struct sh_file_writer *writer, sh_file_finished_fn *done)
{
    if (writer->err != SH_OK)
        return writer->err;
    writer->finishing = true;
    writer->full = false;
    writer->finished = done;
    if (!writer->working)
        submit_write(writer);
    return writer->err;
}

/* --- its place
 * -------------------------------------------------------------------------- */

static void tell_committed(struct sh_file_writer *writer, enum sh_err err)
{
    writer->committed(writer->arg, err);
}

static void run_place(struct sh_work *work)
{
    struct sh_file_writer *writer = SH_CONTAINER_OF(work, struct sh_file_writer, work);
    writer->worked =
        file_dir_place(writer->store, writer->path, writer->hash, writer->size);
}

static void on_placed(struct sh_work *work, enum sh_err err)
{
    struct sh_file_writer *writer = SH_CONTAINER_OF(work, struct sh_file_writer, work);

    if (!is_over(writer))
        tell_committed(writer, err != SH_OK ? err : writer->worked);
}

static enum sh_err place_in_dir(struct sh_file_writer *writer)
{
    writer->work = (struct sh_work){.run = run_place, .done = on_placed};
    enum sh_err err = sh_workers_submit(writer->store->workers, &writer->work);
    writer->working = err == SH_OK;
    return err;
}

static void on_put(void *arg, const struct sh_s3_reply *reply)
{
    struct sh_file_writer *writer = arg;
    enum sh_err err = file_s3_result(reply, "store a file");

    writer->call = NULL;
    if (!is_over(writer)) /* there is no bucket where even a new file is not found */
        tell_committed(writer, err == SH_NOTFOUND ? SH_UNAVAILABLE : err);
}

static enum sh_err put(struct sh_file_writer *writer, const char *key)
{
    struct sh_s3_put order = {writer->fd, writer->size, writer->hash, NULL};
    return sh_s3_put(writer->store->s3, key, &order, on_put, writer, &writer->call);
}

static void on_head(void *arg, const struct sh_s3_reply *reply)
{
    struct sh_file_writer *writer = arg;
    char key[SH_S3_KEY_MAX + 1];
    enum sh_err err = reply->err;

    writer->call = NULL;
    if (is_over(writer))
        return;
    if (err == SH_OK && reply->size == writer->size) {
        tell_committed(writer, SH_OK);
        return;
    }
    if (err == SH_OK || err == SH_NOTFOUND)
        err = file_key(writer->store, writer->hash, key) ? put(writer, key) : SH_INVALID;
    else
        err = file_s3_result(reply, "look for a file");
    if (err != SH_OK)
        tell_committed(writer, err);
}

enum sh_err sh_file_commit(struct sh_file_writer *writer, sh_file_done_fn *done)
{
    char key[SH_S3_KEY_MAX + 1];

    writer->committed = done;
    if (writer->store->s3 == NULL)
        return place_in_dir(writer);
    if (!file_key(writer->store, writer->hash, key))
        return SH_INVALID;
    return sh_s3_head(writer->store->s3, key, on_head, writer, &writer->call);
}
