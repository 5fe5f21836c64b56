/* The promises of rows.h and of snapshots of the vector index: what is damaged is never
 * used, and what was saved comes back. */
#include <dirent.h>
#include <fcntl.h>
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/search/vector/rows.h"
#include "services/search/vector/vector_index.h"
#include "shared/clock.h"

enum { DIMENSION = 20, SLOTS = 3000, MOST = 100000 };

static char dir[64];
static char kept[96];
static char saved[96];

static void vector_of(uint32_t slot, float *vector)
{
    for (uint32_t i = 0; i < DIMENSION; i++)
        vector[i] = sinf((float)(slot * 31 + i * i + 1));
}

static struct rows_options in_file(void)
{
    return (struct rows_options){DIMENSION, MOST, dir};
}

static void fill(struct rows *rows)
{
    float vector[DIMENSION];
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        vector_of(slot, vector);
        assert_int_equal(rows_set(rows, slot, vector), SH_OK);
    }
}

static bool holds(const struct rows *rows, uint32_t slot)
{
    float vector[DIMENSION];
    const float *row = rows_get(rows, slot);
    vector_of(slot, vector);
    for (uint32_t i = 0; row && i < DIMENSION; i++) {
        if (row[i] < vector[i] || row[i] > vector[i])
            return false;
    }
    return row != NULL;
}

static int files_in(const char *path)
{
    int count = 0;
    DIR *entries = opendir(path);
    assert_non_null(entries);
    for (struct dirent *entry = readdir(entries); entry; entry = readdir(entries))
        count += strncmp(entry->d_name, "rows-", 5) == 0;
    closedir(entries);
    return count;
}

/* A file with SLOTS rows, called `kept` and not in use. */
static uint64_t keep_file(void)
{
    const struct rows_options options = in_file();
    struct rows *rows = NULL;
    assert_int_equal(rows_create(&options, &rows), SH_OK);
    fill(rows);
    assert_int_equal(rows_link(rows, kept), SH_OK);
    assert_int_equal(rows_sync(rows), SH_OK);
    uint64_t identity = rows_identity(rows);
    rows_free(&rows);
    assert_null(rows);
    return identity;
}

static void overwrite(const char *path, off_t offset, const void *data, size_t bytes)
{
    int fd = open(path, O_RDWR);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, data, bytes, offset), bytes);
    close(fd);
}

static void rows_stay_where_they_are(void **state)
{
    (void)state;
    const struct rows_options places[] = {{DIMENSION, MOST, NULL}, in_file()};
    float vector[DIMENSION];
    for (size_t i = 0; i < SH_COUNT(places); i++) {
        struct rows *rows = NULL;
        assert_int_equal(rows_create(&places[i], &rows), SH_OK);
        assert_null(rows_get(rows, 0));
        vector_of(0, vector);
        assert_int_equal(rows_set(rows, 0, vector), SH_OK);
        const float *first = rows_get(rows, 0);
        fill(rows);
        vector_of(MOST - 1, vector);
        assert_int_equal(rows_set(rows, MOST - 1, vector), SH_OK);
        assert_ptr_equal(rows_get(rows, 0), first);
        for (uint32_t slot = 0; slot < SLOTS; slot++)
            assert_true(holds(rows, slot));
        assert_true(holds(rows, MOST - 1));
        assert_null(rows_get(rows, SLOTS));
        assert_null(rows_get(rows, MOST));
        assert_int_equal(rows_set(rows, MOST, vector), SH_TOOBIG);
        assert_int_equal(rows_damaged(rows), 0);
        assert_int_equal(rows_sync(rows), SH_OK);
        rows_free(&rows);
    }
    assert_int_equal(files_in(dir), 0);
}

