/* The view while it changes: all or nothing without memory, never half a document for
 * searches on other threads. */
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>

#include "tests/unit/search/view_fixture.h"

enum { PASSAGES = 70, SEARCHERS = 3, CHANGES = 150 };

static const float north[DIMENSION] = {1, 0, 0, 0};

/* A document of PASSAGES passages that all tell its edition: "edition1 …". */
static enum sh_err put_edition(struct view *view, const char *id, int edition)
{
    static _Thread_local char ids[PASSAGES][32];
    char text[64];
    struct view_chunk chunks[PASSAGES];
    (void)snprintf(text, sizeof(text), "common text of edition%d", edition);
    for (uint32_t i = 0; i < PASSAGES; i++) {
        (void)snprintf(ids[i], sizeof(ids[i]), "%s/%u", id, i);
        chunks[i] = (struct view_chunk){.chunk_id = sh_bytes_of(ids[i]),
                                        .text = sh_bytes_of(text),
                                        .ordinal = i,
                                        .vector = i % 2 ? north : NULL};
    }
    struct view_document document = document_of(id, "Title");
    document.chunks = chunks;
    document.chunk_count = PASSAGES;
    return view_put(view, &document);
}

static uint64_t total_of(struct fixture *f, const char *text)
{
    f->query.mode = 2;
    assert_int_equal(search_for(f, text, NULL), SH_OK);
    return f->results.total;
}

static void a_failed_put_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    struct view_stats before;
    struct view_stats after;
    int failures = 0;
    fixture_open(&f);
    assert_int_equal(put_edition(f.view, "a", 1), SH_OK);
    view_stats(f.view, &before);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = put_edition(f.view, failures % 2 ? "a" : "b", 2);
        sh_mem_fail_after(-1);
        if (err == SH_OK)
            break;
        assert_int_equal(err, SH_NOMEM);
        view_stats(f.view, &after);
        assert_int_equal(after.documents, before.documents);
        assert_int_equal(after.chunks, before.chunks);
        assert_int_equal(after.vectors, before.vectors);
        assert_int_equal(total_of(&f, "edition1"), PASSAGES);
        assert_int_equal(total_of(&f, "edition2"), 0);
    }
    assert_true(failures > 10);
    assert_int_equal(total_of(&f, "edition2"), PASSAGES);
    fixture_close(&f);
}

static void a_failed_remove_changes_nothing(void **state)
{
    (void)state;
    struct fixture f;
    int failures = 0;
    fixture_open(&f);
    assert_int_equal(put_edition(f.view, "a", 1), SH_OK);
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = view_remove(f.view, sh_bytes_of("a"));
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
        assert_int_equal(total_of(&f, "edition1"), err == SH_OK ? 0 : PASSAGES);
    }
    assert_true(failures > 1);
    fixture_close(&f);
}

static void a_failed_search_is_told_and_leaks_nothing(void **state)
{
    (void)state;
    struct fixture f;
    int failures = 0;
    fixture_open(&f);
    assert_int_equal(put_edition(f.view, "a", 1), SH_OK);
    f.query.highlight = true;
    f.query.explain = true;
    f.query.diversity = 0.5;
    f.query.filters = sh_bytes_of("{\"any\":[{\"document_id\":\"a\"}]}");
    for (enum sh_err err = SH_NOMEM; err != SH_OK; failures++) {
        sh_mem_fail_after(failures);
        err = search_for(&f, "common edition1", north);
        sh_mem_fail_after(-1);
        assert_true(err == SH_OK || err == SH_NOMEM);
    }
    assert_true(failures > 5);
    assert_int_equal(f.results.total, PASSAGES);
    fixture_close(&f);
}

struct searcher {
    pthread_t thread;
    struct view *view;
    atomic_bool *stop;
    uint32_t mode;
    size_t searches;
    size_t wrong;
};

