/* The promises of text_snapshot.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/search/text/snapshot_format.h"
#include "services/search/text/text_snapshot.h"
#include "shared/clock.h"

enum { SLOTS = 3000 };

struct fixture {
    struct text_options options;
    struct text_index *index;
    struct analyzer *analyzer;
    struct sh_arena arena;
    struct bitmap allowed;
    char directory[32];
    char path[64];
};

static void add(struct fixture *f, struct text_index *index, uint32_t slot, bool remove)
{
    char body[128];
    struct entry entry;
    (void)snprintf(body, sizeof(body), "bee honey number %u %s word%u", slot,
                   slot % 3 ? "red wax" : "wax red", slot % 100);
    const struct sh_bytes fields[TEXT_FIELDS] = {
        sh_bytes_of("A Title"), {0}, sh_bytes_of(body)};
    assert_int_equal(entry_make(f->analyzer, fields, &f->arena, &entry), SH_OK);
    if (remove)
        text_index_remove(index, slot, &entry);
    else
        assert_int_equal(text_index_add(index, slot, &entry), SH_OK);
    sh_arena_free(&f->arena);
}

static void open_fixture(struct fixture *f)
{
    *f = (struct fixture){.options = text_defaults(), .allowed = {NULL, 2 * SLOTS}};
    assert_int_equal(text_index_create(&f->options, &f->index), SH_OK);
    assert_int_equal(analyzer_create("english", &f->analyzer), SH_OK);
    f->allowed.words = sh_alloc_array(bitmap_words(2 * SLOTS), sizeof(uint64_t));
    assert_non_null(f->allowed.words);
    memset(f->allowed.words, 0xff, bitmap_words(2 * SLOTS) * sizeof(uint64_t));
    strcpy(f->directory, "/tmp/snapshot-XXXXXX");
    assert_non_null(mkdtemp(f->directory));
    (void)snprintf(f->path, sizeof(f->path), "%s/text", f->directory);
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        add(f, f->index, slot, false);
    for (uint32_t slot = 0; slot < SLOTS; slot += 5)
        add(f, f->index, slot, true);
}

static void close_fixture(struct fixture *f)
{
    text_index_free(&f->index);
    analyzer_free(&f->analyzer);
    sh_arena_free(&f->arena);
    sh_free(f->allowed.words);
    (void)unlink(f->path);
    assert_int_equal(rmdir(f->directory), 0); /* nothing else was left there */
}

static struct leg find(struct fixture *f, const struct text_index *index,
                       const char *text)
{
    struct text_query query;
    struct leg leg;
    struct bitmap allowed = f->allowed;
    allowed.words = sh_arena_array(&f->arena, bitmap_words(allowed.bits), 8);
    assert_non_null(allowed.words);
    memcpy(allowed.words, f->allowed.words, bitmap_words(allowed.bits) * 8);
    assert_int_equal(
        text_query_make(&f->analyzer, 1, sh_bytes_of(text), &f->arena, &query), SH_OK);
    assert_int_equal(text_index_expand(index, &f->allowed, &query, &f->arena), SH_OK);
    assert_int_equal(text_index_restrict(index, &query, &allowed, SH_NO_DEADLINE), SH_OK);
    assert_int_equal(
        text_index_search(index, &query, &allowed, SH_NO_DEADLINE, &f->arena, &leg),
        SH_OK);
    return leg;
}

static void assert_alike(struct fixture *f, const struct text_index *other)
{
    static const char *const queries[] = {"bee",      "number 77",   "\"red wax\"",
                                          "hony ",    "word4* -wax", "title 2999",
                                          "unknown7 "};
    for (size_t i = 0; i < SH_COUNT(queries); i++) {
        struct leg left = find(f, f->index, queries[i]);
        struct leg right = find(f, other, queries[i]);
        assert_int_equal(left.count, right.count);
        for (size_t n = 0; n < left.count; n++) {
            assert_int_equal(left.hits[n].slot, right.hits[n].slot);
            assert_memory_equal(&left.hits[n].score, &right.hits[n].score, sizeof(float));
        }
        sh_arena_free(&f->arena);
    }
}

static struct text_index *reopen(struct fixture *f)
{
    struct text_index *index = NULL;
    struct sh_bytes note;
    assert_int_equal(text_snapshot_open(f->path, &f->options, &f->arena, &index, &note),
                     SH_OK);
    assert_true(sh_bytes_is(note, "at 4711"));
    return index;
}

static void tend(struct text_index *index)
{
    struct text_upkeep *upkeep = NULL;
    assert_int_equal(text_upkeep_make(index, &upkeep), SH_OK);
    if (upkeep)
        text_upkeep_apply(upkeep, index);
    text_upkeep_free(&upkeep);
}

static void what_was_written_is_read(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_int_equal(text_snapshot_write(f.index, sh_bytes_of("at 4711"), f.path), SH_OK);
    struct text_index *index = reopen(&f);
    assert_alike(&f, index);
    text_index_free(&index);
    /* with the dictionary in order, over an older file */
    tend(f.index);
    assert_int_equal(text_snapshot_write(f.index, sh_bytes_of("at 4711"), f.path), SH_OK);
    index = reopen(&f);
    assert_int_equal(unlink(f.path), 0);
    assert_alike(&f, index);
    text_index_free(&index);
    close_fixture(&f);
}

