/* A snapshot gives the same answers; one that is torn or corrupt is refused. */
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

#include "services/search/vector/hnsw.h"
#include "services/search/vector/hnsw_file.h"
#include "tests/unit/search/hnsw_fixture.h"

enum { SLOTS = 3000, MOST = 100000 };

static char path[64];

static void save(const struct fixture *f)
{
    char aside[80];
    assert_int_equal(hnsw_save(f->index, path), SH_OK);
    (void)snprintf(aside, sizeof(aside), "%s.new", path);
    assert_int_not_equal(access(aside, F_OK), 0);
}

static void make(struct fixture *f)
{
    open_fixture(f, 24, SLOTS, CODE_INT8);
    fill(f, 0, SLOTS);
    for (uint32_t slot = 0; slot < SLOTS; slot += 7) {
        hnsw_remove(f->index, slot);
        f->present[slot] = false;
    }
    assert_int_equal(hnsw_compact(f->index), SH_OK);
    fill(f, 0, 1);
    hnsw_remove(f->index, 1);
    f->present[1] = false;
}

static void what_was_saved_is_found_and_goes_on(void **state)
{
    (void)state;
    struct fixture f;
    make(&f);
    save(&f);
    uint32_t count = hnsw_count(f.index);
    hnsw_free(&f.index);
    assert_int_equal(hnsw_load(path, MOST, &f.index), SH_OK);
    assert_int_equal(hnsw_count(f.index), count);
    assert_int_equal(hnsw_dead(f.index), 1);
    assert_true(recall(&f, 10, 40, HNSW_GRAPH) > 0.95);
    fill(&f, 0, SLOTS);
    assert_int_equal(hnsw_compact(f.index), SH_OK);
    assert_true(recall(&f, 10, 64, HNSW_GRAPH) > 0.95);
    save(&f);
    hnsw_free(&f.index);
    assert_int_equal(hnsw_load(path, MOST, &f.index), SH_OK);
    assert_int_equal(hnsw_count(f.index), SLOTS);
    close_fixture(&f);
}

static void an_empty_graph_is_saved_too(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f, 24, SLOTS, CODE_F16);
    save(&f);
    hnsw_free(&f.index);
    assert_int_equal(hnsw_load(path, MOST, &f.index), SH_OK);
    fill(&f, 0, SLOTS);
    assert_true(recall(&f, 10, 40, HNSW_GRAPH) > 0.95);
    close_fixture(&f);
}

static void refused(enum sh_err expected)
{
    struct hnsw *index = NULL;
    assert_int_equal(hnsw_load(path, MOST, &index), expected);
    assert_null(index);
}

static void torn_files_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct stat info;
    make(&f);
    save(&f);
    assert_int_equal(stat(path, &info), 0);
    for (off_t size = info.st_size - 1; size > 0; size = size * 3 / 4) {
        assert_int_equal(truncate(path, size), 0);
        refused(SH_MALFORMED);
    }
    assert_int_equal(truncate(path, 0), 0);
    refused(SH_MALFORMED);
    assert_int_equal(unlink(path), 0);
    refused(SH_NOTFOUND);
    close_fixture(&f);
}

static void flip(int fd, off_t at)
{
    unsigned char byte = 0;
    assert_int_equal(pread(fd, &byte, 1, at), 1);
    byte ^= 0x10;
    assert_int_equal(pwrite(fd, &byte, 1, at), 1);
}

/* One bit anywhere that counts. */
static void corrupt_files_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    struct file_header header;
    make(&f);
    save(&f);
    int fd = open(path, O_RDWR | O_CLOEXEC);
    assert_int_equal(pread(fd, &header, sizeof(header), 0), sizeof(header));
    size_t end = sizeof(header) + header.chunk_count * sizeof(uint64_t);
    for (size_t at = 0; at < end; at++) {
        flip(fd, (off_t)at);
        refused(SH_MALFORMED);
        flip(fd, (off_t)at);
    }
    for (int i = 0; i < FILE_SECTIONS; i++) {
        const struct file_section *section = &header.sections[i];
        for (uint64_t at = 0; at < section->bytes; at += section->bytes / 5) {
            flip(fd, (off_t)(section->offset + at));
            refused(SH_MALFORMED);
            flip(fd, (off_t)(section->offset + at));
        }
    }
    close(fd);
    hnsw_free(&f.index);
    assert_int_equal(hnsw_load(path, 100, &f.index), SH_TOOBIG);
    assert_int_equal(hnsw_load(path, MOST, &f.index), SH_OK);
    close_fixture(&f);
}

static void a_failed_save_leaves_the_old_file(void **state)
{
    (void)state;
    struct fixture f;
    make(&f);
    save(&f);
    for (int failures = 0; failures < 2; failures++) {
        sh_mem_fail_after(failures);
        assert_int_equal(hnsw_save(f.index, path), SH_NOMEM);
        sh_mem_fail_after(-1);
    }
    assert_int_equal(hnsw_save(f.index, "/nonexistent/x"), SH_IO);
    hnsw_free(&f.index);
    assert_int_equal(hnsw_load(path, MOST, &f.index), SH_OK);
    close_fixture(&f);
}

static int make_path(void **state)
{
    (void)state;
    (void)snprintf(path, sizeof(path), "/tmp/test_hnsw_XXXXXX");
    int fd = mkstemp(path);
    return fd >= 0 ? close(fd) : -1;
}

static int remove_path(void **state)
{
    (void)state;
    (void)unlink(path);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_saved_is_found_and_goes_on),
        cmocka_unit_test(an_empty_graph_is_saved_too),
        cmocka_unit_test(torn_files_are_refused),
        cmocka_unit_test(corrupt_files_are_refused),
        cmocka_unit_test(a_failed_save_leaves_the_old_file),
    };
    return cmocka_run_group_tests(tests, make_path, remove_path);
}
