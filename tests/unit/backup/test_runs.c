/* The service's list of runs: what becomes of it when services and processes are killed.
 */
#include "tests/unit/backup/runs_fixture.h"

/* In a process of its own: one run done, the second under way, a third waits. */
static void serve(struct fixture *f)
{
    start(f);
    (void)add(f, "quick");
    await_ends(f, 1);
    const struct run *held = add(f, "held");
    const struct run *later = add(f, "later");
    while (strcmp(held->stage, "held") != 0 || held->changed || held->writing ||
           !later->kept)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    if (write(STDOUT_FILENO, "x", 1) == 1)
        for (;;)
            (void)pause();
}

static void a_service_is_killed(struct fixture *f)
{
    int told[2];
    char byte = 0;
    int status;

    assert_int_equal(pipe(told), 0);
    pid_t service = fork();
    if (service == 0) {
        (void)dup2(told[1], STDOUT_FILENO);
        (void)execl("/proc/self/exe", "test_runs", f->dir, (char *)NULL);
        _exit(1);
    }
    close(told[1]);
    assert_true(service > 0);
    assert_int_equal(read(told[0], &byte, 1), 1);
    assert_int_equal(kill(service, SIGKILL), 0);
    assert_int_equal(waitpid(service, &status, 0), service);
    close(told[0]);
}

static const json_t *of_kind(struct fixture *f, const char *kind)
{
    const json_t *list = ask(f, "", false);
    size_t i;
    json_t *run;

    json_array_foreach(list, i, run)
    {
        if (strcmp(member(run, "kind"), kind) == 0)
            return run;
    }
    fail_msg("there is no run %s", kind);
    return NULL;
}

/* What the process that was left behind is told to leave in the ledger, before it ends.
 */
static void let_go(struct fixture *f, const char *line)
{
    int fd = open(f->fifo, O_WRONLY);

    assert_true(fd >= 0);
    assert_int_equal(write(fd, line, strlen(line)), strlen(line));
    close(fd);
}

static const json_t *await_state(struct fixture *f, const char *id, const char * not )
{
    uint64_t until = sh_now_ms() + PUMP_MS;
    const json_t *run = ask(f, id, false);

    while (strcmp(member(run, "state"), not ) == 0 && sh_now_ms() < until)
        run = ask(f, id, false);
    return run;
}

static void a_list_outlives_its_service(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    a_service_is_killed(f);
    start(f);
    const json_t *later = of_kind(f, "later");
    assert_int_equal(json_array_size(f->read), 3);
    assert_string_equal(member(later, "state"), "failed");
    assert_string_equal(member(later, "code"), "interrupted");
    assert_string_equal(member(later, "set"), f->fifo); /* what follows the verb */
    assert_string_equal(f->interrupted, "failed interrupted");
    const json_t *quick = of_kind(f, "quick");
    assert_string_equal(member(quick, "state"), "done");
    assert_string_equal(member(json_object_get(quick, "result"), "id"), "s");
    assert_string_equal(member(quick, "created_by"), "somebody");
    const json_t *held = of_kind(f, "held");
    assert_string_equal(member(held, "state"), "running"); /* its process goes on */
    (void)snprintf(id, sizeof(id), "%s", member(held, "run_id"));
    let_go(f, "\n");
    const json_t *run = await_state(f, id, "running");
    assert_string_equal(member(run, "state"), "failed");
    assert_string_equal(member(run, "code"), "interrupted");
    assert_true(strlen(member(run, "finished_at")) > 0);
    stop(f);
    start(f); /* and it stays so */
    f->interrupted[0] = '\0';
    run = ask(f, id, false);
    assert_string_equal(member(run, "code"), "interrupted");
    assert_string_equal(f->interrupted, ""); /* told once */
    stop(f);
}

static void an_end_is_told_that_no_service_saw(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    a_service_is_killed(f);
    start(f);
    (void)snprintf(id, sizeof(id), "%s", member(of_kind(f, "held"), "run_id"));
    let_go(f, "{\"ended\":true,\"code\":\"ok\",\"stage\":\"copy\",\"result\":{\"id\":"
              "\"t\"}}\n");
    const json_t *run = await_state(f, id, "running");
    assert_string_equal(member(run, "state"), "done");
    assert_string_equal(member(run, "stage"), "copy");
    assert_string_equal(member(json_object_get(run, "result"), "id"), "t");
    stop(f);
}

