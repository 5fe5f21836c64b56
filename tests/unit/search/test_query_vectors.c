/* The vectors of questions asked before: found by model and question, bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <stdio.h>

#include "services/search/query/query_vectors.h"

enum { DIMENSION = 3 };

static struct query_vectors *vectors;

static void keep(const char *model, const char *question, float first)
{
    const float vector[DIMENSION] = {first, 2, 3};
    query_vectors_keep(vectors, sh_bytes_of(model), sh_bytes_of(question), vector,
                       DIMENSION);
}

static float first_of(const char *model, const char *question)
{
    const float *found =
        query_vectors_find(vectors, sh_bytes_of(model), sh_bytes_of(question), DIMENSION);
    return found ? found[0] : 0;
}

static int make(void **state)
{
    (void)state;
    return query_vectors_create(16, &vectors) == SH_OK ? 0 : -1;
}

static int end(void **state)
{
    (void)state;
    query_vectors_free(&vectors);
    assert_null(vectors);
    query_vectors_free(&vectors);
    return 0;
}

static void what_was_kept_is_found(void **state)
{
    (void)state;
    keep("one", "a question", 1);
    assert_true(first_of("one", "a question") == 1);
    assert_true(first_of("one", "a Question") == 0);
    assert_true(first_of("one", "") == 0);
    keep("one", "a question", 4); /* again: in its place */
    assert_true(first_of("one", "a question") == 4);
}

static void models_are_kept_apart(void **state)
{
    (void)state;
    keep("one", "a question", 1);
    keep("two", "a question", 2);
    assert_true(first_of("one", "a question") == 1);
    assert_true(first_of("two", "a question") == 2);
    assert_true(first_of("onea", " question") == 0); /* no text runs into the other */
    assert_null(query_vectors_find(vectors, sh_bytes_of("one"), sh_bytes_of("a question"),
                                   DIMENSION + 1));
}

static void the_longest_unused_goes(void **state)
{
    char question[32];
    size_t found = 0;

    (void)state;
    keep("one", "again and again", 1);
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(question, sizeof question, "question %d", i);
        keep("one", question, 5);
        assert_true(first_of("one", "again and again") == 1);
    }
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(question, sizeof question, "question %d", i);
        found += first_of("one", question) > 0;
    }
    assert_in_range(found, 1, 15);
}

static void long_questions_are_not_kept(void **state)
{
    static char text[4096];

    (void)state;
    memset(text, 'x', sizeof text - 1);
    keep("one", text, 1);
    assert_true(first_of("one", text) == 0);
    text[1024] = '\0';
    keep("one", text, 1);
    assert_true(first_of("one", text) == 1);
}

static void without_one_nothing_is_kept(void **state)
{
    const float vector[DIMENSION] = {1};

    (void)state;
    query_vectors_keep(NULL, sh_bytes_of("one"), sh_bytes_of("x"), vector, DIMENSION);
    assert_null(
        query_vectors_find(NULL, sh_bytes_of("one"), sh_bytes_of("x"), DIMENSION));
}

#define CASE(test) cmocka_unit_test_setup_teardown(test, make, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        CASE(what_was_kept_is_found),      CASE(models_are_kept_apart),
        CASE(the_longest_unused_goes),     CASE(long_questions_are_not_kept),
        CASE(without_one_nothing_is_kept),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
