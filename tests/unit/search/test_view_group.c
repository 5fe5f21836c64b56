/* Results of several passages, and so many a document, as the view answers them. */
#include <stdlib.h>

#include "tests/unit/search/view_fixture.h"

enum { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };
enum { GREAT = 2400, SMALL = 30 }; /* more than what is looked at as a whole */

static const float north[DIMENSION] = {1, 0, 0, 0};

static void put_chunks(struct fixture *f, const char *id, const char *const *texts,
                       size_t count)
{
    struct view_document document = document_of(id, "Title");
    struct view_chunk *chunks = calloc(count, sizeof(*chunks));
    char(*names)[64] = calloc(count, sizeof(*names));
    for (size_t i = 0; i < count; i++) {
        (void)snprintf(names[i], sizeof(names[i]), "%s#%zu", id, i);
        chunks[i] = (struct view_chunk){.chunk_id = sh_bytes_of(names[i]),
                                        .section_title = sh_bytes_of(i ? "More" : "One"),
                                        .text = sh_bytes_of(texts[i]),
                                        .page_number = (uint32_t)i + 5,
                                        .ordinal = (uint32_t)i,
                                        .vector = north};
    }
    document.chunks = chunks;
    document.chunk_count = count;
    assert_int_equal(view_put(f->view, &document), SH_OK);
    free(chunks);
    free(names);
}

static const char *const guide[] = {"Nothing of interest here.",
                                    "The seal is grey. It lives on the ice.",
                                    "It lives on the ice. The seal eats fish & chips.",
                                    "Nothing again.", "A seal by itself."};

static void neighbours_are_one_result(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_chunks(&f, "d", guide, SH_COUNT(guide));
    f.query.mode = MODE_TEXT;
    f.query.merge = true;
    f.query.highlight = true;
    f.query.explain = true;
    assert_int_equal(search_for(&f, "seal eats ", NULL), SH_OK);
    assert_int_equal(f.results.total, 3); /* passages, as ever */
    assert_int_equal(f.results.hits_count, 2);
    const struct search_hit *hit = &f.results.hits[0];
    assert_true(sh_bytes_is(hit->chunk_id, "d#2")); /* the best of them */
    assert_true(sh_bytes_is(hit->text, "The seal is grey. It lives on the ice. The seal "
                                       "eats fish & chips."));
    assert_true(sh_bytes_is(hit->highlight,
                            "The <em>seal</em> is grey. It lives on the ice. The "
                            "<em>seal</em> <em>eats</em> fish &amp; chips."));
    assert_int_equal(hit->page_number, 6); /* of the first */
    assert_true(sh_bytes_is(hit->section_title, "More"));
    assert_int_equal(hit->merged_count, 2);
    assert_true(sh_bytes_is(hit->merged[0], "d#1"));
    assert_true(sh_bytes_is(hit->merged[1], "d#2"));
    assert_true(hit->explanation.len > 0);
    assert_int_equal(f.results.hits[1].merged_count, 0);
    assert_true(hit_is(&f, 1, "d#4"));
    fixture_close(&f);
}

static void without_being_asked_nothing_is_merged(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_chunks(&f, "d", guide, SH_COUNT(guide));
    f.query.mode = MODE_TEXT;
    assert_int_equal(search_for(&f, "seal", NULL), SH_OK);
    assert_int_equal(f.results.hits_count, 3);
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(f.results.hits[i].merged_count, 0);
    fixture_close(&f);
}

/* One document whose passages are all better than those of the others. */
static void put_many(struct fixture *f)
{
    const char **texts = calloc(GREAT, sizeof(*texts));
    const char *other = "a seal among many other things that it says";
    for (int i = 0; i < GREAT; i++)
        texts[i] = "seal seal";
    put_chunks(f, "great", texts, GREAT);
    for (int i = 0; i < SMALL; i++) {
        char id[16];
        (void)snprintf(id, sizeof(id), "d%d", i);
        put_chunks(f, id, &other, 1);
    }
    free(texts);
}

static void one_document_does_not_hide_the_others(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_many(&f);
    f.query.max_results = 20;
    for (uint32_t mode = MODE_HYBRID; mode <= MODE_TEXT; mode++) {
        f.query.mode = mode;
        f.query.per_document = 0;
        assert_int_equal(search_for(&f, "seal", north), SH_OK);
        assert_true(sh_bytes_is(f.results.hits[0].document_id, "great") ||
                    mode == MODE_VECTOR);
        f.query.per_document = 1;
        assert_int_equal(search_for(&f, "seal", north), SH_OK);
        assert_int_equal(f.results.hits_count, 20);
        for (size_t i = 0; i < 20; i++)
            for (size_t k = 0; k < i; k++)
                assert_false(sh_bytes_equal(f.results.hits[i].document_id,
                                            f.results.hits[k].document_id));
    }
    fixture_close(&f);
}

static void asking_for_more_reorders_nothing(void **state)
{
    (void)state;
    enum { ALL = SMALL + 1 };
    static char names[ALL][64];
    struct fixture f;
    fixture_open(&f);
    put_many(&f);
    for (int merge = 0; merge < 2; merge++) {
        f.query.merge = merge;
        f.query.per_document = 1;
        f.query.offset = 0;
        f.query.max_results = 100;
        assert_int_equal(search_for(&f, "seal", north), SH_OK);
        assert_int_equal(f.results.hits_count, ALL);
        for (size_t i = 0; i < ALL; i++)
            (void)snprintf(names[i], sizeof(names[i]), "%.*s",
                           (int)f.results.hits[i].chunk_id.len,
                           (const char *)f.results.hits[i].chunk_id.data);
        f.query.max_results = 7;
        for (; f.query.offset < ALL; f.query.offset += 7) {
            assert_int_equal(search_for(&f, "seal", north), SH_OK);
            assert_true(f.results.hits_count > 0);
            for (size_t i = 0; i < f.results.hits_count; i++)
                assert_true(hit_is(&f, i, names[f.query.offset + i]));
        }
    }
    fixture_close(&f);
}

static void survives_every_allocation_failure(void **state)
{
    (void)state;
    struct fixture f;
    int failures = 0;
    fixture_open(&f);
    put_chunks(&f, "d", guide, SH_COUNT(guide));
    f.query.merge = true;
    f.query.per_document = 1;
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = search_for(&f, "seal", north);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 5);
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(neighbours_are_one_result),
        cmocka_unit_test(without_being_asked_nothing_is_merged),
        cmocka_unit_test(one_document_does_not_hide_the_others),
        cmocka_unit_test(asking_for_more_reorders_nothing),
        cmocka_unit_test(survives_every_allocation_failure),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
