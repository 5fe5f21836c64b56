/* The stored log: what is there, what is missing, and that nothing damaged counts. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <sodium.h>

#include "services/backup/wal/chain.h"
#include "services/backup/wal/store.h"

enum { SIZE = 1 << 20, FIRST = 5 };

static const char system_id[] = "7710913610122115833";

struct fixture {
    struct backup_all all;
    struct work work;
    char folder[64];
    int store;
    int segment; /* a file with what a segment may have in it */
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char path[96];

    assert_non_null(f);
    assert_true(sodium_init() >= 0);
    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/chain-test-XXXXXX");
    assert_non_null(mkdtemp(f->folder));
    f->all.backup = (struct backup_config){.directory = f->folder,
                                           .compression = "zstd",
                                           .level = 1,
                                           .part_mb = 1,
                                           .public_key = "",
                                           .private_key = "",
                                           .signing_key = ""};
    f->work = (struct work){.all = &f->all, .stage = "test"};
    f->work.root = open(f->folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    assert_true(f->work.root >= 0);
    (void)snprintf(path, sizeof(path), "%s/segment", f->folder);
    f->segment = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    assert_true(f->segment >= 0);
    assert_int_equal(ftruncate(f->segment, SIZE), 0);
    assert_int_equal(store_open(&f->work, system_id, true, &f->store), SH_OK);
    *state = f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[128];

    (void)close(f->store);
    (void)close(f->segment);
    (void)close(f->work.root);
    (void)snprintf(command, sizeof(command), "rm -rf %s", f->folder);
    assert_int_equal(system(command), 0); /* NOLINT(cert-env33-c): a test's own folder */
    free(f);
    return 0;
}

static void name_of(uint64_t number, char out[static SEGMENT_NAME])
{
    segment_name((struct segment){1, number}, SIZE, out);
}

static void keep(struct fixture *f, uint64_t number)
{
    char name[SEGMENT_NAME];

    name_of(number, name);
    struct store_piece piece = {.name = name,
                                .segment = name,
                                .system = system_id,
                                .through = (number + 1) * SIZE,
                                .at = (double)number};
    assert_int_equal(store_put(&f->work, f->store, f->segment, &piece), SH_OK);
}

static void keep_partial(struct fixture *f, unsigned which, uint64_t number,
                         uint64_t bytes)
{
    char name[SEGMENT_NAME];

    name_of(number, name);
    struct store_piece piece = {.name = store_partial(which),
                                .segment = name,
                                .system = system_id,
                                .through = number * SIZE + bytes,
                                .at = 1000 + (double)bytes,
                                .partial = true};
    assert_int_equal(store_put(&f->work, f->store, f->segment, &piece), SH_OK);
}

static struct chain look(struct fixture *f)
{
    struct chain chain;

    assert_int_equal(
        chain_read(&f->work, system_id, SIZE, (struct segment){1, FIRST}, &chain), SH_OK);
    return chain;
}

static void drop(struct fixture *f, uint64_t number, const char *end)
{
    char name[SEGMENT_NAME];
    char file[64];

    name_of(number, name);
    (void)snprintf(file, sizeof(file), "%s%s", name, end);
    assert_int_equal(unlinkat(f->store, file, 0), 0);
}

static void nothing_is_no_error(void **state)
{
    struct fixture *f = *state;
    struct chain chain;

    assert_int_equal(chain_read(&f->work, "1", SIZE, (struct segment){1, FIRST}, &chain),
                     SH_OK);
    assert_true(chain.through == 0 && chain.missing == 0);
    chain_close(&chain);
    chain = look(f);
    assert_true(chain.through == 0 && chain.missing == 0);
    chain_close(&chain);
}

