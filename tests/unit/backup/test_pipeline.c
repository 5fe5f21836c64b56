/* What goes into a sink comes out of a source, or nothing is said to be good. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/backup/manifest/record.h"
#include "services/backup/pipeline/seal.h"
#include "services/backup/pipeline/sink.h"
#include "services/backup/pipeline/source.h"
#include "shared/mem.h"

enum { SIZE = 3 << 20 };

struct fixture {
    struct backup_all all;
    struct work work;
    char folder[64];
    int fd;
    unsigned char *bytes;
    json_t *stream;
    size_t read; /* what came out and was the same */
    bool same;
    char keys[2][65];
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    unsigned char keys[2][32];
    uint64_t random = 88172645463325252u;

    assert_non_null(f);
    assert_true(sodium_init() >= 0);
    f->work = (struct work){.all = &f->all, .root = -1, .stage = "test"};
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/backup-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->fd = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    f->bytes = malloc(SIZE);
    assert_true(f->fd >= 0 && f->bytes != NULL);
    for (size_t i = 0; f->bytes != NULL && i < SIZE;
         i++) { /* half of it can be compressed */
        random ^= random << 13, random ^= random >> 7, random ^= random << 17;
        f->bytes[i] = (unsigned char)(i & 4096 ? random : 'a');
    }
    assert_int_equal(crypto_box_keypair(keys[0], keys[1]), 0);
    for (int i = 0; i < 2; i++)
        (void)sodium_bin2hex(f->keys[i], 65, keys[i], 32);
    f->all.backup = (struct backup_config){.compression = "zstd",
                                           .level = 3,
                                           .threads = 1,
                                           .part_mb = 1,
                                           .public_key = "",
                                           .private_key = "",
                                           .signing_key = ""};
    *state = f;
    return 0;
}

