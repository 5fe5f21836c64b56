/* The key of who asks for a run: the same again is the same run, whoever is asked. */
#include "tests/unit/backup/runs_fixture.h"

static const char key[] = "00112233445566778899aabbccddeeff";
static const char other_key[] = "ffeeddccbbaa99887766554433221100";

static void on_taken(void *arg, enum sh_err err, const json_t *run)
{
    struct fixture *f = arg;

    json_decref(f->read);
    f->read = json_deep_copy(run);
    f->err = err;
    f->answered = true;
}

static void begin(struct fixture *f, const char *with, const char *label)
{
    const char *const words[] = {"quick", label};
    const struct run_order order = {.words = words,
                                    .count = 2,
                                    .by = "somebody",
                                    .key = with,
                                    .taken = on_taken,
                                    .arg = f};

    f->answered = false;
    assert_int_equal(runs_add(f->runs, &order, NULL), SH_OK);
}

/* The id of the run that it came to; "" where it was refused. */
static const char *order(struct fixture *f, const char *with, const char *label)
{
    begin(f, with, label);
    while (!f->answered)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_null(json_object_get(f->read, "ledger"));
    return member(f->read, "run_id");
}

static void the_same_key_is_the_same_run(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    start(f);
    (void)snprintf(id, sizeof(id), "%s", order(f, key, "a"));
    assert_string_equal(order(f, key, "a"), id);
    await_ends(f, 1);
    assert_string_equal(order(f, key, "a"), id);
    assert_string_equal(member(f->read, "state"), "done");
    assert_string_not_equal(order(f, other_key, "a"), id);
    assert_string_not_equal(order(f, NULL, "a"), id);
    await_ends(f, 3);
    assert_int_equal(json_array_size(ask(f, "", false)), 3);
    assert_null(json_object_get(json_array_get(f->read, 0), "ledger"));
    stop(f);
}

static void another_order_under_a_key_is_refused(void **state)
{
    struct fixture *f = *state;

    start(f);
    (void)order(f, key, "a");
    assert_string_equal(order(f, key, "b"), "");
    assert_int_equal(f->err, SH_CONFLICT);
    await_ends(f, 1);
    assert_int_equal(json_array_size(ask(f, "", false)), 1);
    stop(f);
}

static void a_key_outlives_its_service(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    start(f);
    (void)snprintf(id, sizeof(id), "%s", order(f, key, "a"));
    await_ends(f, 1);
    stop(f);
    start(f);
    assert_string_equal(order(f, key, "a"), id);
    assert_int_equal(f->err, SH_OK);
    assert_string_equal(order(f, key, "b"), "");
    assert_int_equal(f->err, SH_CONFLICT);
    assert_false(runs_busy(f->runs, NULL));
    stop(f);
}

/* As the ledger has what a service left that was killed before the run began. */
static void leave(struct fixture *f, double seconds_ago, const char *state)
{
    char when[32];
    char text[512];
    int ledger;

    start(f);
    (void)order(f, key, "a"); /* for its digest */
    await_ends(f, 1);
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    stop(f); /* all is written */
    json_t *made = ledger_keyed(ledger, key, NULL);
    const json_t *own = json_object_get(made, "ledger");
    sh_wall_text(sh_wall_time() - seconds_ago, when);
    (void)snprintf(text, sizeof(text),
                   "{\"run_id\":\"%s\",\"kind\":\"quick\",\"state\":\"%s\","
                   "\"created_at\":\"%s\",\"ledger\":{\"key\":\"%s\",\"order\":\"%s\"}}",
                   member(made, "run_id"), state, when, key, member(own, "order"));
    assert_int_equal(ledger_write(ledger, member(made, "run_id"), text), SH_OK);
    json_decref(made);
    close(ledger);
    f->ended = 0;
}

static void a_key_of_a_run_that_was_interrupted_tells_of_it(void **state)
{
    struct fixture *f = *state;

    leave(f, 60, "queued");
    start(f);
    assert_true(strlen(order(f, key, "a")) > 0);
    assert_string_equal(member(f->read, "code"), "interrupted");
    assert_string_equal(f->interrupted, "failed interrupted");
    assert_false(runs_busy(f->runs, NULL));
    stop(f);
}

