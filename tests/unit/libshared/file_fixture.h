/* file_fixture: a file store on a loop, in a directory of its own or in a small S3
 * (tests/support/fake_s3.py), and calls that wait for their end. */
#ifndef TESTS_FILE_FIXTURE_H
#define TESTS_FILE_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/file_store.h"
#include "shared/mem.h"

enum { PATIENCE_MS = 60000 }; /* a test that waits longer has failed */

struct fixture {
    uv_loop_t loop;
    uv_timer_t wake;
    char dir[64];
    char where[128];
    struct sh_file_config config;
    struct sh_s3_config s3;
    struct sh_file_store *store;
};

static struct { /* one for all tests, each with a prefix of its own */
    pid_t pid;
    int in;
    int tests;
    char url[64];
} fake;

static inline void on_wake(uv_timer_t *timer)
{
    (void)timer;
}

/* One turn of the loop: until something happens, or 10 ms. */
static inline void step(struct fixture *f)
{
    (void)uv_timer_start(&f->wake, on_wake, 10, 0);
    uv_run(&f->loop, UV_RUN_ONCE);
}

#define pump_until(f, condition)                                                         \
    do {                                                                                 \
        uint64_t until_ = sh_now_ms() + PATIENCE_MS;                                     \
        while (!(condition) && sh_now_ms() < until_)                                     \
            step(f);                                                                     \
        assert_true(condition);                                                          \
    } while (0)

static inline struct fixture *begin(void)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(uv_timer_init(&f->loop, &f->wake), 0);
    (void)snprintf(f->dir, sizeof(f->dir), "/tmp/cairn-files.XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    f->s3 = (struct sh_s3_config){.endpoint = fake.url,
                                  .region = "eu-test-1",
                                  .access_key = "test-access-key",
                                  .secret_key = "test/secret+key",
                                  .timeout_ms = 20000,
                                  .attempts = 3};
    return f;
}