static void clear(struct fixture *f)
{
    char command[128];

    json_decref(f->stream);
    f->stream = NULL;
    f->work.error[0] = '\0';
    (void)snprintf(command, sizeof(command), "rm -rf %s/*", f->folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own folder */
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    clear(f);
    (void)close(f->fd);
    (void)rmdir(f->folder);
    free(f->bytes);
    free(f);
    return 0;
}

static void save(struct fixture *f, size_t size)
{
    struct sink *sink = NULL;

    clear(f);
    assert_int_equal(sink_open(&f->work, f->fd, "database", &sink), SH_OK);
    for (size_t at = 0; at < size; at += 70001) {
        size_t some = size - at < 70001 ? size - at : 70001;
        assert_int_equal(sink_add(sink, (struct sh_bytes){f->bytes + at, some}), SH_OK);
    }
    assert_int_equal(sink_finish(sink, &f->stream), SH_OK);
    sink_close(&sink);
}

static enum sh_err on_bytes(void *arg, struct sh_bytes bytes)
{
    struct fixture *f = arg;

    f->same = f->same && f->read + bytes.len <= SIZE &&
              memcmp(f->bytes + f->read, bytes.data, bytes.len) == 0;
    f->read += bytes.len;
    return SH_OK;
}

static enum sh_err load(struct fixture *f)
{
    f->read = 0;
    f->same = true;
    f->work.error[0] = '\0';
    return source_read(&f->work, f->fd, f->stream, on_bytes, f);
}

static void encrypt(struct fixture *f)
{
    f->all.backup.public_key = f->keys[0];
    f->all.backup.private_key = f->keys[1];
}

static void what_was_saved_comes_back(void **state)
{
    static const char *const methods[] = {"none", "zstd", "gzip"};
    static const size_t sizes[] = {0, 1, SEAL_PIECE, SEAL_PIECE + 1, SIZE};
    struct fixture *f = *state;

    for (size_t i = 0; i < 2 * SH_COUNT(methods) * SH_COUNT(sizes); i++) {
        size_t size = sizes[i / 2 % SH_COUNT(sizes)];
        f->all.backup.compression = methods[i / 2 / SH_COUNT(sizes)];
        f->all.backup.public_key = "";
        if (i % 2 == 1)
            encrypt(f);
        save(f, size);
        assert_int_equal(load(f), SH_OK);
        assert_true(f->same);
        assert_int_equal(f->read, size);
        assert_int_equal(source_check(&f->work, f->fd, f->stream), SH_OK);
    }
}

static void parts_have_their_size(void **state)
{
    struct fixture *f = *state;

    f->all.backup.compression = "none";
    save(f, SIZE);
    assert_int_equal(json_array_size(json_object_get(f->stream, "parts")), 3);
    assert_int_equal(json_integer_value(json_object_get(f->stream, "bytes")), SIZE);
}

static void flip(struct fixture *f, const char *name, off_t at, unsigned bit)
{
    unsigned char byte;
    int fd = openat(f->fd, name, O_RDWR | O_CLOEXEC);

    assert_true(fd >= 0);
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte = (unsigned char)(byte ^ 1u << bit);
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
    (void)close(fd);
}

static void no_flipped_bit_goes_unnoticed(void **state)
{
    struct fixture *f = *state;

    for (int sealed = 0; sealed < 2; sealed++) {
        if (sealed)
            encrypt(f);
        save(f, 200000);
        json_int_t size = json_integer_value(json_object_get(f->stream, "bytes"));
        for (json_int_t at = 0; at < size; at += size / 23 + 1) {
            flip(f, "database.000", at, (unsigned)at % 8);
            assert_int_not_equal(load(f), SH_OK);
            assert_int_equal(source_check(&f->work, f->fd, f->stream), SH_MALFORMED);
            flip(f, "database.000", at, (unsigned)at % 8);
        }
        assert_int_equal(load(f), SH_OK);
    }
}

static void what_is_cut_off_or_gone_is_noticed(void **state)
{
    struct fixture *f = *state;

    f->all.backup.compression = "none";
    save(f, SIZE);
    assert_int_equal(truncate(f->folder, 0), -1); /* a folder: nothing happens */
    int fd = openat(f->fd, "database.002", O_WRONLY | O_CLOEXEC);
    assert_int_equal(ftruncate(fd, 100), 0);
    (void)close(fd);
    assert_int_equal(load(f), SH_MALFORMED);
    assert_int_equal(unlinkat(f->fd, "database.001", 0), 0);
    assert_int_equal(load(f), SH_NOTFOUND);
}

static void only_the_right_key_opens(void **state)
{
    struct fixture *f = *state;
    unsigned char other[2][32];
    char hex[65];

    encrypt(f);
    save(f, 100000);
    f->all.backup.private_key = "";
    assert_int_equal(load(f), SH_FORBIDDEN);
    assert_int_equal(crypto_box_keypair(other[0], other[1]), 0);
    f->all.backup.private_key = sodium_bin2hex(hex, 65, other[1], 32);
    assert_int_equal(load(f), SH_FORBIDDEN);
    assert_int_equal(f->read, 0);
    /* the checksums need no key */
    assert_int_equal(source_check(&f->work, f->fd, f->stream), SH_OK);
}

static void a_full_disk_is_an_error(void **state)
{
    struct fixture *f = *state;

    f->all.backup.free_mb = 1000000000;
    assert_int_equal(sink_room(&f->work, f->fd, 0), SH_BUSY);
    assert_non_null(strstr(f->work.error, "short"));
}

static json_t *some_manifest(void)
{
    return json_pack("{s:s, s:i, s:{s:s, s:f}}", "id", "a", "format", 1, "facts", "x",
                     "y", "z", 0.1);
}

static void a_changed_manifest_is_noticed(void **state)
{
    static const char seed[] =
        "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    static const char other[] =
        "100102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f";
    const char *why = NULL;

    (void)state;
    for (int i = 0; i < 2; i++) {
        const char *key = i == 0 ? "" : seed;
        json_t *manifest = some_manifest();
        assert_int_equal(record_mark(manifest, key), SH_OK);
        assert_int_equal(record_check(manifest, key, &why), SH_OK);
        char *text = json_dumps(manifest, JSON_INDENT(2));
        json_t *again = json_loads(text, 0, NULL);
        assert_int_equal(record_check(again, key, &why), SH_OK);
        json_object_set_new(again, "id", json_string("b"));
        assert_int_equal(record_check(again, key, &why), SH_MALFORMED);
        json_decref(again);
        free(text);
        /* somebody without the key cannot make one that passes */
        assert_int_equal(record_mark(manifest, i == 0 ? "" : other), SH_OK);
        assert_int_equal(record_check(manifest, seed, &why), SH_MALFORMED);
        (void)json_object_del(manifest, "mark");
        assert_int_equal(record_check(manifest, key, &why), SH_MALFORMED);
        json_decref(manifest);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_was_saved_comes_back),     TEST(parts_have_their_size),
        TEST(no_flipped_bit_goes_unnoticed), TEST(what_is_cut_off_or_gone_is_noticed),
        TEST(only_the_right_key_opens),      TEST(a_full_disk_is_an_error),
        TEST(a_changed_manifest_is_noticed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