/* Every search must see one edition, whole. */
static void *search_on(void *arg)
{
    struct searcher *self = arg;
    const char *text = self->mode == 2 ? "+common commo" : "common";
    struct search_query query = {.query = sh_bytes_of(text),
                                 .mode = self->mode,
                                 .vector_weight = -1,
                                 .similarity_threshold = 0.5,
                                 .max_results = 1000,
                                 .highlight = true};
    struct caller caller = {.clearance = 1};
    struct view_query asked = {.query = &query,
                               .caller = &caller,
                               .vector = north,
                               .dimension = DIMENSION,
                               .fingerprint = sh_bytes_of(MODEL),
                               .deadline_ms = SH_NO_DEADLINE};
    while (!atomic_load(self->stop)) {
        struct sh_arena arena = {0};
        struct search_results results;
        struct view_problem problem;
        bool good =
            view_search(self->view, &asked, &arena, &results, &problem) == SH_OK &&
            results.total == PASSAGES && results.hits_count == PASSAGES;
        for (size_t i = 1; good && i < results.hits_count; i++)
            good = sh_bytes_equal(results.hits[i].text, results.hits[0].text);
        self->wrong += !good;
        self->searches++;
        sh_arena_free(&arena);
    }
    return NULL;
}

static void searches_never_see_half_a_document(void **state)
{
    (void)state;
    struct fixture f;
    struct searcher searchers[SEARCHERS];
    atomic_bool stop = false;
    size_t searches = 0;
    fixture_open(&f);
    assert_int_equal(put_edition(f.view, "a", 0), SH_OK);
    for (int i = 0; i < SEARCHERS; i++) {
        searchers[i] =
            (struct searcher){.view = f.view, .stop = &stop, .mode = i % 2 ? 2 : 0};
        assert_int_equal(
            pthread_create(&searchers[i].thread, NULL, search_on, &searchers[i]), 0);
    }
    struct view_document other = document_of("other", "Other");
    other.department = sh_bytes_of("nobody's");
    for (int edition = 1; edition < CHANGES; edition++) {
        assert_int_equal(put_edition(f.view, "a", edition), SH_OK);
        assert_int_equal(view_put(f.view, &other), SH_OK);
        assert_int_equal(view_remove(f.view, sh_bytes_of("other")), SH_OK);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < SEARCHERS; i++) {
        pthread_join(searchers[i].thread, NULL);
        assert_int_equal(searchers[i].wrong, 0);
        searches += searchers[i].searches;
    }
    assert_true(searches > 0);
    assert_int_equal(total_of(&f, "edition149"), PASSAGES);
    assert_int_equal(total_of(&f, "edition148"), 0);
    fixture_close(&f);
}

/* Every change is the right one after thousands, and memory does not creep. */
static void many_changes_leave_one_truth(void **state)
{
    (void)state;
    struct fixture f;
    struct view_stats stats;
    bool there[20] = {false};
    fixture_open(&f);
    srand(9);
    for (int round = 0; round < 3000; round++) {
        char id[8];
        int n = rand() % 20;
        (void)snprintf(id, sizeof(id), "d%d", n);
        if (rand() % 3 == 0) {
            assert_int_equal(view_remove(f.view, sh_bytes_of(id)),
                             there[n] ? SH_OK : SH_NOTFOUND);
            there[n] = false;
        } else {
            put_text(&f, document_of(id, id), rand() % 2 ? "bees" : "bees and honey",
                     rand() % 2 ? north : NULL);
            there[n] = true;
        }
    }
    size_t count = 0;
    for (int n = 0; n < 20; n++)
        count += there[n];
    view_stats(f.view, &stats);
    assert_int_equal(stats.documents, count);
    assert_int_equal(stats.chunks, count);
    assert_true(stats.bytes < 2 << 20);
    assert_int_equal(total_of(&f, "bees"), count);
    fixture_close(&f);
}

static void options_reach_the_text_index(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    view_free(&f.view);
    struct view_options options = view_defaults();
    options.text.weight[TEXT_TITLE] = 0;
    assert_int_equal(view_create(&options, &f.view), SH_OK);
    put_text(&f, document_of("a", "Bees"), "They make honey.", NULL);
    put_text(&f, document_of("b", "Honey"), "It is made by bees.", NULL);
    f.query.mode = 2;
    assert_int_equal(search_for(&f, "bees", NULL), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(hit_is(&f, 0, "b/0"));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(options_reach_the_text_index),
        cmocka_unit_test(a_failed_put_changes_nothing),
        cmocka_unit_test(a_failed_remove_changes_nothing),
        cmocka_unit_test(a_failed_search_is_told_and_leaks_nothing),
        cmocka_unit_test(searches_never_see_half_a_document),
        cmocka_unit_test(many_changes_leave_one_truth),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
