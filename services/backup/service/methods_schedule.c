/* When full sets are due, what is kept, and whether a restore can be undone. */
#include <math.h>

#include "services/backup/restore/restore.h"
#include "services/backup/service/methods.h"
#include "shared/clock.h"
#include "shared/mem.h"

enum { TIMES = 5 };

struct planning {
    uv_work_t work;
    struct sh_rpc_call *call;
    struct backup *backup;
    json_t *undo; /* NULL: the database cannot be asked */
};

static void on_thread(uv_work_t *work)
{
    struct planning *planning = work->data;
    struct work asking = {.all = &planning->backup->config, .root = -1};

    if (restore_undoable(&asking, &planning->undo) != SH_OK)
        planning->undo = json_pack("{s:s, s:s}", "what", "unknown", "set", "");
}

static json_t *next_times(const struct backup *backup)
{
    double at = clock_next(backup);
    json_t *next = json_array();
    char when[32];

    for (int i = 0; i < TIMES && at > 0; i++) {
        sh_wall_text(at, when);
        json_array_append_new(next, json_string(when));
        at = (double)cron_next(&backup->cron, (time_t)fmax(at, sh_wall_time()));
    }
    return next;
}

static json_t *plan(const struct backup *backup, json_t *undo)
{
    const struct backup_config *config = &backup->config.backup;

    return json_pack(
        "{s:s, s:s, s:I, s:s, s:o, s:b, s:{s:I, s:I, s:I, s:I, s:I}, s:o}", "schedule",
        config->schedule, "timezone", config->timezone, "jitter_seconds",
        (json_int_t)config->jitter_s, "verify", config->proof, "next", next_times(backup),
        "late", (int)clock_late(backup), "retention", "days",
        (json_int_t)config->keep_days, "count", (json_int_t)config->keep_count, "daily",
        (json_int_t)config->keep_daily, "weekly", (json_int_t)config->keep_weekly,
        "monthly", (json_int_t)config->keep_monthly, "undo", undo);
}

static void on_planned(uv_work_t *work, int status)
{
    struct planning *planning = work->data;

    (void)status; /* never cancelled */
    methods_answer(planning->call, plan(planning->backup, planning->undo), "");
    sh_free(planning);
}

void methods_schedule(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct planning *planning = sh_alloc(sizeof(*planning));

    if (planning != NULL) {
        planning->work.data = planning;
        planning->call = call;
        planning->backup = backup;
        planning->undo = NULL;
        if (uv_queue_work(backup->loop, &planning->work, on_thread, on_planned) == 0)
            return;
    }
    sh_free(planning);
    sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
}
