#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "services/backup/service/runs_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/trace.h"

static const char *const state_names[] = {"queued", "running", "done", "failed",
                                          "cancelled"};

/* --- whose turn it is ------------------------------------------------------------- */

static void end_waiting(struct runs *runs, struct run *run)
{
    run->state = RUN_CANCELLED;
    run->finished_at = sh_wall_time();
    keep(runs, run);
}

static struct run *oldest_waiting(struct runs *runs)
{
    for (size_t i = 0; i < RUNS_KEPT; i++) {
        struct run *run = &runs->list[(runs->next + i) % RUNS_KEPT];
        if (run->id[0] != '\0' && run->state == RUN_QUEUED && run->kept)
            return run;
    }
    return NULL;
}

/* Somebody has cancelled it at another replica. */
static bool cancelled_elsewhere(const struct run *run)
{
    return run->lock >= 0 && ledger_cancelled(run->lock);
}

static void start_next(struct runs *runs)
{
    struct run *run = runs->now == NULL && !runs->draining ? oldest_waiting(runs) : NULL;

    if (run == NULL)
        return;
    if (cancelled_elsewhere(run)) {
        end_waiting(runs, run);
        runs_go_on(runs);
        return;
    }
    runs->now = run;
    run->state = RUN_RUNNING;
    run->started_at = sh_wall_time();
    keep(runs, run);
    process_start(runs);
}

void runs_ended(struct runs *runs)
{
    struct run *run = runs->now;

    runs->now = NULL;
    if (!runs->closed) {
        run->finished_at = sh_wall_time();
        keep(runs, run);
        runs->options.ended(runs->options.arg, run);
    }
    runs_go_on(runs);
}

static void release(struct runs *runs)
{
    if (runs->asked > 0 || runs->teller.handles > 0)
        return;
    if (runs->ledger >= 0)
        (void)close(runs->ledger);
    sh_free(runs);
}

void runs_go_on(struct runs *runs)
{
    void (*idle)(void *arg) = runs->idle;

    if (runs->closed) {
        release(runs);
    } else if (runs->draining && runs->now == NULL && idle != NULL && keep_done(runs)) {
        runs->idle = NULL;
        idle(runs->idle_arg);
    } else {
        start_next(runs);
    }
}

enum sh_err runs_create(const struct runs_options *options, struct runs **out)
{
    struct runs *runs = sh_alloc(sizeof(*runs));
    size_t size = sizeof(runs->program);
    int rc = 0;

    *out = NULL;
    if (runs == NULL)
        return SH_NOMEM;
    runs->options = *options;
    runs->ledger = options->ledger;
    if (options->program != NULL)
        (void)snprintf(runs->program, size, "%s", options->program);
    else
        rc = uv_exepath(runs->program, &size);
    if (rc == 0)
        *out = runs;
    else
        sh_free(runs);
    return sh_err_from_uv(rc);
}

/* It has not ended, or its end is not written down. */
static bool is_busy(const struct run *run)
{
    return run->id[0] != '\0' &&
           (run->state <= RUN_RUNNING || run->changed || run->writing);
}

static size_t waiting(const struct runs *runs)
{
    size_t count = 0;

    for (size_t i = 0; i < RUNS_KEPT; i++)
        count += runs->list[i].id[0] != '\0' && runs->list[i].state == RUN_QUEUED;
    return count;
}

static enum sh_err may_add(const struct runs *runs, const struct run_order *order)
{
    if (runs->draining || waiting(runs) >= RUNS_WAITING)
        return SH_BUSY;
    if (order->count > RUN_WORDS)
        return SH_TOOBIG;
    for (unsigned i = 0; i < order->count; i++)
        if (strlen(order->words[i]) >= RUN_WORD)
            return SH_TOOBIG;
    return SH_OK;
}

static enum sh_err fill(struct run *run, const struct run_order *order)
{
    uint8_t raw[16];

    *run = (struct run){.state = RUN_QUEUED,
                        .word_count = order->count,
                        .regardless = order->regardless,
                        .of_a_set = order->of_a_set,
                        .lock = -1};
    sh_random(raw, sizeof(raw));
    for (size_t i = 0; i < sizeof(raw); i++)
        (void)snprintf(run->id + 2 * i, 3, "%02x", raw[i]);
    for (unsigned i = 0; i < order->count; i++)
        (void)snprintf(run->words[i], RUN_WORD, "%s", order->words[i]);
    (void)snprintf(run->by, sizeof(run->by), "%s", order->by);
    run->created_at = sh_wall_time();
    return run_key_note(run, order);
}