static void it_reaches_to_the_partial_one(void **state)
{
    struct fixture *f = *state;
    struct chain chain;

    for (uint64_t i = FIRST - 2; i < FIRST + 3; i++) /* older ones are not asked for */
        keep(f, i);
    chain = look(f);
    assert_int_equal(chain.count, 3);
    assert_int_equal(chain.through, (FIRST + 3) * SIZE);
    assert_true(chain.at == FIRST + 2 && chain.missing == 0);
    chain_close(&chain);
    keep_partial(f, 0, FIRST + 3, 100);
    keep_partial(f, 1, FIRST + 3, 200);
    chain = look(f);
    assert_int_equal(chain.through, (FIRST + 3) * SIZE + 200);
    assert_true(chain.at == 1200);
    assert_string_equal(chain.partial, "partial-b");
    assert_int_equal(chain_check(&chain), SH_OK);
    chain_close(&chain);
}

/* The one that was being overwritten when somebody was killed. */
static void of_a_damaged_partial_one_the_other_counts(void **state)
{
    struct fixture *f = *state;
    struct chain chain;

    keep(f, FIRST);
    keep_partial(f, 0, FIRST + 1, 100);
    keep_partial(f, 1, FIRST + 1, 200);
    int fd = openat(f->store, "partial-b.000", O_WRONLY | O_TRUNC | O_CLOEXEC);
    assert_true(fd >= 0);
    (void)close(fd);
    chain = look(f);
    assert_int_equal(chain.through, (FIRST + 1) * SIZE + 100);
    assert_string_equal(chain.partial, "partial-a");
    chain_close(&chain);
}

static void what_is_missing_has_a_name(void **state)
{
    struct fixture *f = *state;
    static const char *const ends[] = {".json", ".000"};
    char name[SEGMENT_NAME];

    for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
        for (uint64_t n = FIRST; n < FIRST + 5; n++)
            keep(f, n);
        keep_partial(f, 0, FIRST + 6, 100); /* and one before it */
        drop(f, FIRST + 2, ends[i]);
        struct chain chain = look(f);
        name_of(FIRST + 2, name);
        assert_int_equal(chain.missing, 2);
        assert_string_equal(chain.first_missing, name);
        assert_int_equal(chain.through, (FIRST + 2) * SIZE);
        assert_string_equal(chain.partial, ""); /* out of reach */
        chain_close(&chain);
    }
}

static void from_the_first_on_something_is_missing_too(void **state)
{
    struct fixture *f = *state;

    keep(f, FIRST + 2);
    struct chain chain = look(f);
    assert_int_equal(chain.missing, 2);
    assert_int_equal(chain.through, 0);
    chain_close(&chain);
}

static void a_damaged_piece_is_found(void **state)
{
    struct fixture *f = *state;
    char name[SEGMENT_NAME];
    char file[64];

    keep(f, FIRST);
    name_of(FIRST, name);
    (void)snprintf(file, sizeof(file), "%s.000", name);
    int fd = openat(f->store, file, O_RDWR | O_CLOEXEC);
    assert_int_equal(pwrite(fd, "?", 1, 9), 1);
    (void)close(fd);
    struct chain chain = look(f);
    assert_int_equal(chain_check(&chain), SH_MALFORMED);
    chain_close(&chain);
    f->work.error[0] = '\0';
    (void)snprintf(file, sizeof(file), "%s.json", name);
    fd = openat(f->store, file, O_RDWR | O_CLOEXEC); /* "format":1 */
    assert_int_equal(pwrite(fd, "x", 1, 20), 1);
    (void)close(fd);
    json_t *record = NULL;
    assert_int_equal(store_record(&f->work, f->store, name, &record), SH_MALFORMED);
    assert_null(record);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_no_error, set_up, tear_down),
        cmocka_unit_test_setup_teardown(it_reaches_to_the_partial_one, set_up, tear_down),
        cmocka_unit_test_setup_teardown(of_a_damaged_partial_one_the_other_counts, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(what_is_missing_has_a_name, set_up, tear_down),
        cmocka_unit_test_setup_teardown(from_the_first_on_something_is_missing_too,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_damaged_piece_is_found, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