static void a_key_is_forgotten_after_a_day(void **state)
{
    struct fixture *f = *state;

    leave(f, LEDGER_KEY_S + 60, "done");
    start(f);
    assert_true(strlen(order(f, key, "b")) > 0);
    await_ends(f, 1);
    assert_int_equal(json_array_size(ask(f, "", false)), 2);
    stop(f);
}

static void two_services_that_are_asked_at_once_make_one_run(void **state)
{
    struct fixture *f = *state;
    struct fixture other = {.root = -1};

    place(&other, f->dir);
    start(f);
    start(&other);
    for (unsigned turn = 0; turn < 20; turn++) {
        char once[RUN_ID];
        (void)snprintf(once, sizeof(once), "%032x", turn);
        begin(f, once, "a");
        begin(&other, once, "a");
        while (!f->answered || !other.answered) {
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
            (void)uv_run(&other.loop, UV_RUN_NOWAIT);
        }
        assert_int_equal(f->err, SH_OK);
        assert_int_equal(other.err, SH_OK);
        assert_string_equal(member(f->read, "run_id"), member(other.read, "run_id"));
        while (f->ended + other.ended < turn + 1) {
            (void)uv_run(&f->loop, UV_RUN_NOWAIT);
            (void)uv_run(&other.loop, UV_RUN_NOWAIT);
        }
    }
    assert_int_equal(f->ended + other.ended, 20);
    assert_int_equal(json_array_size(ask(f, "", false)), 20);
    stop(&other);
    close(other.root);
    stop(f);
}

static void who_holds_the_keys_for_long_is_not_waited_for(void **state)
{
    struct fixture *f = *state;
    int ledger, held;

    start(f);
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    assert_int_equal(ledger_hold_keys(ledger, &held), SH_OK);
    assert_string_equal(order(f, key, "a"), "");
    assert_int_equal(f->err, SH_BUSY);
    close(held);
    assert_true(strlen(order(f, key, "a")) > 0);
    await_ends(f, 1);
    close(ledger);
    stop(f);
}

static void known_runs_are_told_where_nothing_more_can_wait(void **state)
{
    static const char *const words[] = {"quick", "a"};
    static const char *const others[] = {"quick", "b"};
    struct fixture *f = *state;
    struct run_order wanted = {.words = words, .count = 2, .by = "somebody", .key = key};
    const struct run *known = NULL;
    char id[RUN_ID];

    start(f);
    assert_int_equal(runs_known(f->runs, &wanted, &known), SH_NOTFOUND);
    (void)snprintf(id, sizeof(id), "%s", order(f, key, "a"));
    assert_int_equal(runs_known(f->runs, &wanted, &known), SH_OK);
    assert_string_equal(known->id, id);
    wanted.words = others;
    assert_int_equal(runs_known(f->runs, &wanted, &known), SH_CONFLICT);
    wanted.key = NULL;
    assert_int_equal(runs_known(f->runs, &wanted, &known), SH_NOTFOUND);
    await_ends(f, 1);
    stop(f);
}

static void a_key_keeps_its_run_in_the_list(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];
    char text[256];
    char when[32];
    int ledger;

    leave(f, 3600, "done");
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    sh_wall_text(sh_wall_time(), when);
    for (unsigned i = 0; i < LEDGER_MOST + 2; i++) {
        (void)snprintf(id, sizeof(id), "%032x", i);
        (void)snprintf(
            text, sizeof(text),
            "{\"run_id\":\"%s\",\"kind\":\"x\",\"state\":\"done\",\"created_at\":\"%s\"}",
            id, when);
        assert_int_equal(ledger_write(ledger, id, text), SH_OK);
    }
    json_t *runs = ledger_read(ledger, NULL);
    ledger_trim(ledger, runs);
    json_decref(runs);
    runs = ledger_read(ledger, NULL);
    assert_int_equal(json_array_size(runs), LEDGER_MOST + 1);
    json_decref(runs);
    json_t *keyed = ledger_keyed(ledger, key, NULL);
    assert_non_null(keyed);
    json_decref(keyed);
    close(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_same_key_is_the_same_run, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_order_under_a_key_is_refused, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(a_key_outlives_its_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_of_a_run_that_was_interrupted_tells_of_it,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_is_forgotten_after_a_day, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(two_services_that_are_asked_at_once_make_one_run,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(who_holds_the_keys_for_long_is_not_waited_for,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(known_runs_are_told_where_nothing_more_can_wait,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_key_keeps_its_run_in_the_list, set_up,
                                        tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
