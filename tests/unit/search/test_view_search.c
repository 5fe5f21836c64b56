/* The promises of view.h: what is stored, found, hidden, told. */
#include <math.h>
#include <stdlib.h>

#include <jansson.h>

#include "tests/unit/search/view_fixture.h"

enum { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };

static const float north[DIMENSION] = {1, 0, 0, 0};
static const float east[DIMENSION] = {0, 2, 0, 0};
static const float north_east[DIMENSION] = {3, 3, 0, 0};
static const float south[DIMENSION] = {-1, 0, 0, 0};

static bool near(double a, double b)
{
    return fabs(a - b) < 1e-5;
}

static void put_three(struct fixture *f)
{
    put_text(f, document_of("a", "Password guide"), "Reset your password here.", north);
    put_text(f, document_of("b", "Bees"), "Bees make honey in summer.", north_east);
    put_text(f, document_of("c", "Library"), "Opening hours of the library.", east);
}

static void an_empty_view_answers_with_nothing(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(search_for(&f, "anything", north), SH_OK);
    assert_int_equal(f.results.hits_count, 0);
    assert_int_equal(f.results.total, 0);
    fixture_close(&f);
}

static void text_finds_words_in_every_form(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    f.query.mode = MODE_TEXT;
    assert_int_equal(search_for(&f, "resetting PASSWORDS", NULL), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(hit_is(&f, 0, "a/0"));
    const struct search_hit *hit = &f.results.hits[0];
    assert_true(sh_bytes_is(hit->document_id, "a"));
    assert_true(sh_bytes_is(hit->document_title, "Password guide"));
    assert_true(sh_bytes_is(hit->section_title, "Section"));
    assert_true(sh_bytes_is(hit->text, "Reset your password here."));
    assert_true(sh_bytes_is(hit->metadata, "{}"));
    assert_int_equal(hit->page_number, 3);
    assert_true(hit->text_score > 0);
    assert_int_equal(f.results.degraded_count, 0);
    fixture_close(&f);
}

static void vectors_rank_by_cosine(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    f.query.mode = MODE_VECTOR;
    f.query.similarity_threshold = 0.1;
    assert_int_equal(search_for(&f, "nothing that is written", north), SH_OK);
    assert_int_equal(f.results.total, 2);
    assert_true(hit_is(&f, 0, "a/0"));
    assert_true(hit_is(&f, 1, "b/0"));
    assert_true(near(f.results.hits[0].similarity, 1));
    assert_true(near(f.results.hits[1].similarity, sqrt(0.5)));
    fixture_close(&f);
}

/* 0.8 · similarity + campus bonus + 0.01 · priority */
static void boosts_follow_the_formula(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    struct view_document document = document_of("a", "Guide");
    document.campus = sh_bytes_of("King's Buildings");
    document.priority = 4;
    put_text(&f, document, "text", north_east);
    f.query.mode = MODE_VECTOR;
    f.caller.campus = sh_bytes_of("kings_buildings");
    assert_int_equal(search_for(&f, "query", north), SH_OK);
    assert_true(near(f.results.hits[0].combined_score, 0.8 * sqrt(0.5) + 0.1 + 0.04));
    f.caller.campus = sh_bytes_of("Easter Bush");
    assert_int_equal(search_for(&f, "query", north), SH_OK);
    assert_true(near(f.results.hits[0].combined_score, 0.8 * sqrt(0.5) + 0.04));
    struct boosts boosts = boosts_default();
    boosts.priority = 0.1;
    boosts.score = 1;
    f.boosts = &boosts;
    assert_int_equal(search_for(&f, "query", north), SH_OK);
    assert_true(near(f.results.hits[0].combined_score, 1)); /* 1.107 is over the top */
    fixture_close(&f);
}

static void the_threshold_is_for_the_vector_leg_only(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    f.query.similarity_threshold = 0.99;
    assert_int_equal(search_for(&f, "library", north), SH_OK);
    assert_int_equal(f.results.total, 2); /* a by its vector, c by its words */
    assert_true(hit_is(&f, 0, "a/0") || hit_is(&f, 1, "a/0"));
    assert_true(hit_is(&f, 0, "c/0") || hit_is(&f, 1, "c/0"));
    size_t c = hit_is(&f, 0, "c/0") ? 0 : 1;
    assert_true(near(f.results.hits[c].similarity, 0)); /* told all the same */
    fixture_close(&f);
}

static void similarity_is_told_of_hits_that_only_words_found(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_text(&f, document_of("a", "T"), "library", north_east);
    f.query.similarity_threshold = 0.9;
    assert_int_equal(search_for(&f, "library", north), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(near(f.results.hits[0].similarity, sqrt(0.5)));
    fixture_close(&f);
}

static void a_document_is_replaced_whole(void **state)
{
    (void)state;
    struct fixture f;
    struct view_stats stats;
    fixture_open(&f);
    put_three(&f);
    put_text(&f, document_of("a", "Other"), "Now about trees.", NULL);
    view_stats(f.view, &stats);
    assert_int_equal(stats.documents, 3);
    assert_int_equal(stats.chunks, 3);
    assert_int_equal(stats.vectors, 2);
    f.query.mode = MODE_TEXT;
    assert_int_equal(search_for(&f, "password", NULL), SH_OK);
    assert_int_equal(f.results.total, 0);
    assert_int_equal(search_for(&f, "trees", NULL), SH_OK);
    assert_int_equal(f.results.total, 1);
    fixture_close(&f);
}

static void a_removed_document_is_gone(void **state)
{
    (void)state;
    struct fixture f;
    struct view_stats stats;
    fixture_open(&f);
    put_three(&f);
    assert_int_equal(view_remove(f.view, sh_bytes_of("a")), SH_OK);
    assert_int_equal(view_remove(f.view, sh_bytes_of("a")), SH_NOTFOUND);
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    for (size_t i = 0; i < f.results.hits_count; i++)
        assert_false(hit_is(&f, i, "a/0"));
    assert_int_equal(view_remove(f.view, sh_bytes_of("b")), SH_OK);
    assert_int_equal(view_remove(f.view, sh_bytes_of("c")), SH_OK);
    view_stats(f.view, &stats);
    assert_int_equal(stats.documents + stats.chunks + stats.vectors, 0);
    fixture_close(&f);
}

static void another_model_drops_the_vectors(void **state)
{
    (void)state;
    struct fixture f;
    struct view_stats stats;
    fixture_open(&f);
    put_three(&f);
    assert_int_equal(view_set_model(f.view, MODEL, DIMENSION, 0.5), SH_OK);
    view_stats(f.view, &stats);
    assert_int_equal(stats.vectors, 3);
    assert_int_equal(view_set_model(f.view, "model-2", DIMENSION, 0.5), SH_OK);
    view_stats(f.view, &stats);
    assert_int_equal(stats.vectors, 0);
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    assert_int_equal(f.results.degraded_count, 1);
    assert_true(sh_bytes_is(f.results.degraded[0], "vectors_of_another_model"));
    assert_true(hit_is(&f, 0, "a/0"));
    assert_int_equal(view_set_model(f.view, "", 0, 0), SH_OK);
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    assert_true(sh_bytes_is(f.results.degraded[0], "no_model"));
    fixture_close(&f);
}

static void a_lost_leg_is_told_or_refused(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    assert_int_equal(search_for(&f, "password", NULL), SH_OK);
    assert_int_equal(f.results.hits_count, 1);
    assert_int_equal(f.results.degraded_count, 1);
    assert_true(sh_bytes_is(f.results.degraded[0], "embedding"));
    f.query.require_complete = true;
    assert_int_equal(search_for(&f, "password", NULL), SH_UNAVAILABLE);
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    f.query.mode = MODE_TEXT;
    assert_int_equal(search_for(&f, "password", NULL), SH_OK);
    assert_int_equal(f.results.degraded_count, 0);
    fixture_close(&f);
}

static void what_may_not_be_read_is_not_counted(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    for (uint32_t level = 1; level <= 5; level++) {
        char id[8];
        (void)snprintf(id, sizeof(id), "d%u", level);
        struct view_document document = document_of(id, "Secret");
        document.clearance_level = level;
        document.department = sh_bytes_of(level == 4 ? "Finance" : "IT");
        put_text(&f, document, "secret papers", NULL);
    }
    f.query.mode = MODE_TEXT;
    const struct {
        struct caller caller;
        size_t total;
    } cases[] = {
        {{.clearance = 0}, 1},
        {{.clearance = 2}, 2},
        {{.clearance = 3}, 2},
        {{.clearance = 3, .department = sh_bytes_of("IT")}, 3},
        {{.clearance = 5, .department = sh_bytes_of("IT")}, 4},
        {{.clearance = 5, .all_departments = true}, 5},
    };
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        f.caller = cases[i].caller;
        assert_int_equal(search_for(&f, "secret", NULL), SH_OK);
        assert_int_equal(f.results.total, cases[i].total);
        assert_int_equal(f.results.hits_count, cases[i].total);
    }
    fixture_close(&f);
}

static void filters_cut_before_ranking(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    f.query.filters = sh_bytes_of("{\"document_id\":\"c\"}");
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    assert_int_equal(f.results.total, 1);
    assert_true(hit_is(&f, 0, "c/0"));
    f.query.filters = sh_bytes_of("{\"departement\":\"c\"}");
    assert_int_equal(search_for(&f, "password", north), SH_INVALID);
    assert_string_equal(f.problem.field, "filters.departement");
    f.query.filters = sh_bytes_of("{\"max_clearance\":4}");
    assert_int_equal(search_for(&f, "password", north), SH_FORBIDDEN);
    assert_string_equal(f.problem.field, "filters.max_clearance");
    fixture_close(&f);
}

static void bad_queries_are_refused_by_field(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    assert_int_equal(search_for(&f, " \n ", NULL), SH_INVALID);
    assert_string_equal(f.problem.field, "query");
    assert_int_equal(search_for(&f, "\xff", NULL), SH_INVALID);
    char *many = calloc(1, 2002);
    assert_non_null(many);
    memset(many, 'x', 2001);
    assert_int_equal(search_for(&f, many, NULL), SH_INVALID);
    many[2000] = ' ';
    assert_int_equal(search_for(&f, many, NULL), SH_OK);
    free(many);
    f.query.similarity_threshold = (double)NAN;
    assert_int_equal(search_for(&f, "x", NULL), SH_INVALID);
    assert_string_equal(f.problem.field, "config.similarity_threshold");
    f.query.similarity_threshold = 0;
    f.query.max_results = 0;
    assert_int_equal(search_for(&f, "x", NULL), SH_INVALID);
    fixture_close(&f);
}

static void bad_documents_are_refused(void **state)
{
    (void)state;
    struct fixture f;
    const float nothing[DIMENSION] = {0};
    const float wrong[DIMENSION] = {1, (float)NAN, 0, 0};
    fixture_open(&f);
    struct view_chunk chunk = {.chunk_id = sh_bytes_of("x"), .vector = wrong};
    struct view_document document = document_of("a", "T");
    document.chunks = &chunk;
    document.chunk_count = 1;
    assert_int_equal(view_put(f.view, &document), SH_INVALID);
    chunk.vector = nothing;
    document.metadata = sh_bytes_of("[1]");
    assert_int_equal(view_put(f.view, &document), SH_INVALID);
    document.metadata = sh_bytes_of("{\"a\"");
    assert_int_equal(view_put(f.view, &document), SH_INVALID);
    document.metadata = sh_bytes_of("");
    document.clearance_level = 0;
    assert_int_equal(view_put(f.view, &document), SH_INVALID);
    document.clearance_level = 1;
    document.id = sh_bytes_of("");
    assert_int_equal(view_put(f.view, &document), SH_INVALID);
    document.id = sh_bytes_of("a");
    assert_int_equal(view_put(f.view, &document), SH_OK);
    struct view_stats stats;
    view_stats(f.view, &stats);
    assert_int_equal(stats.documents, 1);
    assert_int_equal(stats.vectors, 0); /* no direction: none */
    fixture_close(&f);
}

static void the_plan_and_the_explanations_are_json(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    put_text(&f, document_of("d", "No vector yet"), "passwords", NULL);
    f.query.explain = true;
    assert_int_equal(search_for(&f, "the password", north), SH_OK);
    json_t *plan = json_loadb(f.results.plan.data, f.results.plan.len, 0, NULL);
    json_t *vector = json_object_get(plan, "vector");
    json_t *text = json_object_get(plan, "text");
    assert_string_equal(json_string_value(json_object_get(vector, "strategy")), "exact");
    assert_int_equal(json_integer_value(json_object_get(vector, "allowed")), 4);
    assert_int_equal(json_integer_value(json_object_get(vector, "scanned")), 3);
    assert_int_equal(json_integer_value(json_object_get(text, "matched")), 2);
    assert_int_equal(json_array_size(json_object_get(text, "terms")), 1);
    assert_true(json_is_true(json_object_get(plan, "complete")));
    json_decref(plan);
    for (size_t i = 0; i < f.results.hits_count; i++) {
        struct sh_bytes json = f.results.hits[i].explanation;
        json_t *hit = json_loadb(json.data, json.len, 0, NULL);
        assert_non_null(hit);
        assert_true(near(json_real_value(json_object_get(hit, "combined")),
                         f.results.hits[i].combined_score));
        assert_int_equal(json_object_get(hit, "vector") == NULL, hit_is(&f, i, "d/0"));
        json_decref(hit);
    }
    fixture_close(&f);
}

static void a_deadline_in_the_past_is_told(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_three(&f);
    assert_int_equal(search_for(&f, "password", north), SH_OK);
    f.asked.deadline_ms = sh_now_ms() - 1;
    assert_int_equal(view_search(f.view, &f.asked, &f.arena, &f.results, &f.problem),
                     SH_TIMEOUT);
    fixture_close(&f);
}

/* Pages of any size are parts of one order. */
static void asking_for_more_never_reorders(void **state)
{
    (void)state;
    struct fixture f;
    char first[300][16];
    fixture_open(&f);
    srand(7);
    for (int i = 0; i < 300; i++) {
        char id[16];
        float vector[DIMENSION];
        for (int d = 0; d < DIMENSION; d++)
            vector[d] = (float)(rand() % 7 - 3);
        (void)snprintf(id, sizeof(id), "d%d", rand() % 100000);
        put_text(&f, document_of(id, "T"), i % 3 ? "bees and honey" : "honey", vector);
    }
    for (int mode = 0; mode < 4; mode++) {
        f.query.fusion = mode == 1;
        f.query.diversity = mode == 2 ? 0.4 : 0;
        f.query.mode = mode == 3 ? MODE_VECTOR : MODE_HYBRID;
        f.query.offset = 0;
        f.query.max_results = 1000;
        assert_int_equal(search_for(&f, "bees honey", north_east), SH_OK);
        size_t count = f.results.hits_count;
        assert_in_range(count, 100, 300);
        for (size_t i = 0; i < count; i++)
            (void)snprintf(first[i], sizeof(first[i]), "%.*s",
                           (int)f.results.hits[i].chunk_id.len,
                           (const char *)f.results.hits[i].chunk_id.data);
        f.query.max_results = 7;
        for (f.query.offset = 0; f.query.offset < count; f.query.offset += 7) {
            assert_int_equal(search_for(&f, "bees honey", north_east), SH_OK);
            assert_int_equal(f.results.total, count);
            for (size_t i = 0; i < f.results.hits_count; i++)
                assert_true(hit_is(&f, i, first[f.query.offset + i]));
        }
    }
    fixture_close(&f);
}

static void diversity_puts_other_things_between_likes(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_text(&f, document_of("a", "T"), "honey honey honey", north);
    put_text(&f, document_of("b", "T"), "honey honey honey", north);
    put_text(&f, document_of("c", "T"), "some honey with bread", east);
    assert_int_equal(search_for(&f, "honey", north), SH_OK);
    assert_true(hit_is(&f, 2, "c/0"));
    f.query.diversity = 0.5;
    assert_int_equal(search_for(&f, "honey", north), SH_OK);
    assert_int_equal(f.results.hits_count, 3);
    assert_true(hit_is(&f, 1, "c/0"));
    fixture_close(&f);
}

static void a_passage_without_vector_is_judged_by_its_words(void **state)
{
    (void)state;
    struct fixture f;
    fixture_open(&f);
    put_text(&f, document_of("a", "T"), "honey", NULL);
    put_text(&f, document_of("b", "T"), "honey", south);
    assert_int_equal(search_for(&f, "honey", north), SH_OK);
    assert_int_equal(f.results.hits_count, 2);
    assert_true(hit_is(&f, 0, "a/0"));
    fixture_close(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_view_answers_with_nothing),
        cmocka_unit_test(text_finds_words_in_every_form),
        cmocka_unit_test(vectors_rank_by_cosine),
        cmocka_unit_test(boosts_follow_the_formula),
        cmocka_unit_test(the_threshold_is_for_the_vector_leg_only),
        cmocka_unit_test(similarity_is_told_of_hits_that_only_words_found),
        cmocka_unit_test(a_document_is_replaced_whole),
        cmocka_unit_test(a_removed_document_is_gone),
        cmocka_unit_test(another_model_drops_the_vectors),
        cmocka_unit_test(a_lost_leg_is_told_or_refused),
        cmocka_unit_test(what_may_not_be_read_is_not_counted),
        cmocka_unit_test(filters_cut_before_ranking),
        cmocka_unit_test(bad_queries_are_refused_by_field),
        cmocka_unit_test(bad_documents_are_refused),
        cmocka_unit_test(the_plan_and_the_explanations_are_json),
        cmocka_unit_test(a_deadline_in_the_past_is_told),
        cmocka_unit_test(asking_for_more_never_reorders),
        cmocka_unit_test(diversity_puts_other_things_between_likes),
        cmocka_unit_test(a_passage_without_vector_is_judged_by_its_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
