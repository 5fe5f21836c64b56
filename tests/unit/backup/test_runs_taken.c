/* A run is written down before whoever wants it is told that it will be done. */
#include <dirent.h>
#include <sys/resource.h>

#include "tests/unit/backup/runs_fixture.h"

static void on_taken(void *arg, enum sh_err err, const json_t *run)
{
    struct fixture *f = arg;

    json_decref(f->read);
    f->read = json_deep_copy(run);
    f->err = err;
    f->answered = true;
}

static void give(struct fixture *f, struct run_order order)
{
    order.by = "somebody";
    order.taken = on_taken;
    order.arg = f;
    f->answered = false;
    assert_int_equal(runs_add(f->runs, &order, NULL), SH_OK);
    assert_false(f->answered); /* never from inside */
    while (!f->answered)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
}

static void order(struct fixture *f, bool regardless)
{
    static const char *const words[] = {"quick"};

    give(f, (struct run_order){.words = words, .count = 1, .regardless = regardless});
}

/* In a process of its own, which ends with the very word that the run is taken. */
static void die(void *arg, enum sh_err err, const json_t *run)
{
    (void)arg;
    if (err == SH_OK && run != NULL)
        (void)kill(getpid(), SIGKILL);
}

static void serve(struct fixture *f)
{
    static const char *const words[] = {"quick"};
    const struct run_order order = {
        .words = words, .count = 1, .by = "somebody", .taken = die};

    start(f);
    assert_int_equal(runs_add(f->runs, &order, NULL), SH_OK);
    (void)uv_run(&f->loop, UV_RUN_DEFAULT);
}

static void a_run_that_was_taken_is_found_whatever_is_killed(void **state)
{
    struct fixture *f = *state;
    int status;
    pid_t service = fork();

    if (service == 0) {
        (void)execl("/proc/self/exe", "test_runs_taken", f->dir, (char *)NULL);
        _exit(1);
    }
    assert_true(service > 0);
    assert_int_equal(waitpid(service, &status, 0), service);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    start(f);
    const json_t *run = json_array_get(ask(f, "", false), 0);
    assert_int_equal(json_array_size(f->read), 1);
    assert_string_equal(member(run, "kind"), "quick");
    assert_string_equal(member(run, "created_by"), "somebody");
    assert_string_equal(member(run, "state"), "failed");
    assert_string_equal(member(run, "code"), "interrupted");
    assert_non_null(strstr(member(run, "error"), "not seen to begin"));
    assert_string_equal(f->interrupted, "failed interrupted");
    stop(f);
}

static void a_run_that_was_taken_is_done(void **state)
{
    struct fixture *f = *state;

    start(f);
    order(f, false);
    assert_int_equal(f->err, SH_OK);
    assert_string_equal(member(f->read, "state"), "queued");
    assert_int_equal(f->ended, 0);
    await_ends(f, 1);
    stop(f);
}

static void what_cannot_be_written_down_is_not_done(void **state)
{
    struct fixture *f = *state;

    start_over(f, -1);
    order(f, false);
    assert_int_equal(f->err, SH_IO);
    assert_null(f->read);
    assert_false(runs_busy(f->runs, NULL));
    assert_int_equal(json_array_size(ask(f, "", false)), 0);
    assert_int_equal(f->ended, 0);
    stop(f);
}

static void half_of_a_run_that_was_not_taken_is_removed(void **state)
{
    struct fixture *f = *state;
    struct rlimit usual;
    int ledger;

    assert_int_equal(getrlimit(RLIMIT_FSIZE, &usual), 0);
    const struct rlimit none = {0, usual.rlim_max};
    (void)signal(SIGXFSZ, SIG_IGN); /* as where the disk is full: an error of write() */
    start(f);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    order(f, false);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &usual), 0);
    assert_int_equal(f->err, SH_IO);
    assert_int_equal(json_array_size(ask(f, "", false)), 0);
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    DIR *directory = fdopendir(ledger);
    for (const struct dirent *entry; (entry = readdir(directory)) != NULL;)
        assert_int_equal(entry->d_name[0], '.'); /* itself, and the one above */
    (void)closedir(directory);
    order(f, false); /* there is room again */
    assert_int_equal(f->err, SH_OK);
    await_ends(f, 1);
    stop(f);
}

static void what_makes_room_is_done_all_the_same(void **state)
{
    struct fixture *f = *state;

    start_over(f, -1);
    order(f, true);
    assert_int_equal(f->err, SH_OK);
    assert_string_equal(member(f->read, "kind"), "quick");
    await_ends(f, 1);
    stop(f);
}

/* Of a set; what came of it. */
static enum sh_err order_of(struct fixture *f, const char *set, const char *key)
{
    const char *const words[] = {"quick", set};

    give(f, (struct run_order){.words = words,
                               .count = 2,
                               .key = key,
                               .regardless = true,
                               .of_a_set = true});
    return f->err;
}

static void nothing_is_done_with_a_set_that_is_not_there(void **state)
{
    static const char key[] = "00112233445566778899aabbccddeeff";
    struct fixture *f = *state;

    start(f);
    assert_int_equal(mkdirat(f->root, "set", 0700), 0);
    assert_int_equal(order_of(f, "set", key), SH_OK);
    await_ends(f, 1);
    assert_int_equal(unlinkat(f->root, "set", AT_REMOVEDIR), 0);
    assert_int_equal(order_of(f, "set", NULL), SH_NOTFOUND);
    assert_null(f->read);
    assert_int_equal(order_of(f, "run", NULL), SH_NOTFOUND); /* a file */
    assert_int_equal(order_of(f, "..", NULL), SH_NOTFOUND);
    assert_false(runs_busy(f->runs, NULL));
    assert_int_equal(json_array_size(ask(f, "", false)), 1);
    stop(f);
    start(f); /* which removed it may ask how that went, of the next service too */
    assert_int_equal(order_of(f, "set", key), SH_OK);
    assert_string_equal(member(f->read, "state"), "done");
    stop(f);
    assert_int_equal(f->ended, 1);
}

static void sets_that_cannot_be_looked_for_may_be_there(void **state)
{
    struct fixture *f = *state;
    char nowhere[PATH + 16];

    (void)snprintf(nowhere, sizeof(nowhere), "%s/away", f->dir);
    f->sets = nowhere;
    start(f);
    assert_int_equal(order_of(f, "set", NULL), SH_OK);
    await_ends(f, 1);
    stop(f);
}

static void nobody_sees_a_run_before_it_is_written_down(void **state)
{
    struct fixture *f = *state;
    json_t *list;

    start(f);
    const struct run *run = add(f, "quick");
    list = runs_list(f->runs);
    assert_int_equal(json_array_size(list), 0);
    json_decref(list);
    while (!run->kept)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    list = runs_list(f->runs);
    assert_int_equal(json_array_size(list), 1);
    json_decref(list);
    await_ends(f, 1);
    stop(f);
}

int main(int argc, char **argv)
{
    static struct fixture service;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_run_that_was_taken_is_found_whatever_is_killed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_run_that_was_taken_is_done, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_cannot_be_written_down_is_not_done, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(half_of_a_run_that_was_not_taken_is_removed,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_makes_room_is_done_all_the_same, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(nothing_is_done_with_a_set_that_is_not_there,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(sets_that_cannot_be_looked_for_may_be_there,
                                        set_up, tear_down),
        cmocka_unit_test_setup_teardown(nobody_sees_a_run_before_it_is_written_down,
                                        set_up, tear_down),
    };

    if (argc == 2) {
        place(&service, argv[1]);
        serve(&service);
        return 1;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
