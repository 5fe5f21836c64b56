/* Whatever the child does – here scripts that misbehave in its place – is the end of one
 * file and of nothing else. */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "services/search/extract/extract.h"
#include "shared/clock.h"

enum { PATIENCE_MS = 60000 };

struct outcome {
    int count;
    enum sh_err err;
    char code[64];
    char message[256];
    char title[64];
    char text[64];
    size_t sections;
    uint32_t pages;
};

struct bench {
    uv_loop_t loop;
    struct extractor *extractor;
    struct sh_arena arena;
    struct outcome outcome;
    struct extract_job *job;
    char script[64];
    int fd;
};

static void copy(char *to, size_t size, struct sh_bytes from)
{
    (void)snprintf(to, size, "%.*s", (int)from.len,
                   from.len > 0 ? (const char *)from.data : "");
}

static void on_done(void *arg, const struct extracted *found)
{
    struct outcome *outcome = arg;
    outcome->count++;
    outcome->err = found->err;
    outcome->sections = found->count;
    outcome->pages = found->pages;
    copy(outcome->code, sizeof(outcome->code), sh_bytes_of(found->code));
    copy(outcome->message, sizeof(outcome->message), sh_bytes_of(found->message));
    copy(outcome->title, sizeof(outcome->title), found->title);
    if (found->count > 0)
        copy(outcome->text, sizeof(outcome->text), found->sections[0].text);
}

/* The child is this script; it reads what is in `file`. */
static void set_up(struct bench *bench, const char *script, struct extractor_options more)
{
    *bench = (struct bench){.script = "/tmp/cairn-extract-XXXXXX"};
    int fd = mkstemp(bench->script);
    assert_true(fd >= 0);
    assert_true(dprintf(fd, "#!/bin/sh\n%s\n", script) > 0);
    assert_int_equal(fchmod(fd, 0700), 0);
    close(fd);
    bench->fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
    assert_int_equal(uv_loop_init(&bench->loop), 0);
    struct extractor_options options = {.program = bench->script,
                                        .timeout_s = 60,
                                        .memory_mb = 300,
                                        .pages = 10,
                                        .characters = 1000,
                                        .nesting = 10,
                                        .ratio = 10,
                                        .at_once = 1,
                                        .queue_max = 2};
    if (more.program != NULL)
        options.program = more.program;
    if (more.timeout_s > 0)
        options.timeout_s = more.timeout_s;
    if (more.at_once > 0)
        options.at_once = more.at_once;
    assert_int_equal(extractor_create(&bench->loop, &options, &bench->extractor), SH_OK);
}

static void tear_down(struct bench *bench)
{
    char fifo[80];
    extractor_close(&bench->extractor);
    (void)uv_run(&bench->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&bench->loop), 0);
    sh_arena_free(&bench->arena);
    close(bench->fd);
    unlink(bench->script);
    (void)snprintf(fifo, sizeof(fifo), "%s.fifo", bench->script);
    unlink(fifo);
}

static enum sh_err start(struct bench *bench, struct outcome *outcome,
                         struct sh_arena *arena, struct extract_job **job)
{
    const struct extract_order order = {.fd = bench->fd,
                                        .name = sh_bytes_of("x.txt"),
                                        .declared = sh_bytes_of("text/plain"),
                                        .arena = arena};
    return extractor_start(bench->extractor, &order, on_done, outcome, job);
}

static void pump(struct bench *bench, const struct outcome *outcome)
{
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    while (outcome->count == 0 && sh_left_ms(deadline) > 0)
        (void)uv_run(&bench->loop, UV_RUN_ONCE);
    assert_int_equal(outcome->count, 1);
}

static void comes_to(const char *script, struct extractor_options more, enum sh_err err,
                     const char *code)
{
    struct bench bench;
    set_up(&bench, script, more);
    assert_int_equal(start(&bench, &bench.outcome, &bench.arena, &bench.job), SH_OK);
    assert_int_equal(bench.outcome.count, 0);
    pump(&bench, &bench.outcome);
    assert_int_equal(bench.outcome.err, err);
    assert_string_equal(bench.outcome.code, code);
    tear_down(&bench);
}

static const struct extractor_options usual = {0};

/* A section "hi" of heading "T", page 2, and an end: text/plain, title "N", 4 pages. */
#define WHOLE                                                                            \
    "printf '\\010\\000\\000\\000\\224\\024\\241T\\242hi\\002'; "                        \
    "printf '\\024\\000\\000\\000\\230\\132\\240\\240\\252text/plain\\241N\\240\\240"    \
    "\\004'"

static void what_it_finds_is_handed_on(void **state)
{
    (void)state;
    struct bench bench;
    set_up(&bench, WHOLE, usual);
    assert_int_equal(start(&bench, &bench.outcome, &bench.arena, &bench.job), SH_OK);
    pump(&bench, &bench.outcome);
    assert_int_equal(bench.outcome.err, SH_OK);
    assert_int_equal(bench.outcome.sections, 1);
    assert_string_equal(bench.outcome.text, "hi");
    assert_string_equal(bench.outcome.title, "N");
    assert_int_equal(bench.outcome.pages, 4);
    tear_down(&bench);
}