/* The program prints its port, and ends when its input does. */
static inline int start_fake(void **state)
{
    int in[2];
    int out[2];
    char port[16] = "";
    size_t len = 0;

    (void)state;
    assert_int_equal(pipe(in), 0);
    assert_int_equal(pipe(out), 0);
    fake.pid = fork();
    assert_true(fake.pid >= 0);
    if (fake.pid == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        for (int fd = 3; fd < 64; fd++)
            close(fd);
        execlp("python3", "python3", "tests/support/fake_s3.py", (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    fake.in = in[1];
    while (len < sizeof(port) - 1 && memchr(port, '\n', len) == NULL) {
        ssize_t got = read(out[0], port + len, sizeof(port) - 1 - len);
        assert_true(got > 0);
        len += (size_t)got;
    }
    close(out[0]);
    (void)snprintf(fake.url, sizeof(fake.url), "http://127.0.0.1:%ld",
                   strtol(port, NULL, 10));
    return 0;
}

static inline int stop_fake(void **state)
{
    (void)state;
    close(fake.in);
    assert_int_equal(waitpid(fake.pid, NULL, 0), fake.pid);
    return 0;
}

static inline void open_store(struct fixture *f)
{
    f->config = (struct sh_file_config){.store = f->where, .spool_dir = f->dir};
    assert_int_equal(sh_file_store_open(&f->loop, &f->config, &f->s3, &f->store), SH_OK);
}

static inline int setup_dir(void **state)
{
    struct fixture *f = begin();

    (void)snprintf(f->where, sizeof(f->where), "dir:%s/some/folder/", f->dir);
    open_store(f);
    *state = f;
    return 0;
}

static inline int setup_s3(void **state)
{
    struct fixture *f = begin();

    (void)snprintf(f->where, sizeof(f->where), "s3://originals/some/prefix %d",
                   fake.tests++);
    open_store(f);
    *state = f;
    return 0;
}

static inline int teardown(void **state)
{
    struct fixture *f = *state;
    char command[128];

    sh_file_store_close(&f->store);
    uv_close((uv_handle_t *)&f->wake, NULL);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    (void)snprintf(command, sizeof(command), "rm -rf '%s'", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

/* How many files of such a name stand below the fixture's directory. */
static inline long files_named(const struct fixture *f, const char *name)
{
    char command[128];
    char text[32] = "";

    (void)snprintf(command, sizeof(command), "find '%s' -type f -name '%s' | wc -l",
                   f->dir, name);
    FILE *out = popen(command, "r");
    assert_non_null(out);
    assert_non_null(fgets(text, sizeof(text), out));
    assert_int_equal(pclose(out), 0);
    return strtol(text, NULL, 10);
}

static inline long files_in(const struct fixture *f)
{
    return files_named(f, "*");
}

/* --- calls that wait
 * -------------------------------------------------------------------- */

struct outcome {
    struct fixture *f;
    struct sh_file_writer *writer;
    int drains;
    int ends;
    enum sh_err err;
    char hash[SH_FILE_HASH_TEXT];
    uint64_t size;
    char *bytes;
    size_t len;
    struct sh_file_entry entries[64];
    size_t count;
};

static inline void on_drained(void *arg)
{
    ((struct outcome *)arg)->drains++;
}

static inline void on_finished(void *arg, enum sh_err err, const char *hash,
                               uint64_t size)
{
    struct outcome *o = arg;

    o->ends++;
    o->err = err;
    (void)snprintf(o->hash, sizeof(o->hash), "%s", hash);
    o->size = size;
}

static inline void on_done(void *arg, enum sh_err err)
{
    struct outcome *o = arg;

    o->ends++;
    o->err = err;
}

static inline void on_opened(void *arg, enum sh_err err, uint64_t size)
{
    struct outcome *o = arg;

    o->ends++;
    o->err = err;
    o->size = size;
}

static inline void on_got(void *arg, enum sh_err err, struct sh_bytes piece)
{
    struct outcome *o = arg;

    o->ends++;
    o->err = err;
    o->len = piece.len;
    o->bytes = realloc(o->bytes, piece.len + 1);
    assert_non_null(o->bytes);
    if (piece.len > 0)
        memcpy(o->bytes, piece.data, piece.len);
    o->bytes[piece.len] = '\0';
}

static inline void on_listed(void *arg, enum sh_err err,
                             const struct sh_file_entry *entries, size_t count)
{
    struct outcome *o = arg;

    o->ends++;
    o->err = err;
    assert_true(count <= SH_COUNT(o->entries));
    memcpy(o->entries, entries, count * sizeof(*entries));
    o->count = count;
}

/* Up to the end of what is spooled; o->writer is open. */
static inline void spool(struct fixture *f, struct outcome *o, struct sh_bytes bytes)
{
    const char *data = bytes.data;
    bool full = false;

    *o = (struct outcome){.f = f};
    assert_int_equal(sh_file_begin(f->store, on_drained, o, &o->writer), SH_OK);
    for (size_t at = 0; at < bytes.len;) {
        size_t len = bytes.len - at < 65536 ? bytes.len - at : 65536;
        int before = o->drains;
        assert_int_equal(
            sh_file_append(o->writer, (struct sh_bytes){data + at, len}, &full), SH_OK);
        if (full)
            pump_until(f, o->drains > before);
        at += len;
    }
    assert_int_equal(sh_file_finish(o->writer, on_finished), SH_OK);
    assert_int_equal(o->ends, 0);
    pump_until(f, o->ends == 1);
}

static inline void commit(struct fixture *f, struct outcome *o)
{
    o->ends = 0;
    assert_int_equal(sh_file_commit(o->writer, on_done), SH_OK);
    assert_int_equal(o->ends, 0);
    pump_until(f, o->ends == 1);
}

static inline struct outcome store_bytes(struct fixture *f, struct sh_bytes bytes)
{
    struct outcome o;

    spool(f, &o, bytes);
    assert_int_equal(o.err, SH_OK);
    commit(f, &o);
    assert_int_equal(o.err, SH_OK);
    sh_file_writer_close(&o.writer);
    return o;
}

static inline enum sh_err remove_file(struct fixture *f, const char *hash)
{
    struct outcome o = {.f = f};

    assert_int_equal(sh_file_remove(f->store, sh_bytes_of(hash), on_done, &o), SH_OK);
    pump_until(f, o.ends == 1);
    return o.err;
}

static inline struct outcome list(struct fixture *f, const char *after, size_t most)
{
    struct outcome o = {.f = f};

    assert_int_equal(sh_file_list(f->store, after, most, on_listed, &o), SH_OK);
    pump_until(f, o.ends == 1);
    return o;
}

/* Reads `len` bytes from `offset`; the caller frees .bytes. */
static inline struct outcome read_file(struct fixture *f, const char *hash,
                                       uint64_t offset, size_t len)
{
    struct outcome o = {.f = f};
    struct sh_file_reader *reader;

    assert_int_equal(sh_file_open(f->store, sh_bytes_of(hash), on_opened, &o, &reader),
                     SH_OK);
    pump_until(f, o.ends == 1);
    if (o.err == SH_OK) {
        o.ends = 0;
        assert_int_equal(sh_file_read(reader, offset, len, on_got), SH_OK);
        pump_until(f, o.ends == 1);
    }
    sh_file_reader_close(&reader);
    return o;
}

#endif
