#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"

enum { LINE_MAX_BYTES = 1 << 20, KEEP_S = 2 };

/* --- what it prints --------------------------------------------------------------- */

static void copy_text(char *into, size_t size, const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    if (text != NULL)
        (void)snprintf(into, size, "%s", text);
}

static void on_line(void *arg, const json_t *line)
{
    struct runs *runs = arg;
    struct run *run = runs->now;
    char before[sizeof(run->stage)];

    memcpy(before, run->stage, sizeof(before));
    copy_text(run->stage, sizeof(run->stage), line, "stage");
    if (json_object_get(line, "total") != NULL) {
        run->done = (uint64_t)json_integer_value(json_object_get(line, "done"));
        run->total = (uint64_t)json_integer_value(json_object_get(line, "total"));
    } else {
        run->done = run->total = 0;
    }
    if (json_is_true(json_object_get(line, "ended"))) {
        copy_text(run->code, sizeof(run->code), line, "code");
        copy_text(run->error, sizeof(run->error), line, "error");
        json_decref(run->result);
        run->result = json_incref(json_object_get(line, "result"));
    }
    if (strcmp(before, run->stage) != 0 || sh_wall_time() - run->kept_at > KEEP_S)
        keep(runs, run);
    else
        run->version++;
}

/* --- its end ---------------------------------------------------------------------- */

static void judge(const struct teller *teller, struct run *run)
{
    if (teller->status == 0 && teller->term_signal == 0 && strcmp(run->code, "ok") == 0)
        run->state = RUN_DONE;
    else if (run->wanted_cancelled && strcmp(run->code, "ok") != 0)
        run->state = RUN_CANCELLED;
    else
        run->state = RUN_FAILED;
    if (run->state == RUN_FAILED && run->code[0] == '\0') {
        (void)snprintf(run->code, sizeof(run->code), "internal_error");
        (void)snprintf(run->error, sizeof(run->error),
                       "the process ended with status %lld, signal %d",
                       (long long)teller->status, teller->term_signal);
    }
    if (run->state == RUN_FAILED && strcmp(run->code, "ok") == 0) {
        (void)snprintf(run->code, sizeof(run->code), "not_good");
        (void)snprintf(run->error, sizeof(run->error), "the set is not good");
    }
}

static void on_end(void *arg)
{
    struct runs *runs = arg;

    if (!runs->closed)
        judge(&runs->teller, runs->now);
    runs_ended(runs);
}

/* --- starting --------------------------------------------------------------------- */

void process_start(struct runs *runs)
{
    struct run *run = runs->now;
    char report[] = "--report";
    char ledger[] = "--ledger";
    char *argv[RUN_WORDS + 4] = {runs->program};
    struct teller_spec spec = {.program = runs->program,
                               .argv = argv,
                               .line_most = LINE_MAX_BYTES,
                               .inherits = run->lock, /* held by both of us from now on */
                               .inherits_as = WORK_LEDGER};

    for (unsigned i = 0; i < run->word_count; i++)
        argv[1 + i] = run->words[i];
    argv[1 + run->word_count] = report;
    if (run->lock >= 0)
        argv[2 + run->word_count] = ledger;
    runs->teller.on_line = on_line;
    runs->teller.on_end = on_end;
    runs->teller.arg = runs;
    int rc = teller_start(&runs->teller, runs->options.loop, &spec);
    if (rc == 0)
        return;
    (void)snprintf(run->code, sizeof(run->code), "io_error");
    (void)snprintf(run->error, sizeof(run->error), "%.300s cannot be started: %s",
                   runs->program, uv_strerror(rc));
}

void process_cancel(struct runs *runs)
{
    teller_kill(&runs->teller, SIGTERM);
}

void process_let_go(struct runs *runs)
{
    teller_let_go(&runs->teller);
}