static void what_it_is_told(void **state)
{
    (void)state;
    comes_to(
        "test \"$#\" = 9 -a \"$1\" = x.txt -a \"$2\" = text/plain -a \"$3\" = 10 -a "
        "\"$4\" = 1000 -a \"$7\" = 300 -a \"$9\" = \"$PPID\" -a -z \"$HOME\" || exit "
        "1; " WHOLE,
        usual, SH_OK, "ok");
}

static void its_refusals_are_the_files(void **state)
{
    (void)state;
    comes_to("printf '\\023\\000\\000\\000\\230\\132\\251encrypted\\241m\\240\\240\\240"
             "\\240\\000'",
             usual, SH_UNREADABLE, "encrypted");
    comes_to(
        "printf '\\026\\000\\000\\000\\230\\132\\254type_refused\\241m\\240\\240\\240"
        "\\240\\000'",
        usual, SH_TYPE, "type_refused");
    /* of a word that it has not: */
    comes_to(
        "printf '\\015\\000\\000\\000\\230\\132\\243own\\241m\\240\\240\\240\\240\\000'",
        usual, SH_UNREADABLE, "extraction_failed");
}

static void a_crash_is_a_refusal(void **state)
{
    (void)state;
    comes_to("kill -SEGV $$", usual, SH_UNREADABLE, "extraction_failed");
    comes_to("kill -KILL $$", usual, SH_UNREADABLE, "extraction_failed");
    comes_to("exit 3", usual, SH_UNREADABLE, "extraction_failed");
    comes_to(WHOLE "; kill -SEGV $$", usual, SH_UNREADABLE, "extraction_failed");
    comes_to(WHOLE "; exit 1", usual, SH_UNREADABLE, "extraction_failed");
    comes_to("kill -XCPU $$", usual, SH_UNREADABLE, "extraction_timeout");
}

static void nonsense_is_a_refusal(void **state)
{
    (void)state;
    comes_to("exit 0", usual, SH_UNREADABLE, "extraction_failed");
    comes_to("echo hello, this is no frame", usual, SH_UNREADABLE, "extraction_failed");
    comes_to(WHOLE "; printf x", usual, SH_UNREADABLE, "extraction_failed");
}

static void endless_output_is_a_refusal(void **state)
{
    (void)state;
    comes_to("while :; do printf '\\010\\000\\000\\000\\224\\024\\241T\\242hi\\002"
             "\\377\\377\\377\\377'; done",
             usual, SH_UNREADABLE, "extraction_failed");
}

/* It never ends, and neither does what it started: both are killed. */
static void a_hang_is_a_refusal(void **state)
{
    (void)state;
    comes_to("mkfifo $0.fifo; cat $0.fifo; :", (struct extractor_options){.timeout_s = 1},
             SH_UNREADABLE, "extraction_timeout");
}

static void without_the_program_nothing_is_read(void **state)
{
    (void)state;
    comes_to("", (struct extractor_options){.program = "/nonexistent/cairn-extract"},
             SH_UNAVAILABLE, "unavailable");
}

static void the_queue_is_bounded_and_in_order(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcomes[3] = {0};
    struct sh_arena arenas[3] = {0};
    struct extract_job *jobs[3];
    set_up(&bench, WHOLE, usual);
    for (int i = 0; i < 3; i++)
        assert_int_equal(start(&bench, &outcomes[i], &arenas[i], &jobs[i]), SH_OK);
    assert_int_equal(start(&bench, &bench.outcome, &bench.arena, &bench.job), SH_BUSY);
    for (int i = 0; i < 3; i++) {
        pump(&bench, &outcomes[i]);
        assert_int_equal(outcomes[i].err, SH_OK);
    }
    tear_down(&bench);
    for (int i = 0; i < 3; i++)
        sh_arena_free(&arenas[i]);
}

static void what_runs_and_what_waits_is_cancelled(void **state)
{
    (void)state;
    struct bench bench;
    struct outcome outcomes[3] = {0};
    struct sh_arena arenas[3] = {0};
    struct extract_job *jobs[3];
    set_up(&bench, "mkfifo $0.fifo; cat $0.fifo; :", usual);
    for (int i = 0; i < 3; i++)
        assert_int_equal(start(&bench, &outcomes[i], &arenas[i], &jobs[i]), SH_OK);
    extract_cancel(jobs[1]); /* waits */
    pump(&bench, &outcomes[1]);
    assert_int_equal(outcomes[1].err, SH_CANCELED);
    assert_int_equal(outcomes[0].count + outcomes[2].count, 0);
    extract_cancel(jobs[0]); /* runs */
    pump(&bench, &outcomes[0]);
    assert_int_equal(outcomes[0].err, SH_CANCELED);
    tear_down(&bench); /* the third begins or waits */
    assert_int_equal(outcomes[2].count, 1);
    assert_int_equal(outcomes[2].err, SH_CANCELED);
    for (int i = 0; i < 3; i++)
        sh_arena_free(&arenas[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_it_finds_is_handed_on),
        cmocka_unit_test(what_it_is_told),
        cmocka_unit_test(its_refusals_are_the_files),
        cmocka_unit_test(a_crash_is_a_refusal),
        cmocka_unit_test(nonsense_is_a_refusal),
        cmocka_unit_test(endless_output_is_a_refusal),
        cmocka_unit_test(a_hang_is_a_refusal),
        cmocka_unit_test(without_the_program_nothing_is_read),
        cmocka_unit_test(the_queue_is_bounded_and_in_order),
        cmocka_unit_test(what_runs_and_what_waits_is_cancelled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