static void a_file_is_used_again(void **state)
{
    (void)state;
    const struct rows_options options = in_file();
    struct rows *rows = NULL;
    float vector[DIMENSION];
    uint64_t identity = keep_file();
    assert_int_equal(rows_open(&options, kept, identity, &rows), SH_OK);
    assert_int_equal(files_in(dir), 1);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        assert_true(holds(rows, slot));
    vector_of(MOST - 1, vector);
    assert_int_equal(rows_set(rows, MOST - 1, vector), SH_OK);
    assert_true(holds(rows, MOST - 1));
    rows_free(&rows);
    /* a row that was set later is in it, under its second name, too */
    assert_int_equal(rows_open(&options, kept, identity, &rows), SH_OK);
    assert_true(holds(rows, MOST - 1));
    rows_free(&rows);
    assert_int_equal(rows_open(&options, kept, identity ^ 2, &rows), SH_CONFLICT);
    const struct rows_options other = {DIMENSION + 1, MOST, dir};
    assert_int_equal(rows_open(&other, kept, identity, &rows), SH_CONFLICT);
    assert_null(rows);
    assert_int_equal(unlink(kept), 0);
    assert_int_equal(rows_open(&options, kept, identity, &rows), SH_NOTFOUND);
}

static void a_damaged_row_is_refused(void **state)
{
    (void)state;
    const struct rows_options options = in_file();
    struct rows *rows = NULL;
    uint64_t identity = keep_file();
    const off_t record = 128; /* 20 floats and a checksum, up to the cache's lines */
    const off_t checksum = 80;
    overwrite(kept, 65536 + 7 * record + 5, "!", 1);
    overwrite(kept, 65536 + 8 * record + checksum, "!", 1);
    /* a good row in another one's place */
    int fd = open(kept, O_RDWR);
    char other[128];
    assert_int_equal(pread(fd, other, sizeof(other), 65536 + 1 * record), sizeof(other));
    close(fd);
    overwrite(kept, 65536 + 9 * record, other, sizeof(other));
    assert_int_equal(rows_open(&options, kept, identity, &rows), SH_OK);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        assert_int_equal(holds(rows, slot), slot < 7 || slot > 9);
    for (uint32_t slot = 7; slot < 10; slot++)
        assert_null(rows_get(rows, slot));
    assert_int_equal(rows_damaged(rows), 3);
    float vector[DIMENSION];
    vector_of(8, vector);
    assert_int_equal(rows_set(rows, 8, vector), SH_OK); /* good again */
    assert_true(holds(rows, 8));
    assert_int_equal(rows_damaged(rows), 2);
    rows_free(&rows);
    unlink(kept);
}

/* At any length: an error, or fewer rows, never a wrong one. */
static void a_file_cut_short_has_fewer_rows(void **state)
{
    (void)state;
    const struct rows_options options = in_file();
    uint64_t identity = keep_file();
    struct stat status;
    assert_int_equal(stat(kept, &status), 0);
    size_t refused = 0;
    size_t fewer = 0;
    for (off_t size = status.st_size; size >= 0; size -= size > 200000 ? 65000 : 9973) {
        struct rows *rows = NULL;
        uint32_t count = 0;
        assert_int_equal(truncate(kept, size), 0);
        enum sh_err err = rows_open(&options, kept, identity, &rows);
        assert_true(err == SH_OK || err == SH_MALFORMED);
        refused += err != SH_OK;
        for (uint32_t slot = 0; rows && slot < SLOTS; slot++) {
            bool whole = holds(rows, slot);
            assert_true(whole || !rows_get(rows, slot));
            count += whole;
        }
        fewer += rows && count < SLOTS;
        rows_free(&rows);
    }
    assert_true(refused > 1);
    assert_true(fewer > 1);
    unlink(kept);
}

static void a_damaged_head_is_refused(void **state)
{
    (void)state;
    const struct rows_options options = in_file();
    uint64_t identity = keep_file();
    struct rows *rows = NULL;
    char head[40];
    int fd = open(kept, O_RDWR);
    assert_int_equal(pread(fd, head, sizeof(head), 0), sizeof(head));
    close(fd);
    for (size_t i = 0; i < sizeof(head); i++) {
        char changed = (char)(head[i] ^ 1);
        overwrite(kept, (off_t)i, &changed, 1);
        assert_int_equal(rows_open(&options, kept, identity, &rows), SH_MALFORMED);
        overwrite(kept, (off_t)i, &head[i], 1);
    }
    assert_int_equal(rows_open(&options, kept, identity, &rows), SH_OK);
    rows_free(&rows);
    unlink(kept);
}