static void every_change_is_another_version(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    start(f);
    const struct run *run = add(f, "quick");
    uint64_t first = run->version;
    await_ends(f, 1);
    assert_true(run->version >= first + 3); /* it began, was at something, ended */
    stop(f);
    a_service_is_killed(f);
    start(f);
    (void)snprintf(id, sizeof(id), "%s", member(of_kind(f, "held"), "run_id"));
    (void)ask(f, id, false);
    assert_true(f->version >= first + 2); /* as its service has left it */
    assert_null(json_object_get(f->read, "ledger"));
    let_go(f, "\n");
    (void)await_state(f, id, "running");
    stop(f);
}

static void another_service_can_cancel(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];

    a_service_is_killed(f);
    start(f);
    (void)snprintf(id, sizeof(id), "%s", member(of_kind(f, "held"), "run_id"));
    (void)ask(f, id, true);
    assert_int_equal(f->err, SH_OK);
    int ledger;
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    char name[RUN_ID + 8];
    (void)snprintf(name, sizeof(name), "%s.lock", id);
    int lock = openat(ledger, name, O_RDONLY);
    assert_true(ledger_cancelled(lock)); /* which its process looks at */
    close(lock);
    close(ledger);
    let_go(f, "\n");
    (void)await_state(f, id, "running");
    (void)ask(f, id, true);
    assert_int_equal(f->err, SH_CONFLICT);
    (void)ask(f, "00000000000000000000000000000000", true);
    assert_int_equal(f->err, SH_NOTFOUND);
    stop(f);
}

static void on_idle(void *arg)
{
    struct fixture *f = arg;

    f->answered = true;
}

static void nothing_is_left_of_locks_when_a_service_is_stopped(void **state)
{
    struct fixture *f = *state;
    char name[RUN_ID + 8];
    struct stat st;
    int ledger;

    start(f);
    const struct run *run = add(f, "quick");
    (void)snprintf(name, sizeof(name), "%s.lock", run->id);
    await_ends(f, 1);
    runs_drain(f->runs, on_idle, f);
    while (!f->answered)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    stop(f);
    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    assert_int_equal(fstatat(ledger, name, &st, 0), -1);
    assert_int_equal(errno, ENOENT);
    close(ledger);
}

static void old_runs_go(void **state)
{
    struct fixture *f = *state;
    char id[RUN_ID];
    char text[256];
    char when[32];
    int ledger;

    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    for (unsigned i = 0; i < LEDGER_MOST + 12; i++) {
        (void)snprintf(id, sizeof(id), "%032x", i);
        /* the first ten are too old, two more are too many */
        sh_wall_text(sh_wall_time() - (i < 10 ? 91.0 * 86400 : 1000.0 - i), when);
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
    assert_int_equal(json_array_size(runs), LEDGER_MOST);
    (void)snprintf(id, sizeof(id), "%032x", LEDGER_MOST + 11);
    assert_string_equal(member(json_array_get(runs, 0), "run_id"), id);
    json_decref(runs);
    close(ledger);
}

static void what_is_no_run_is_left_out(void **state)
{
    static const char *const texts[] = {"", "{", "[]", "{\"run_id\":\"other\"}",
                                        "{\"state\":\"running\"}"};
    struct fixture *f = *state;
    const char *id = "0123456789abcdef0123456789abcdef";
    int ledger;

    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        assert_int_equal(ledger_write(ledger, id, texts[i]), SH_OK);
        json_t *runs = ledger_read(ledger, NULL);
        assert_int_equal(json_array_size(runs), 0);
        json_decref(runs);
    }
    assert_null(ledger_get(ledger, "../0123456789abcdef0123456789ab"));
    close(ledger);
}

int main(int argc, char **argv)
{
    static struct fixture service;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_list_outlives_its_service, set_up, tear_down),
        cmocka_unit_test_setup_teardown(an_end_is_told_that_no_service_saw, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(every_change_is_another_version, set_up,
                                        tear_down),
        cmocka_unit_test_setup_teardown(another_service_can_cancel, set_up, tear_down),
        cmocka_unit_test_setup_teardown(
            nothing_is_left_of_locks_when_a_service_is_stopped, set_up, tear_down),
        cmocka_unit_test_setup_teardown(old_runs_go, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_no_run_is_left_out, set_up, tear_down),
    };

    if (argc == 2) {
        place(&service, argv[1]);
        serve(&service);
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
