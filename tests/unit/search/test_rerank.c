/* The promises of rerank_shape.h and reorder.h. */
#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>

#include <cmocka.h>

#include "services/search/query/degraded.h"
#include "services/search/rerank/reorder.h"
#include "services/search/rerank/rerank_shape.h"
#include "shared/metrics.h"

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-9;
}

/* --- asking ----------------------------------------------------------------------- */

static void assert_request(enum rerank_shape shape, const char *model,
                           const char *expected)
{
    const struct sh_bytes texts[] = {sh_bytes_of("one"), sh_bytes_of("a \"b\"\n")};
    const struct rerank_question question = {sh_bytes_of("q"), texts, 2};
    struct sh_buffer out = {0};
    assert_int_equal(rerank_request(shape, model, &question, &out), SH_OK);
    assert_true(sh_bytes_is(sh_buffer_bytes(&out), expected));
    sh_buffer_free(&out);
}

static void both_shapes_are_asked_as_they_want_it(void **state)
{
    (void)state;
    assert_request(RERANK_TEI, "ignored",
                   "{\"query\":\"q\",\"texts\":[\"one\",\"a \\\"b\\\"\\n\"],"
                   "\"raw_scores\":false,\"truncate\":true}");
    assert_request(RERANK_COHERE, "",
                   "{\"query\":\"q\",\"documents\":[\"one\",\"a \\\"b\\\"\\n\"],"
                   "\"top_n\":2}");
    assert_request(RERANK_COHERE, "rerank-v3.5",
                   "{\"query\":\"q\",\"documents\":[\"one\",\"a \\\"b\\\"\\n\"],"
                   "\"top_n\":2,\"model\":\"rerank-v3.5\"}");
}

static void long_texts_are_cut_between_characters(void **state)
{
    (void)state;
    static char text[RERANK_TEXT_BYTES + 100];
    struct sh_buffer out = {0};
    for (size_t i = 0; i < sizeof(text); i++)
        text[i] = i % 2 ? '\xa9' : '\xc3';
    text[1] = 'x'; /* so that the bound falls into a character */
    struct sh_bytes bytes = {text + 1, sizeof(text) - 1};
    const struct rerank_question question = {sh_bytes_of("q"), &bytes, 1};
    assert_int_equal(rerank_request(RERANK_TEI, "", &question, &out), SH_OK);
    assert_true(out.len < RERANK_TEXT_BYTES + 100);
    assert_true(out.len > RERANK_TEXT_BYTES);
    sh_buffer_free(&out);
}

static void what_is_not_utf8_is_not_sent(void **state)
{
    (void)state;
    const struct sh_bytes texts[] = {{"\xff\xfe", 2}};
    const struct rerank_question question = {sh_bytes_of("q"), texts, 1};
    struct sh_buffer out = {0};
    assert_int_equal(rerank_request(RERANK_TEI, "", &question, &out), SH_MALFORMED);
    sh_buffer_free(&out);
}

/* --- answers ---------------------------------------------------------------------- */

static enum sh_err scores_of(enum rerank_shape shape, const char *body, double scores[3])
{
    return rerank_scores(shape, sh_bytes_of(body), 3, scores);
}

static void scores_go_to_their_texts(void **state)
{
    (void)state;
    double scores[3];
    assert_int_equal(scores_of(RERANK_TEI,
                               "[{\"index\":2,\"score\":0.9},{\"index\":0,\"score\":0.5},"
                               "{\"index\":1,\"score\":0,\"text\":\"x\"}]",
                               scores),
                     SH_OK);
    assert_true(near(scores[0], 0.5) && near(scores[1], 0) && near(scores[2], 0.9));
    assert_int_equal(
        scores_of(RERANK_COHERE,
                  "{\"id\":\"x\",\"results\":[{\"index\":1,\"relevance_score\":1},"
                  "{\"index\":2,\"relevance_score\":0.25},"
                  "{\"index\":0,\"relevance_score\":0.125}],\"meta\":{}}",
                  scores),
        SH_OK);
    assert_true(near(scores[0], 0.125) && near(scores[1], 1) && near(scores[2], 0.25));
}

static void logits_become_shares(void **state)
{
    (void)state;
    double scores[3];
    assert_int_equal(scores_of(RERANK_TEI,
                               "[{\"index\":0,\"score\":-2},{\"index\":1,\"score\":0},"
                               "{\"index\":2,\"score\":800}]",
                               scores),
                     SH_OK);
    assert_true(near(scores[0], 1 / (1 + exp(2))));
    assert_true(near(scores[1], 0.5));
    assert_true(near(scores[2], 1));
}

static void nonsense_is_refused_as_a_whole(void **state)
{
    (void)state;
#define A "{\"index\":0,\"score\":0.5}"
#define B "{\"index\":1,\"score\":0.5}"
    static const char *const answers[] = {
        "",
        "null",
        "[",
        "{}",
        "[]",
        "[" A "," B "]",
        "[" A "," B "," B "]",
        "[" A "," B ",{\"index\":3,\"score\":0.5}]",
        "[" A "," B ",{\"index\":-1,\"score\":0.5}]",
        "[" A "," B ",{\"index\":2.0,\"score\":0.5}]",
        "[" A "," B ",{\"index\":2,\"score\":NaN}]",
        "[" A "," B ",{\"index\":2,\"score\":1e999}]",
        "[" A "," B ",{\"index\":2,\"score\":\"0.5\"}]",
        "[" A "," B ",{\"index\":2,\"score\":null}]",
        "[" A "," B ",{\"index\":2}]",
        "[" A "," B ",7]",
        "[" A "," B ",{\"index\":18446744073709551616,\"score\":0.5}]",
        "[" A "," B ",{\"index\":2,\"score\":0.5}," A "]",
        "{\"results\":[]}",
    };
    double scores[3];
    for (size_t i = 0; i < SH_COUNT(answers); i++) {
        assert_int_equal(scores_of(RERANK_TEI, answers[i], scores), SH_UPSTREAM);
        assert_int_equal(scores_of(RERANK_COHERE, answers[i], scores), SH_UPSTREAM);
    }
}