static void what_a_dead_process_left_is_removed(void **state)
{
    (void)state;
    char path[128];
    (void)snprintf(path, sizeof(path), "%s/rows-0123456789abcdef", dir);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    (void)snprintf(path, sizeof(path), "%s/rows-of-others", dir);
    fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    rows_clean(dir);
    assert_int_equal(files_in(dir), 1);
    assert_int_equal(unlink(path), 0);
    rows_clean("/nowhere");
}

static void memory_may_fail_at_any_time(void **state)
{
    (void)state;
    const struct rows_options options = in_file();
    struct rows *rows = NULL;
    uint64_t identity = keep_file();
    int failures = 0;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = rows_open(&options, kept, identity, &rows);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 1);
    rows_free(&rows);
    unlink(kept);
    assert_int_equal(files_in(dir), 0);
}

/* --- the whole index -------------------------------------------------------------- */

static struct vector_options small(void)
{
    struct vector_options options = vector_defaults();
    options.links = 6;
    options.ef_construction = 24;
    options.most = MOST;
    options.rows = dir;
    return options;
}

static void save_index(struct leg *leg, struct sh_arena *arena)
{
    const struct vector_options options = small();
    struct vector_index *index = NULL;
    float vector[DIMENSION];
    assert_int_equal(vector_index_create(DIMENSION, &options, &index), SH_OK);
    for (uint32_t slot = 0; slot < SLOTS; slot++) {
        vector_of(slot, vector);
        assert_int_equal(vector_index_set(index, slot, vector), SH_OK);
        if (slot % 7 == 0)
            vector_index_remove(index, slot);
    }
    uint32_t slots[SLOTS];
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        slots[slot] = slot;
    const float *query = NULL;
    assert_int_equal(vector_query_make(index, vector, arena, &query), SH_OK);
    assert_int_equal(vector_index_cosines(index, query, slots, SLOTS, arena, leg), SH_OK);
    assert_int_equal(leg->count, vector_index_count(index));
    assert_int_equal(mkdir(saved, 0700), 0);
    assert_int_equal(vector_index_save(index, saved), SH_OK);
    vector_index_free(&index);
}

static void remove_saved(void)
{
    static const char *const names[] = {"graph", "vectors", "rows"};
    char path[128];
    for (size_t i = 0; i < SH_COUNT(names); i++) {
        (void)snprintf(path, sizeof(path), "%s/%s", saved, names[i]);
        unlink(path);
    }
    assert_int_equal(rmdir(saved), 0);
}

/* Of all slots, with the last one's vector as query. */
static struct leg cosines_of(const struct vector_index *index, struct sh_arena *arena)
{
    struct leg leg;
    uint32_t slots[SLOTS];
    float vector[DIMENSION];
    const float *query = NULL;
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        slots[slot] = slot;
    vector_of(SLOTS - 1, vector);
    assert_int_equal(vector_query_make(index, vector, arena, &query), SH_OK);
    assert_int_equal(vector_index_cosines(index, query, slots, SLOTS, arena, &leg),
                     SH_OK);
    return leg;
}

