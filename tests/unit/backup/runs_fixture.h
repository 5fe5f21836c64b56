/* runs_fixture: the service's list of runs over a directory of its own, and a program
 * that does what it is told in place of cairn-backup. */
#ifndef TESTS_RUNS_FIXTURE_H
#define TESTS_RUNS_FIXTURE_H

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/backup/run/ledger.h"
#include "services/backup/service/runs.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { PATH = 512, PUMP_MS = 60000 };

/* "held FIFO" says that it runs, and goes on when there is a writer, whose line it leaves
 * in the ledger; others end well. */
static const char script[] =
    "#!/bin/sh\n"
    "[ \"$1\" != held ] && {\n"
    "echo '{\"stage\":\"dump\"}'\n"
    "echo "
    "'{\"ended\":true,\"code\":\"ok\",\"stage\":\"done\",\"result\":{\"id\":\"s\"}}'\n"
    "exit 0\n"
    "}\n"
    "echo '{\"stage\":\"held\"}'\n"
    "read -r line <\"$2\"\n"
    "printf '%s' \"$line\" >&3\n"
    "exit 1\n";

struct fixture {
    char dir[PATH];
    char program[PATH + 16];
    char fifo[PATH + 16];
    const char *sets; /* BACKUP_DIR; NULL: `dir` */
    int root;
    uv_loop_t loop;
    struct runs *runs;
    unsigned ended;
    char interrupted[64]; /* the state that was told of */
    json_t *read;
    uint64_t version;
    enum sh_err err;
    bool answered;
};

static inline void on_ended(void *arg, const struct run *run)
{
    struct fixture *f = arg;

    (void)run;
    f->ended++;
}

static inline void on_interrupted(void *arg, const json_t *run)
{
    struct fixture *f = arg;

    (void)snprintf(f->interrupted, sizeof(f->interrupted), "%s %s",
                   json_string_value(json_object_get(run, "state")),
                   json_string_value(json_object_get(run, "code")));
}

/* `ledger` is taken; -1: there is none. */
static inline void start_over(struct fixture *f, int ledger)
{
    const struct runs_options options = {.loop = &f->loop,
                                         .program = f->program,
                                         .directory = f->sets ? f->sets : f->dir,
                                         .ledger = ledger,
                                         .ended = on_ended,
                                         .interrupted = on_interrupted,
                                         .arg = f};

    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(runs_create(&options, &f->runs), SH_OK);
}

static inline void start(struct fixture *f)
{
    int ledger;

    assert_int_equal(ledger_open(f->root, &ledger), SH_OK);
    start_over(f, ledger);
}

static inline void stop(struct fixture *f)
{
    runs_close(&f->runs);
    while (uv_run(&f->loop, UV_RUN_DEFAULT) != 0)
        continue;
    assert_int_equal(uv_loop_close(&f->loop), 0);
    json_decref(f->read);
    f->read = NULL;
}

static inline void place(struct fixture *f, const char *dir)
{
    (void)snprintf(f->dir, sizeof(f->dir), "%s", dir);
    f->root = open(f->dir, O_RDONLY | O_DIRECTORY);
    (void)snprintf(f->program, sizeof(f->program), "%s/run", f->dir);
    (void)snprintf(f->fifo, sizeof(f->fifo), "%s/fifo", f->dir);
}

static inline int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    char dir[] = "/tmp/cairn-runs-XXXXXX";
    int fd;

    assert_non_null(f);
    assert_non_null(mkdtemp(dir));
    place(f, dir);
    assert_int_equal(mkfifo(f->fifo, 0600), 0);
    fd = open(f->program, O_WRONLY | O_CREAT | O_EXCL, 0700);
    assert_int_equal(write(fd, script, strlen(script)), strlen(script));
    close(fd);
    *state = f;
    return 0;
}

static inline int tear_down(void **state)
{
    struct fixture *f = *state;
    char command[PATH + 16];

    close(f->root);
    (void)snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
    return 0;
}

static inline const struct run *add(struct fixture *f, const char *verb)
{
    const char *const words[] = {verb, f->fifo};
    const struct run_order order = {.words = words, .count = 2, .by = "somebody"};
    const struct run *run = NULL;

    assert_int_equal(runs_add(f->runs, &order, &run), SH_OK);
    return run;
}

static inline void await_ends(struct fixture *f, unsigned count)
{
    uint64_t until = sh_now_ms() + PUMP_MS;

    while (f->ended < count && sh_now_ms() < until)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    assert_int_equal(f->ended, count);
}

static inline void on_read(void *arg, enum sh_err err, const json_t *read,
                           uint64_t version)
{
    struct fixture *f = arg;

    f->version = version;
    json_decref(f->read);
    f->read = json_deep_copy(read);
    f->err = err;
    f->answered = true;
}

static inline json_t *ask(struct fixture *f, const char *id, bool cancel)
{
    const struct runs_question question = {.id = id, .cancel = cancel};

    f->answered = false;
    assert_int_equal(runs_read(f->runs, &question, on_read, f), SH_OK);
    while (!f->answered)
        (void)uv_run(&f->loop, UV_RUN_ONCE);
    return f->read;
}

static inline const char *member(const json_t *run, const char *name)
{
    const char *text = json_string_value(json_object_get(run, name));

    return text != NULL ? text : "";
}

#endif
