/* Writing snapshots: the promises of snapshot_keeper.h. */
#include "snapshot_keeper_fixture.h"

static void only_changes_are_written(void **state)
{
    struct fixture *f = *state;

    start(f);
    sh_keeper_save_first(f->keeper);
    assert_false(sh_keeper_busy(f->keeper)); /* nothing changed */
    f->following = false;
    sh_keeper_changed(f->keeper);
    sh_keeper_save_first(f->keeper);
    assert_false(sh_keeper_busy(f->keeper)); /* nothing to write */
    f->following = true;
    save_one(f);
    sh_keeper_changed(f->keeper);
    sh_keeper_save_first(f->keeper);
    assert_false(sh_keeper_busy(f->keeper)); /* the second */
    sh_keeper_drain(f->keeper, on_drained, f);
    assert_int_equal(f->drains, 0);
    pump_until(f, f->drains == 1);
    assert_true(is_there(f, "snapshot-2"));
    sh_keeper_drain(f->keeper, on_drained, f);
    assert_int_equal(f->drains, 2);
    assert_int_equal(f->saves, 2);
}

static void draining_waits_for_what_changed_meanwhile(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->slow = true;
    sh_keeper_changed(f->keeper);
    sh_keeper_save_first(f->keeper);
    assert_int_equal(f->view.users, 1);
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f);
    uv_sem_post(&f->gate);
    uv_sem_post(&f->gate);
    pump_until(f, f->drains == 1);
    assert_int_equal(f->saves, 2);
    assert_true(is_there(f, "snapshot-2"));
}

static void what_failed_is_tried_again_later(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->save_err = SH_IO;
    save_one(f);
    assert_int_equal(sh_keeper_state(f->keeper).failures, 1);
    assert_true(sh_keeper_state(f->keeper).saved_at == 0);
    assert_false(is_there(f, "next"));
    f->save_err = SH_OK;
    sh_keeper_drain(f->keeper, on_drained, f);
    pump_until(f, f->drains == 1);
    assert_true(is_there(f, "snapshot-1"));
}

static void draining_ends_when_it_cannot_be_written(void **state)
{
    struct fixture *f = *state;

    start(f);
    f->save_err = SH_IO;
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f);
    pump_until(f, f->drains == 1);
    assert_int_equal(f->saves, 1);
}

static void they_are_written_regularly(void **state)
{
    struct fixture *f = *state;

    start_every(f, 1);
    tell(f, "a-database", "40");
    sh_keeper_changed(f->keeper);
    pump_until(f, f->saves == 1);
    assert_true(is_there(f, "snapshot-1"));
    sh_keeper_stop(f->keeper);
    sh_keeper_changed(f->keeper);
    sh_keeper_drain(f->keeper, on_drained, f); /* but the last one is */
    pump_until(f, f->drains == 1);
    assert_int_equal(f->saves, 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(only_changes_are_written),
        TEST(draining_waits_for_what_changed_meanwhile),
        TEST(what_failed_is_tried_again_later),
        TEST(draining_ends_when_it_cannot_be_written),
        TEST(they_are_written_regularly),
    };
    return cmocka_run_group_tests_name("snapshot_keeper_save", tests, NULL, NULL);
}