static void a_saved_index_comes_back(void **state)
{
    (void)state;
    const struct vector_options options = small();
    struct vector_index *index = NULL;
    struct sh_arena arena = {0};
    struct leg before;
    save_index(&before, &arena);
    assert_int_equal(vector_index_open(saved, DIMENSION, &options, &index), SH_OK);
    struct leg after = cosines_of(index, &arena);
    assert_int_equal(after.count, before.count);
    assert_memory_equal(after.hits, before.hits, before.count * sizeof(before.hits[0]));
    float vector[DIMENSION];
    vector_of(0, vector);
    assert_int_equal(vector_index_set(index, 0, vector), SH_OK);
    assert_int_equal(vector_index_save(index, saved), SH_OK); /* in place of the old */
    vector_index_free(&index);
    assert_int_equal(vector_index_open(saved, DIMENSION, &options, &index), SH_OK);
    assert_true(vector_index_has(index, 0));
    assert_int_equal(vector_index_count(index), before.count + 1);
    vector_index_free(&index);
    struct vector_options other = small();
    other.codes = CODE_F16;
    assert_int_equal(vector_index_open(saved, DIMENSION, &other, &index), SH_CONFLICT);
    assert_int_equal(vector_index_open(saved, 3, &options, &index), SH_CONFLICT);
    other = small();
    other.rows = NULL;
    assert_int_equal(vector_index_open(saved, DIMENSION, &other, &index), SH_INVALID);
    remove_saved();
    assert_int_equal(files_in(dir), 0);
    sh_arena_free(&arena);
}

/* The quantised score stands where the full row is damaged. */
static void a_damaged_row_does_not_hide_its_passage(void **state)
{
    (void)state;
    const struct vector_options options = small();
    struct vector_index *index = NULL;
    struct sh_arena arena = {0};
    struct leg before;
    char path[128];
    float cosine = 0;
    save_index(&before, &arena);
    (void)snprintf(path, sizeof(path), "%s/rows", saved);
    overwrite(path, 65536 + 8 * 128 + 3, "!!!!", 4);
    assert_int_equal(vector_index_open(saved, DIMENSION, &options, &index), SH_OK);
    struct leg after = cosines_of(index, &arena);
    assert_int_equal(vector_index_damaged(index), 1);
    assert_int_equal(after.count, before.count);
    for (size_t i = 0; i < after.count; i++) {
        assert_int_equal(after.hits[i].slot, before.hits[i].slot);
        float apart = fabsf(after.hits[i].score - before.hits[i].score);
        assert_true(after.hits[i].slot == 8 ? apart < 0.02F : apart == 0);
    }
    assert_false(vector_index_between(index, 8, 9, &cosine));
    vector_index_free(&index);
    remove_saved();
    sh_arena_free(&arena);
}

static void a_torn_snapshot_is_refused(void **state)
{
    (void)state;
    static const char *const names[] = {"graph", "vectors", "rows"};
    const struct vector_options options = small();
    struct sh_arena arena = {0};
    struct leg before;
    char path[128];
    for (size_t i = 0; i < SH_COUNT(names); i++) {
        struct vector_index *index = NULL;
        save_index(&before, &arena);
        (void)snprintf(path, sizeof(path), "%s/%s", saved, names[i]);
        assert_int_equal(truncate(path, 30), 0);
        assert_int_equal(vector_index_open(saved, DIMENSION, &options, &index),
                         SH_MALFORMED);
        assert_int_equal(unlink(path), 0);
        assert_int_equal(vector_index_open(saved, DIMENSION, &options, &index),
                         SH_NOTFOUND);
        assert_null(index);
        remove_saved();
    }
    sh_arena_free(&arena);
}

static int make_dir(void **state)
{
    (void)state;
    (void)snprintf(dir, sizeof(dir), "/tmp/cairn-rows-XXXXXX");
    if (!mkdtemp(dir))
        return -1;
    (void)snprintf(kept, sizeof(kept), "%s/kept", dir);
    (void)snprintf(saved, sizeof(saved), "%s/saved", dir);
    return 0;
}

static int remove_dir(void **state)
{
    (void)state;
    return rmdir(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_stay_where_they_are),
        cmocka_unit_test(a_file_is_used_again),
        cmocka_unit_test(a_damaged_row_is_refused),
        cmocka_unit_test(a_file_cut_short_has_fewer_rows),
        cmocka_unit_test(a_damaged_head_is_refused),
        cmocka_unit_test(what_a_dead_process_left_is_removed),
        cmocka_unit_test(memory_may_fail_at_any_time),
        cmocka_unit_test(a_saved_index_comes_back),
        cmocka_unit_test(a_damaged_row_does_not_hide_its_passage),
        cmocka_unit_test(a_torn_snapshot_is_refused),
    };
    return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
