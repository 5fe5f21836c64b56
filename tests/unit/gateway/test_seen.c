#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <cmocka.h>

#include "services/gateway/auth/seen.h"
#include "shared/mem.h"

static int set_up(void **state)
{
    struct seen *seen;
    if (seen_create(&seen) != SH_OK)
        return -1;
    *state = seen;
    return 0;
}

static int tear_down(void **state)
{
    struct seen *seen = *state;
    seen_free(&seen);
    return 0;
}

static struct principal *somebody(const char *user_id)
{
    struct principal *p =
        principal_create(&(struct principal){.user_id = sh_bytes_of(user_id)});
    assert_non_null(p);
    return p;
}

static void put(struct seen *seen, const char *text, uint64_t generation, uint64_t until)
{
    struct principal *p = somebody(text);
    seen_put(seen, sh_bytes_of(text), generation, until, p);
    principal_drop(p);
}

static bool is_there(struct seen *seen, const char *text, uint64_t generation,
                     uint64_t now)
{
    struct principal *p = seen_find(seen, sh_bytes_of(text), generation, now);
    if (p != NULL)
        assert_true(sh_bytes_is(p->user_id, text));
    return p != NULL;
}

static void finds_what_was_put(void **state)
{
    put(*state, "one", 1, 1000);
    put(*state, "two", 1, 1000);
    assert_true(is_there(*state, "one", 1, 999));
    assert_true(is_there(*state, "two", 1, 999));
    assert_false(is_there(*state, "on", 1, 999));
    assert_false(is_there(*state, "one ", 1, 999));
}

static void nothing_outlives_its_end(void **state)
{
    put(*state, "one", 1, 1000);
    assert_false(is_there(*state, "one", 1, 1000));
    assert_false(is_there(*state, "one", 1, 0)); /* a clock that goes back helps nobody */
}

static void another_generation_forgets(void **state)
{
    put(*state, "one", 1, 1000);
    assert_false(is_there(*state, "one", 2, 0));
    put(*state, "one", 2, 1000);
    assert_true(is_there(*state, "one", 2, 0));
}

static void what_is_forgotten_is_gone(void **state)
{
    put(*state, "one", 1, 1000);
    seen_forget(*state, sh_bytes_of("one"));
    seen_forget(*state, sh_bytes_of("two"));
    assert_false(is_there(*state, "one", 1, 0));
}

static void who_is_used_outlives_the_entry(void **state)
{
    put(*state, "one", 1, 1000);
    struct principal *p = principal_hold(seen_find(*state, sh_bytes_of("one"), 1, 0));
    seen_forget(*state, sh_bytes_of("one"));
    assert_true(sh_bytes_is(p->user_id, "one"));
    principal_drop(p);
}

static void it_never_grows_beyond_its_size(void **state)
{
    char text[32];
    size_t found = 0;
    for (int i = 0; i < 4 * SEEN_MAX; i++) {
        (void)snprintf(text, sizeof text, "token-%d", i);
        put(*state, text, 1, 1000);
        assert_true(is_there(*state, text, 1, 0));
    }
    for (int i = 0; i < 4 * SEEN_MAX; i++) {
        (void)snprintf(text, sizeof text, "token-%d", i);
        found += is_there(*state, text, 1, 0);
    }
    assert_int_equal(found, SEEN_MAX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
int main(void)
{
    const struct CMUnitTest tests[] = {
        T(finds_what_was_put),
        T(nothing_outlives_its_end),
        T(another_generation_forgets),
        T(what_is_forgotten_is_gone),
        T(who_is_used_outlives_the_entry),
        T(it_never_grows_beyond_its_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