enum sh_err runs_add(struct runs *runs, const struct run_order *order,
                     const struct run **out)
{
    enum sh_err err = may_add(runs, order);

    if (err != SH_OK)
        return err;
    while (is_busy(&runs->list[runs->next]))
        runs->next = (runs->next + 1) % RUNS_KEPT; /* fewer than RUNS_KEPT are so */
    struct run *run = &runs->list[runs->next];
    runs->next = (runs->next + 1) % RUNS_KEPT;
    json_decref(run->result);
    err = fill(run, order);
    if (err == SH_OK)
        keep(runs, run);
    else
        run->id[0] = '\0';
    if (run->id[0] == '\0')
        return SH_NOMEM;
    run->taken = order->taken; /* after keep(), which may answer */
    run->taken_arg = order->arg;
    if (out != NULL)
        *out = run;
    return SH_OK;
}

/* --- looking, ending -------------------------------------------------------------- */

const struct run *runs_find(const struct runs *runs, const char *id)
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (id[0] != '\0' && strcmp(runs->list[i].id, id) == 0)
            return &runs->list[i];
    return NULL;
}

bool runs_busy(const struct runs *runs, const char *verb)
{
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (runs->list[i].id[0] != '\0' && runs->list[i].state <= RUN_RUNNING &&
            (verb == NULL || strcmp(runs->list[i].words[0], verb) == 0))
            return true;
    return false;
}

enum sh_err runs_cancel(struct runs *runs, const char *id)
{
    struct run *run = sh_unconst(runs_find(runs, id));

    if (run == NULL)
        return SH_NOTFOUND;
    if (run->state > RUN_RUNNING)
        return SH_CONFLICT;
    run->wanted_cancelled = true;
    if (run == runs->now) {
        process_cancel(runs);
        return SH_OK;
    }
    end_waiting(runs, run);
    return SH_OK;
}

static json_t *time_or_null(double at)
{
    char text[32];

    if (at <= 0)
        return json_null();
    sh_wall_text(at, text);
    return json_string(text);
}

/* The set that it was ordered for; "": a new one, or several. */
static const char *set_of(const struct run *run)
{
    return run->word_count > 1 && run->words[1][0] != '-' ? run->words[1] : "";
}

json_t *runs_json(const struct run *run)
{
    return json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:I, s:I, s:s, s:s, s:s, s:o, s:o, s:o, s:O?}",
        "run_id", run->id, "kind", run->words[0], "set", set_of(run), "state",
        state_names[run->state], "stage", run->stage, "done", (json_int_t)run->done,
        "total", (json_int_t)run->total, "code", run->code, "error", run->error,
        "created_by", run->by, "created_at", time_or_null(run->created_at), "started_at",
        time_or_null(run->started_at), "finished_at", time_or_null(run->finished_at),
        "result", run->result);
}

json_t *runs_list(const struct runs *runs)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && i < RUNS_KEPT; i++) {
        const struct run *run = &runs->list[(runs->next + RUNS_KEPT - 1 - i) % RUNS_KEPT];
        if (run->id[0] != '\0' && run->kept)
            json_array_append_new(list, runs_json(run));
    }
    return list;
}

void runs_drain(struct runs *runs, void (*idle)(void *arg), void *arg)
{
    runs->draining = true;
    for (size_t i = 0; i < RUNS_KEPT; i++)
        if (runs->list[i].id[0] != '\0' && runs->list[i].state <= RUN_RUNNING &&
            runs_cancel(runs, runs->list[i].id) != SH_OK)
            sh_warning(NULL, "run %s cannot be cancelled", runs->list[i].id);
    runs->idle = idle;
    runs->idle_arg = arg;
    runs_go_on(runs);
}

void runs_close(struct runs **at)
{
    struct runs *runs = *at;

    *at = NULL;
    if (runs == NULL)
        return;
    runs->closed = true;
    for (size_t i = 0; i < RUNS_KEPT; i++) {
        struct run *run = &runs->list[i];
        json_decref(run->result);
        run->result = NULL;
        if (run->id[0] != '\0' && !run->writing && run->lock >= 0)
            (void)close(run->lock);
    }
    if (runs->now != NULL)
        process_let_go(runs);
    else
        release(runs);
}
