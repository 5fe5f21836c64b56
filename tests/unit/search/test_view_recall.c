/* The promises of view_recall.h. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/view/view_recall.h"
#include "tests/unit/search/view_large.h"

enum { DOCUMENTS = 1000, QUERIES = 40 };

static struct view *view;
static atomic_bool stopped;

static enum sh_err recall_of(uint32_t near, const char *filters, uint32_t candidates,
                             struct view_recall *recall)
{
    const struct caller caller = {.clearance = 1};
    struct search_query query = {.query = sh_bytes_of("all"),
                                 .mode = 1,
                                 .max_results = 10,
                                 .vector_weight = -1,
                                 .filters = sh_bytes_of(filters)};
    float vector[LARGE_DIMENSION];
    const struct view_query asked = {.query = &query,
                                     .caller = &caller,
                                     .vector = vector,
                                     .dimension = LARGE_DIMENSION,
                                     .fingerprint = sh_bytes_of(LARGE_MODEL),
                                     .deadline_ms = SH_NO_DEADLINE};
    large_vector(near + UINT32_C(1000000), vector); /* beside none of those stored */
    return view_recall(view, &asked, candidates, &stopped, recall);
}

static double mean_of(uint32_t candidates, const char *strategy)
{
    double sum = 0;
    for (uint32_t i = 0; i < QUERIES; i++) {
        struct view_recall recall;
        assert_int_equal(recall_of(i, "", candidates, &recall), SH_OK);
        assert_string_equal(recall.strategy, strategy);
        assert_true(recall.ratio >= 0 && recall.ratio <= 1);
        assert_true(recall.selectivity > 0.99 && recall.selectivity < 1.01);
        sum += recall.ratio;
    }
    return sum / QUERIES;
}

static void too_few_candidates_show(void **state)
{
    (void)state;
    double few = mean_of(10, "graph");
    double many = mean_of(0, "graph");
    assert_true(few < 0.98);
    assert_true(many > few);
}

static void an_exact_search_finds_all(void **state)
{
    (void)state;
    for (uint32_t i = 0; i < QUERIES; i++) {
        struct view_recall recall;
        assert_int_equal(recall_of(i, "{\"collection\":\"c1\"}", 10, &recall), SH_OK);
        assert_string_equal(recall.strategy, "exact");
        assert_true(recall.ratio >= 1);
        assert_true(recall.selectivity > 0.0099 && recall.selectivity < 0.0101);
        assert_int_equal(recall_of(i, "{\"collection\":\"c1\"}", 0, &recall), SH_OK);
        assert_true(recall.ratio >= 1);
    }
}

static void where_nothing_can_be_found_nothing_is_said(void **state)
{
    (void)state;
    struct view_recall recall;
    assert_int_equal(recall_of(1, "{\"collection\":\"none\"}", 0, &recall), SH_NOTFOUND);
    assert_int_equal(recall_of(1, "{\"colour\":\"red\"}", 0, &recall), SH_INVALID);
}

static void what_is_stopped_says_nothing(void **state)
{
    (void)state;
    struct view_recall recall;
    atomic_store(&stopped, true);
    assert_int_equal(recall_of(1, "", 0, &recall), SH_CANCELED);
    atomic_store(&stopped, false);
    assert_int_equal(recall_of(1, "", 0, &recall), SH_OK);
}

static int open_view(void **state)
{
    (void)state;
    assert_int_equal(large_open(&view), SH_OK);
    for (uint32_t i = 0; i < DOCUMENTS; i++)
        assert_int_equal(large_put(view, i), SH_OK);
    return 0;
}

static int close_view(void **state)
{
    (void)state;
    view_free(&view);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(too_few_candidates_show),
        cmocka_unit_test(an_exact_search_finds_all),
        cmocka_unit_test(what_is_stopped_says_nothing),
        cmocka_unit_test(where_nothing_can_be_found_nothing_is_said),
    };
    return cmocka_run_group_tests(tests, open_view, close_view);
}
