#include "services/backup/service/waits.h"

#include <stdio.h>
#include <string.h>

#include "services/backup/run/ledger.h"
#include "services/backup/service/backup.h"
#include "services/backup/service/methods.h"
#include "shared/clock.h"

enum { TICK_MS = 200, READ_MS = 1000, WAITING_MAX = 1024 };

struct wait { /* in the arena of its call */
    struct backup *backup;
    struct sh_rpc_call *call;
    struct wait *next;
    char id[RUN_ID];
    uint64_t version; /* that is known */
    uint64_t deadline_ms;
    uint64_t read_ms; /* of another replica's run: when to look again */
    bool reading;
};

static void look(struct wait *wait);

/* --- who waits -------------------------------------------------------------------- */

static void on_tick(uv_timer_t *timer)
{
    struct waits *waits = timer->data;
    struct wait *next;

    for (struct wait *wait = waits->first; wait != NULL; wait = next) {
        next = wait->next; /* an answer takes it away, and no other */
        look(wait);
    }
}

static void remember(struct wait *wait)
{
    struct waits *waits = &wait->backup->waits;

    wait->next = waits->first;
    waits->first = wait;
    if (!uv_is_active((uv_handle_t *)&waits->timer))
        (void)uv_timer_start(&waits->timer, on_tick, TICK_MS, TICK_MS);
}

static void forget(struct wait *wait)
{
    struct waits *waits = &wait->backup->waits;
    struct wait **link = &waits->first;

    while (*link != NULL && *link != wait)
        link = &(*link)->next;
    if (*link == wait)
        *link = wait->next;
    if (waits->first == NULL && !waits->draining)
        (void)uv_timer_stop(&waits->timer);
}

/* --- looking ---------------------------------------------------------------------- */

static bool is_news(const struct wait *wait, const json_t *run, uint64_t version)
{
    return version > wait->version || !ledger_under_way(run) ||
           sh_left_ms(wait->deadline_ms) == 0;
}

static void answer(struct wait *wait, json_t *run, uint64_t version)
{
    forget(wait);
    methods_answer_run(wait->call, run, version);
}

static void refuse(struct wait *wait, enum sh_err err)
{
    forget(wait);
    methods_fail_run(wait->call, err);
}

static void on_read(void *arg, enum sh_err err, const json_t *run, uint64_t version)
{
    struct wait *wait = arg;

    wait->reading = false;
    wait->read_ms = sh_now_ms() + READ_MS;
    if (err != SH_OK)
        refuse(wait, err);
    else if (wait->backup->waits.draining || is_news(wait, run, version))
        answer(wait, json_deep_copy(run), version);
}

static void look_elsewhere(struct wait *wait)
{
    const struct runs_question question = {.id = wait->id};
    enum sh_err err;

    if (wait->reading ||
        (sh_left_ms(wait->read_ms) > 0 && sh_left_ms(wait->deadline_ms) > 0))
        return;
    wait->reading = true;
    err = ledger_id_ok(wait->id) ? runs_read(wait->backup->runs, &question, on_read, wait)
                                 : SH_NOTFOUND;
    if (err != SH_OK)
        refuse(wait, err);
}

static void look(struct wait *wait)
{
    const struct run *run = runs_find(wait->backup->runs, wait->id);

    if (run == NULL || !run->kept) {
        look_elsewhere(wait);
        return;
    }
    if (run->version <= wait->version && run->state <= RUN_RUNNING &&
        sh_left_ms(wait->deadline_ms) > 0)
        return;
    answer(wait, runs_json(run), run->version);
}

/* --- the call --------------------------------------------------------------------- */

static void on_cancel(void *arg)
{
    struct wait *wait = arg;

    wait->deadline_ms = 0; /* the clock ends it */
}

static bool has_room(const struct waits *waits)
{
    size_t count = 0;

    for (const struct wait *wait = waits->first; wait != NULL; wait = wait->next)
        count++;
    return count < WAITING_MAX;
}

void waits_run(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct job_wait wanted;

    if (sh_rpc_call_decode(call, job_wait_desc(), &wanted) != SH_OK)
        return;
    struct wait *wait = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*wait));
    if (backup->waits.draining || !has_room(&backup->waits) || wait == NULL) {
        sh_rpc_fail(call, backup->waits.draining ? SH_DRAINING : SH_BUSY, NULL, NULL,
                    "nobody more can wait here");
        return;
    }
    uint64_t own = sh_rpc_call_deadline_ms(call);
    uint64_t latest = sh_now_ms() + wanted.wait_ms;
    *wait = (struct wait){.backup = backup,
                          .call = call,
                          .version = wanted.version,
                          .deadline_ms = own < latest ? own : latest};
    if (wanted.id.len < sizeof(wait->id))
        memcpy(wait->id, wanted.id.data, wanted.id.len); /* else of no run */
    remember(wait);
    sh_rpc_call_on_cancel(call, on_cancel, wait);
    look(wait);
}

/* --- stages ----------------------------------------------------------------------- */

enum sh_err waits_start(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    backup->waits.timer.data = &backup->waits;
    return sh_err_from_uv(uv_timer_init(backup->loop, &backup->waits.timer));
}

void waits_drain(struct sh_service *service, void *self)
{
    struct backup *backup = self;
    struct wait *next;

    (void)service;
    backup->waits.draining = true;
    for (struct wait *wait = backup->waits.first; wait != NULL; wait = next) {
        next = wait->next;
        if (!wait->reading)
            refuse(wait, SH_DRAINING);
    }
}

void waits_stop(struct sh_service *service, void *self)
{
    struct backup *backup = self;

    (void)service;
    uv_close((uv_handle_t *)&backup->waits.timer, NULL);
}
