#include "services/search/files/fetch.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "shared/log.h"
#include "shared/mem.h"

struct fetch {
    struct fetch_options options;
    struct sh_file_reader *reader;
    fetch_done_fn *done;
    void *arg;
    int copy; /* -1: none */
    uint64_t size;
    uint64_t copied;
    char *piece; /* on its way to the copy */
    size_t len;
    struct sh_work work;
    bool working;
    bool closed; /* goes when the worker is done with it */
    enum sh_err worked;
};

static void destroy(struct fetch *fetch)
{
    if (fetch->copy >= 0)
        close(fetch->copy);
    sh_free(fetch->piece);
    sh_free(fetch);
}

void fetch_close(struct fetch **fetch_in)
{
    struct fetch *fetch = *fetch_in;

    *fetch_in = NULL;
    if (fetch == NULL)
        return;
    sh_file_reader_close(&fetch->reader);
    fetch->closed = true;
    if (!fetch->working)
        destroy(fetch);
}

/* --- the copy --------------------------------------------------------------------- */

static void next_piece(struct fetch *fetch);

static enum sh_err make_copy(struct fetch *fetch)
{
    const char *dir = fetch->options.spool_dir;
    char path[1100];

    if (dir[0] == '\0' && (dir = getenv("TMPDIR")) == NULL)
        dir = "/tmp";
    if (snprintf(path, sizeof(path), "%s/cairn-read-XXXXXX", dir) >= (int)sizeof(path))
        return SH_INVALID;
    fetch->copy = mkostemp(path, O_CLOEXEC);
    if (fetch->copy < 0)
        return sh_err_from_errno(errno);
    (void)unlink(path); /* it goes with its descriptor */
    return SH_OK;
}

static void run_write(struct sh_work *work)
{
    struct fetch *fetch = SH_CONTAINER_OF(work, struct fetch, work);
    size_t at = 0;

    fetch->worked = fetch->copy < 0 ? make_copy(fetch) : SH_OK;
    while (fetch->worked == SH_OK && at < fetch->len) {
        ssize_t written = write(fetch->copy, fetch->piece + at, fetch->len - at);
        if (written > 0)
            at += (size_t)written;
        else if (errno != EINTR)
            fetch->worked = SH_IO;
    }
}

static void on_written(struct sh_work *work, enum sh_err err)
{
    struct fetch *fetch = SH_CONTAINER_OF(work, struct fetch, work);

    fetch->working = false;
    if (fetch->closed) {
        destroy(fetch);
        return;
    }
    if (err == SH_OK)
        err = fetch->worked;
    if (err != SH_OK) {
        sh_error(NULL, "an original cannot be copied to be read: %s", sh_err_text(err));
        fetch->done(fetch->arg, err, -1);
        return;
    }
    fetch->copied += fetch->len;
    next_piece(fetch);
}

static void on_piece(void *arg, enum sh_err err, struct sh_bytes piece)
{
    struct fetch *fetch = arg;

    if (err == SH_OK && piece.len == 0) /* it is shorter than it said */
        err = SH_IO;
    if (err == SH_OK && fetch->piece == NULL)
        fetch->piece = sh_alloc(SH_FILE_PIECE);
    if (err == SH_OK && fetch->piece == NULL)
        err = SH_NOMEM;
    if (err == SH_OK) {
        memcpy(fetch->piece, piece.data, piece.len);
        fetch->len = piece.len;
        fetch->work = (struct sh_work){.run = run_write, .done = on_written};
        err = sh_workers_submit(fetch->options.workers, &fetch->work);
        fetch->working = err == SH_OK;
    }
    if (err != SH_OK)
        fetch->done(fetch->arg, err, -1);
}

static void next_piece(struct fetch *fetch)
{
    enum sh_err err;

    if (fetch->copied >= fetch->size && fetch->copy >= 0) {
        /* whoever reads it begins where the writing ended, otherwise */
        err = lseek(fetch->copy, 0, SEEK_SET) == 0 ? SH_OK : SH_IO;
        fetch->done(fetch->arg, err, err == SH_OK ? fetch->copy : -1);
        return;
    }
    err = sh_file_read(fetch->reader, fetch->copied, SH_FILE_PIECE, on_piece);
    if (err != SH_OK)
        fetch->done(fetch->arg, err, -1);
}

/* --- the beginning ---------------------------------------------------------------- */

static void on_opened(void *arg, enum sh_err err, uint64_t size)
{
    struct fetch *fetch = arg;
    int fd = sh_file_reader_fd(fetch->reader);

    fetch->size = size;
    if (err != SH_OK)
        fetch->done(fetch->arg, err, -1);
    else if (fd >= 0)
        fetch->done(fetch->arg, SH_OK, fd);
    else
        next_piece(fetch);
}

enum sh_err fetch_start(const struct fetch_options *options, struct sh_bytes hash,
                        fetch_done_fn *done, void *arg, struct fetch **out)
{
    struct fetch *fetch = sh_alloc(sizeof(*fetch));
    enum sh_err err;

    if (fetch == NULL)
        return SH_NOMEM;
    fetch->options = *options;
    fetch->done = done;
    fetch->arg = arg;
    fetch->copy = -1;
    err = sh_file_open(options->store, hash, on_opened, fetch, &fetch->reader);
    if (err != SH_OK)
        destroy(fetch);
    else
        *out = fetch;
    return err;
}