/* It lives on as if it had never been away, and can be written again. */
static void what_was_read_can_be_changed(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    assert_int_equal(text_snapshot_write(f.index, sh_bytes_of("at 4711"), f.path), SH_OK);
    struct text_index *index = reopen(&f);
    for (int round = 0; round < 3; round++) {
        for (uint32_t slot = 1; slot < SLOTS; slot += 2 + (uint32_t)round) {
            add(&f, f.index, slot, true);
            add(&f, index, slot, true);
        }
        for (uint32_t slot = 1; slot < SLOTS; slot += 2 + (uint32_t)round) {
            add(&f, f.index, slot + SLOTS, false);
            add(&f, index, slot + SLOTS, false);
            add(&f, f.index, slot + SLOTS, true);
            add(&f, index, slot + SLOTS, true);
            add(&f, f.index, slot, false);
            add(&f, index, slot, false);
        }
        assert_alike(&f, index);
        tend(index);
        assert_alike(&f, index);
    }
    assert_int_equal(text_snapshot_write(index, sh_bytes_of("at 4711"), f.path), SH_OK);
    text_index_free(&index);
    index = reopen(&f);
    assert_alike(&f, index);
    text_index_free(&index);
    close_fixture(&f);
}

static void an_empty_index_is_kept_too(void **state)
{
    (void)state;
    struct fixture f;
    open_fixture(&f);
    text_index_free(&f.index);
    assert_int_equal(text_index_create(&f.options, &f.index), SH_OK);
    assert_int_equal(text_snapshot_write(f.index, sh_bytes_of("at 4711"), f.path), SH_OK);
    struct text_index *index = reopen(&f);
    assert_alike(&f, index);
    add(&f, index, 3, false);
    assert_int_equal(find(&f, index, "bee").count, 1);
    text_index_free(&index);
    close_fixture(&f);
}

static char *saved(struct fixture *f, size_t *len)
{
    char *data = NULL;
    FILE *file = open_memstream(&data, len);
    assert_non_null(file);
    assert_int_equal(text_snapshot_save(f->index, sh_bytes_of("note"), file), SH_OK);
    assert_int_equal(fclose(file), 0);
    return data;
}

static enum sh_err read_back(struct fixture *f, const char *data, size_t len)
{
    struct text_index *index = NULL;
    struct sh_bytes note;
    enum sh_err err = text_snapshot_read((struct sh_bytes){data, len}, &f->options,
                                         &f->arena, &index, &note);
    assert_true((err == SH_OK) == (index != NULL));
    text_index_free(&index);
    return err;
}

static void a_torn_or_changed_file_is_refused(void **state)
{
    (void)state;
    struct fixture f;
    size_t len = 0;
    open_fixture(&f);
    char *data = saved(&f, &len);
    struct snapshot_foot foot;
    memcpy(&foot, data + len - sizeof(foot), sizeof(foot));
    assert_int_equal(read_back(&f, data, len), SH_OK);
    for (size_t cut = 0; cut < len; cut += len / 50)
        assert_int_equal(read_back(&f, data, cut), SH_MALFORMED);
    assert_int_equal(read_back(&f, data, len - 1), SH_MALFORMED);
    for (int id = 0; id < SNAPSHOT_SECTIONS; id++) {
        size_t at = foot.sections[id].start + foot.sections[id].len / 2;
        if (foot.sections[id].len == 0)
            continue;
        data[at] ^= 1;
        assert_int_equal(read_back(&f, data, len), SH_MALFORMED);
        data[at] ^= 1;
    }
    for (size_t at = len - sizeof(foot); at < len; at++) {
        data[at] ^= 1;
        assert_int_equal(read_back(&f, data, len), SH_MALFORMED);
        data[at] ^= 1;
    }
    assert_int_equal(read_back(&f, data, len), SH_OK);
    free(data);
    close_fixture(&f);
}

static void without_memory_or_file_the_error_is_told(void **state)
{
    (void)state;
    struct fixture f;
    size_t len = 0;
    struct text_index *index = NULL;
    struct sh_bytes note;
    open_fixture(&f);
    char *data = saved(&f, &len);
    enum sh_err err = SH_NOMEM;
    int failures = 0;
    for (; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = read_back(&f, data, len);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 5);
    free(data);
    assert_int_equal(text_snapshot_open(f.path, &f.options, &f.arena, &index, &note),
                     SH_NOTFOUND);
    assert_int_equal(text_snapshot_open(f.directory, &f.options, &f.arena, &index, &note),
                     SH_IO);
    assert_int_equal(text_snapshot_write(f.index, sh_bytes_of(""), "/no/such/place"),
                     SH_IO);
    close_fixture(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_written_is_read),
        cmocka_unit_test(what_was_read_can_be_changed),
        cmocka_unit_test(an_empty_index_is_kept_too),
        cmocka_unit_test(a_torn_or_changed_file_is_refused),
        cmocka_unit_test(without_memory_or_file_the_error_is_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
