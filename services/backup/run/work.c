#include "services/backup/run/work.h"

#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/backup/run/ledger.h"
#include "shared/clock.h"

enum { TURN_MS = 200 };

static volatile sig_atomic_t cancelled;

static void on_signal(int number)
{
    (void)number;
    cancelled = 1;
}

void work_catch_signals(void)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigaction ignore = {.sa_handler = SIG_IGN};

    sigaction(SIGTERM, &action, NULL);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGPIPE, &ignore, NULL);
    sigaction(SIGXFSZ, &ignore, NULL); /* a full quota is an error of write() */
}

enum sh_err work_fail(struct work *work, enum sh_err err, const char *format, ...)
{
    va_list args;

    if (work->error[0] == '\0') {
        va_start(args, format);
        (void)vsnprintf(work->error, sizeof(work->error), format, args);
        va_end(args);
    }
    return err;
}

bool work_cancelled(const struct work *work)
{
    (void)work;
    return cancelled != 0;
}

/* Cancelled by a service that did not start us: a few bytes, each time, so that no word
 * that came before a run's last step is missed. */
static void look_at_ledger(const struct work *work)
{
    if (work->ledger && ledger_cancelled(WORK_LEDGER))
        cancelled = 1;
}

enum sh_err work_go_on(struct work *work)
{
    look_at_ledger(work);
    return cancelled ? work_fail(work, SH_CANCELED, "cancelled") : SH_OK;
}

/* --- telling ---------------------------------------------------------------------- */

static void print(json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    if (text != NULL) {
        (void)printf("%s\n", text);
        (void)fflush(stdout);
    }
    free(text); /* jansson's */
    json_decref(line);
}

void work_stage(struct work *work, const char *stage)
{
    work->stage = stage;
    work->shown_ms = 0;
    if (work->report)
        print(json_pack("{s:s}", "stage", stage));
    else
        (void)fprintf(stderr, "%s …\n", stage);
}

void work_progress(struct work *work, uint64_t done, uint64_t total)
{
    uint64_t now = sh_now_ms();

    if (now - work->shown_ms < 100)
        return;
    work->shown_ms = now;
    if (work->report)
        print(json_pack("{s:s, s:I, s:I}", "stage", work->stage, "done", (json_int_t)done,
                        "total", (json_int_t)total));
}

void work_say(struct work *work, const char *format, ...)
{
    va_list args;

    (void)work;
    va_start(args, format);
    (void)vfprintf(stderr, format, args);
    va_end(args);
    (void)fputc('\n', stderr);
}

static void end_for_people(const struct work *work, enum sh_err err, const json_t *result)
{
    if (err != SH_OK)
        (void)fprintf(stderr, "cairn-backup: %s: %s\n", work->stage,
                      work->error[0] ? work->error : sh_err_text(err));
    if (result != NULL) {
        (void)json_dumpf(result, stdout, JSON_INDENT(2));
        (void)fputc('\n', stdout);
    }
    (void)fflush(stdout);
}

static void tell_ledger(const json_t *line)
{
    char *text = json_dumps(line, JSON_COMPACT);

    if (text != NULL)
        ledger_say(WORK_LEDGER, text);
    free(text); /* jansson's */
}

void work_end(struct work *work, enum sh_err err, const json_t *result)
{
    json_t *line;

    if (!work->report) {
        end_for_people(work, err, result);
        return;
    }
    line = json_pack("{s:b, s:s, s:s}", "ended", 1, "code", sh_err_code(err), "stage",
                     work->stage ? work->stage : "start");
    if (err != SH_OK)
        json_object_set_new(line, "error",
                            json_string(work->error[0] ? work->error : sh_err_text(err)));
    if (result != NULL)
        json_object_set(line, "result", (json_t *)sh_unconst(result));
    if (work->ledger)
        tell_ledger(line);
    print(line);
}

void work_pause(unsigned ms)
{
    (void)poll(NULL, 0, (int)ms); /* EINTR is as good */
}

static void on_tick(uv_timer_t *timer)
{
    (void)timer; /* the loop has turned: that is all */
}

void work_until_cancelled(struct work *work, const bool *flag, void (*give_up)(void *arg),
                          void *arg)
{
    bool given_up = false;
    uv_timer_t tick;

    uv_timer_init(work->loop, &tick); /* cannot fail */
    uv_timer_start(&tick, on_tick, TURN_MS, TURN_MS);
    while (!*flag) {
        (void)uv_run(work->loop, UV_RUN_ONCE);
        if (!given_up && work_go_on(work) != SH_OK) {
            given_up = true;
            if (!*flag)
                give_up(arg);
        }
    }
    uv_close((uv_handle_t *)&tick, NULL);
    (void)uv_run(work->loop, UV_RUN_NOWAIT); /* the closing */
}

void work_until(struct work *work, const bool *flag)
{
    while (!*flag && uv_run(work->loop, UV_RUN_ONCE) != 0)
        continue;
}