/* --- the order -------------------------------------------------------------------- */

static struct search_hit hits[] = {
    {.chunk_id = {"a", 1}, .combined_score = 0.9, .boost = 0},
    {.chunk_id = {"b", 1}, .combined_score = 0.8, .boost = 0.1},
    {.chunk_id = {"c", 1}, .combined_score = 0.7, .explanation = {"{\"score\":1}", 11}},
    {.chunk_id = {"d", 1}, .combined_score = 0.6, .boost = 0.5},
    {.chunk_id = {"e", 1}, .combined_score = 0.1},
};

static void scores_and_boosts_make_the_order(void **state)
{
    (void)state;
    static const double scores[] = {0.25, 0.125, 0.5};
    struct search_results results = {.hits = hits, .hits_count = 5};
    struct sh_arena arena = {0};
    assert_int_equal(reorder_hits(&results, scores, 3, 0.8, true, &arena), SH_OK);
    static const char order[] = "cabde"; /* a and b come out equal: as they were */
    static const double combined[] = {0.4, 0.2, 0.2, 0.2, 0.1};
    for (size_t i = 0; i < 5; i++) {
        assert_memory_equal(results.hits[i].chunk_id.data, &order[i], 1);
        assert_true(near(results.hits[i].combined_score, combined[i]));
    }
    assert_true(sh_bytes_is(
        results.hits[0].explanation,
        "{\"score\":1,\"rerank\":{\"score\":0.5,\"rank\":1},\"combined\":0.4}"));
    assert_int_equal(results.hits[1].explanation.len, 0); /* it had none */
    sh_arena_free(&arena);
}

static void the_page_is_cut_out(void **state)
{
    (void)state;
    static const size_t cuts[][4] = {{0, 5, 0, 5}, {2, 2, 2, 2}, {4, 9, 4, 1},
                                     {5, 3, 5, 0}, {9, 1, 5, 0}, {1, 0, 1, 0}};
    for (size_t i = 0; i < SH_COUNT(cuts); i++) {
        struct search_results results = {.hits = hits, .hits_count = 5};
        reorder_page(&results, cuts[i][0], cuts[i][1]);
        assert_int_equal(results.hits_count, cuts[i][3]);
        if (cuts[i][3] > 0)
            assert_ptr_equal(results.hits, hits + cuts[i][2]);
    }
}

static void a_leg_that_is_out_is_named(void **state)
{
    (void)state;
    static const struct sh_bytes before = {"embedding", 9};
    struct search_results results = {.degraded = &before,
                                     .degraded_count = 1,
                                     .plan = sh_bytes_of("{\"complete\":true}")};
    struct sh_arena arena = {0};
    assert_int_equal(reorder_degraded(&results, "rerank", &arena), SH_OK);
    assert_int_equal(results.degraded_count, 2);
    assert_true(sh_bytes_is(results.degraded[0], "embedding"));
    assert_true(sh_bytes_is(results.degraded[1], "rerank"));
    assert_true(sh_bytes_is(results.plan, "{\"complete\":false}"));
    results = (struct search_results){0};
    assert_int_equal(reorder_degraded(&results, "rerank", &arena), SH_OK);
    assert_int_equal(results.degraded_count, 1);
    assert_int_equal(results.plan.len, 0);
    sh_arena_free(&arena);
}

static bool metrics_say(const char *line)
{
    struct sh_buffer text = {0};
    sh_metrics_render(&text, false);
    bool found = memmem(text.data, text.len, line, strlen(line)) != NULL;
    sh_buffer_free(&text);
    return found;
}

static void what_was_missing_is_counted(void **state)
{
    (void)state;
    static const struct sh_bytes missing[] = {{"embedding", 9}, {"a new leg", 9}};
    const struct search_results both = {.degraded = missing, .degraded_count = 2};
    const struct search_results whole = {0};

    degraded_open();
    assert_true(metrics_say("cairn_search_degraded_total{reason=\"embedding\"} 0\n"));
    degraded_count(&both);
    degraded_count(&whole);
    assert_true(metrics_say("cairn_search_degraded_total{reason=\"embedding\"} 1\n"));
    assert_true(metrics_say("cairn_search_degraded_total{reason=\"other\"} 1\n"));
    assert_true(metrics_say("cairn_search_degraded_total{reason=\"rerank\"} 0\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_shapes_are_asked_as_they_want_it),
        cmocka_unit_test(long_texts_are_cut_between_characters),
        cmocka_unit_test(what_is_not_utf8_is_not_sent),
        cmocka_unit_test(scores_go_to_their_texts),
        cmocka_unit_test(logits_become_shares),
        cmocka_unit_test(nonsense_is_refused_as_a_whole),
        cmocka_unit_test(scores_and_boosts_make_the_order),
        cmocka_unit_test(the_page_is_cut_out),
        cmocka_unit_test(a_leg_that_is_out_is_named),
        cmocka_unit_test(what_was_missing_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
