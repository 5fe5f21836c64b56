#include "services/backup/run/stored.h"

#include <stdio.h>
#include <string.h>

#include "shared/mem.h"

enum { PAGE = 1000 };

struct stored {
    struct work *work;
    struct sh_file_store *store;
    struct sh_file_reader *reader;
    struct sh_file_writer *writer;
    bool answered; /* what is waited for has come */
    enum sh_err err;
    uint64_t size;
    size_t got; /* bytes of the last piece */
    pack_out_fn *out;
    void *out_arg;
    char hash[SH_FILE_HASH_TEXT];
    json_t *list;
};

static enum sh_err wait_for(struct stored *stored, enum sh_err begun)
{
    if (begun == SH_OK)
        work_until(stored->work, &stored->answered);
    stored->answered = false;
    return begun == SH_OK ? stored->err : begun;
}

static enum sh_err failed(struct stored *stored, enum sh_err err)
{
    if (err == SH_OK || err == SH_NOTFOUND || err == SH_CANCELED)
        return err;
    return work_fail(stored->work, err, "FILE_STORE: %s", sh_err_text(err));
}

enum sh_err stored_open(struct work *work, struct stored **out)
{
    struct stored *stored = sh_alloc(sizeof(*stored));
    enum sh_err err = SH_NOMEM;

    *out = stored;
    if (stored == NULL)
        return err;
    stored->work = work;
    err = failed(stored, sh_file_store_open(work->loop, &work->all->files, &work->all->s3,
                                            &stored->store));
    if (err != SH_OK)
        stored_close(out);
    return err;
}

void stored_close(struct stored **at)
{
    struct stored *stored = *at;

    *at = NULL;
    if (stored == NULL)
        return;
    sh_file_writer_close(&stored->writer);
    sh_file_reader_close(&stored->reader);
    sh_file_store_close(&stored->store);
    sh_free(stored);
}

/* --- reading ---------------------------------------------------------------------- */

static void on_opened(void *arg, enum sh_err err, uint64_t size)
{
    struct stored *stored = arg;

    stored->err = err;
    stored->size = size;
    stored->answered = true;
}

static void on_got(void *arg, enum sh_err err, struct sh_bytes piece)
{
    struct stored *stored = arg;

    stored->got = piece.len;
    if (err == SH_OK && piece.len > 0)
        err = stored->out(stored->out_arg, piece);
    stored->err = err;
    stored->answered = true;
}

enum sh_err stored_read(struct stored *stored, const char *hash, pack_out_fn *out,
                        void *arg)
{
    uint64_t offset = 0;
    enum sh_err err = wait_for(stored, sh_file_open(stored->store, sh_bytes_of(hash),
                                                    on_opened, stored, &stored->reader));

    stored->out = out;
    stored->out_arg = arg;
    stored->got = 1;
    while (err == SH_OK && stored->got > 0) {
        err =
            wait_for(stored, sh_file_read(stored->reader, offset, SH_FILE_PIECE, on_got));
        offset += stored->got;
        if (err == SH_OK)
            err = work_go_on(stored->work);
    }
    sh_file_reader_close(&stored->reader);
    return failed(stored, err);
}

enum sh_err stored_has(struct stored *stored, const char *hash, bool *there)
{
    enum sh_err err = wait_for(stored, sh_file_open(stored->store, sh_bytes_of(hash),
                                                    on_opened, stored, &stored->reader));

    sh_file_reader_close(&stored->reader);
    *there = err == SH_OK;
    return err == SH_NOTFOUND ? SH_OK : failed(stored, err);
}

static void on_listed(void *arg, enum sh_err err, const struct sh_file_entry *entries,
                      size_t count)
{
    struct stored *stored = arg;

    for (size_t i = 0; err == SH_OK && i < count; i++) {
        char line[SH_FILE_HASH_TEXT + 24];
        (void)snprintf(line, sizeof(line), "%s %llu", entries[i].hash,
                       (unsigned long long)entries[i].size);
        if (json_array_append_new(stored->list, json_string(line)) != 0)
            err = SH_NOMEM;
    }
    if (count > 0)
        memcpy(stored->hash, entries[count - 1].hash, sizeof(stored->hash));
    stored->got = count;
    stored->err = err;
    stored->answered = true;
}

enum sh_err stored_list(struct stored *stored, json_t **out)
{
    enum sh_err err = SH_OK;

    stored->list = json_array();
    stored->hash[0] = '\0';
    stored->got = 1;
    while (err == SH_OK && stored->got > 0) {
        char after[SH_FILE_HASH_TEXT];
        memcpy(after, stored->hash, sizeof(after));
        err =
            wait_for(stored, sh_file_list(stored->store, after, PAGE, on_listed, stored));
    }
    *out = stored->list;
    stored->list = NULL;
    return failed(stored, err);
}

/* --- writing ---------------------------------------------------------------------- */

static void on_drained(void *arg)
{
    struct stored *stored = arg;

    stored->err = SH_OK;
    stored->answered = true;
}

static void on_finished(void *arg, enum sh_err err, const char *hash, uint64_t size)
{
    struct stored *stored = arg;

    if (err == SH_OK)
        memcpy(stored->hash, hash, sizeof(stored->hash));
    stored->size = size;
    stored->err = err;
    stored->answered = true;
}

static void on_done(void *arg, enum sh_err err)
{
    struct stored *stored = arg;

    stored->err = err;
    stored->answered = true;
}

enum sh_err stored_begin(struct stored *stored)
{
    sh_file_writer_close(&stored->writer);
    stored->answered = false;
    return failed(stored,
                  sh_file_begin(stored->store, on_drained, stored, &stored->writer));
}

enum sh_err stored_add(struct stored *stored, struct sh_bytes bytes)
{
    bool full = false;
    enum sh_err err = sh_file_append(stored->writer, bytes, &full);

    if (err == SH_OK && full)
        err = wait_for(stored, SH_OK);
    return failed(stored, err);
}

enum sh_err stored_keep(struct stored *stored, const char *hash)
{
    enum sh_err err;

    stored->answered = false;
    err = wait_for(stored, sh_file_finish(stored->writer, on_finished));
    if (err == SH_OK && strcmp(stored->hash, hash) != 0)
        err = SH_MALFORMED;
    if (err == SH_OK)
        err = wait_for(stored, sh_file_commit(stored->writer, on_done));
    sh_file_writer_close(&stored->writer);
    return err == SH_MALFORMED ? err : failed(stored, err);
}
