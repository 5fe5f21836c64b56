/* The promises of held.h: how long a view stays, and that a loop does not wait for its
 * end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

#include "services/search/feed/held.h"

static struct held_view *a_view(void)
{
    const struct view_options options = view_defaults();
    struct held_view *held = NULL;

    assert_int_equal(held_new(&options, &held), SH_OK);
    return held;
}

static size_t documents_of(const struct held_view *held)
{
    struct view_stats stats;

    view_stats(held->view, &stats);
    return stats.documents;
}

static void what_is_retired_stays_while_it_is_searched(void **state)
{
    struct held_view *held = a_view();
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    held->users++;
    held_retire(held, &loop);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(documents_of(held), 0);
    held_release(held);
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void what_is_retired_goes_on_another_thread(void **state)
{
    struct held_view *held = a_view();
    uv_loop_t loop;

    (void)state;
    uv_loop_init(&loop);
    held_retire(held, &loop);
    assert_true(uv_loop_alive(&loop)); /* until that thread is done */
    uv_run(&loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void what_was_never_shown_goes_at_once(void **state)
{
    (void)state;
    held_release(a_view());
    held_release(NULL);
    held_retire(NULL, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_retired_stays_while_it_is_searched),
        cmocka_unit_test(what_is_retired_goes_on_another_thread),
        cmocka_unit_test(what_was_never_shown_goes_at_once),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
