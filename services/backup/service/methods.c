/* What the service can be asked. */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/msg.h"
#include "services/backup/run/root.h"
#include "services/backup/service/backup.h"
#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/rpc_server.h"

enum { TIMES = 5 };

/* --- answers ------------------------------------------------------------------------ */

static void answer(struct sh_rpc_call *call, json_t *body, const char *run_id)
{
    char *text = json_dumps(body, JSON_COMPACT);
    struct backup_answer reply = {.body = sh_bytes_of(text),
                                  .run_id = sh_bytes_of(run_id)};

    if (text != NULL)
        sh_rpc_reply(call, backup_answer_desc(), &reply);
    else
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    free(text); /* jansson's */
    json_decref(body);
}

static const char *text_of(struct sh_rpc_call *call, struct sh_bytes bytes)
{
    const char *text = sh_arena_strndup(sh_rpc_call_arena(call), bytes.data, bytes.len);

    return text != NULL ? text : "";
}

/* --- sets --------------------------------------------------------------------------- */

static void on_list(void *arg, enum sh_err err, const struct sets *sets)
{
    struct sh_rpc_call *call = arg;
    struct backup_list_reply reply = {.sets = sets->list, .sets_count = sets->count};

    if (err == SH_OK)
        sh_rpc_reply(call, backup_list_reply_desc(), &reply);
    else
        sh_rpc_fail(call, err, NULL, NULL, "the backup directory cannot be read");
}

static void handle_list(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    enum sh_err err =
        sets_read_later(backup->loop, backup->config.backup.directory, on_list, call);

    if (err != SH_OK)
        sh_rpc_fail(call, err, NULL, NULL, "%s", sh_err_text(err));
}

struct showing {
    uv_work_t work;
    struct sh_rpc_call *call;
    const struct backup_all *all;
    char id[BACKUP_ID];
    json_t *manifest;
    char error[512];
    enum sh_err err;
};

static void on_thread(uv_work_t *work)
{
    struct showing *showing = work->data;
    struct work reading = {.all = showing->all, .root = -1};
    int fd = -1;

    showing->err = root_open(&reading);
    if (showing->err == SH_OK)
        showing->err = root_manifest(&reading, showing->id, &fd, &showing->manifest);
    memcpy(showing->error, reading.error, sizeof(showing->error));
    if (fd >= 0)
        (void)close(fd);
    if (reading.root >= 0)
        (void)close(reading.root);
}

static void on_shown(uv_work_t *work, int status)
{
    struct showing *showing = work->data;

    if (status == 0 && showing->err == SH_OK)
        answer(showing->call, json_incref(showing->manifest), "");
    else
        sh_rpc_fail(showing->call, status == 0 ? showing->err : SH_CANCELED, NULL, "id",
                    "%s", showing->error);
    json_decref(showing->manifest);
    sh_free(showing);
}

static void handle_show(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct backup_ref ref;
    struct showing *showing;

    if (sh_rpc_call_decode(call, backup_ref_desc(), &ref) != SH_OK)
        return;
    showing = sh_alloc(sizeof(*showing));
    if (showing != NULL && ref.id.len < sizeof(showing->id)) {
        showing->work.data = showing;
        showing->call = call;
        showing->all = &backup->config;
        memcpy(showing->id, ref.id.data, ref.id.len);
        if (uv_queue_work(backup->loop, &showing->work, on_thread, on_shown) == 0)
            return;
    }
    sh_free(showing);
    sh_rpc_fail(call, SH_NOTFOUND, NULL, "id", "there is no such backup set");
}

/* --- runs --------------------------------------------------------------------------- */

static bool known_verb(const char *verb)
{
    static const char *const verbs[] = {"create", "verify", "drill", "restore", "undo",
                                        "prune",  "delete", "copy",  "fetch"};

    for (size_t i = 0; i < SH_COUNT(verbs); i++)
        if (strcmp(verb, verbs[i]) == 0)
            return true;
    return false;
}

struct words {
    const char *list[RUN_WORDS];
    unsigned count;
};

static void say(struct words *words, const char *option, const char *value)
{
    if (value[0] == '\0' || words->count + 2 > RUN_WORDS)
        return;
    if (option != NULL)
        words->list[words->count++] = option;
    words->list[words->count++] = value;
}

/* A value never begins an option of its own: each follows its option's name, and the id
 * is checked. */
static void spell(struct sh_rpc_call *call, const struct backup_order *order,
                  const char *by, struct words *words)
{
    say(words, NULL, text_of(call, order->verb));
    say(words, NULL, text_of(call, order->id));
    say(words, "--kind", text_of(call, order->kind));
    say(words, "--label", text_of(call, order->label));
    say(words, "--verify", text_of(call, order->proof));
    say(words, "--target", text_of(call, order->target));
    say(words, "--database", text_of(call, order->database));
    say(words, "--confirm", text_of(call, order->confirm));
    say(words, "--from", text_of(call, order->from));
    say(words, "--until", text_of(call, order->until));
    for (size_t i = 0; i < order->tables_count; i++)
        say(words, "--table", text_of(call, order->tables[i]));
    for (size_t i = 0; i < order->collections_count; i++)
        say(words, "--collection", text_of(call, order->collections[i]));
    say(words, "--by", by);
    if (order->dry_run)
        say(words, NULL, "--dry-run");
    if (order->force)
        say(words, NULL, "--force");
}

static bool id_fits(struct sh_rpc_call *call, struct sh_bytes id)
{
    return id.len == 0 ||
           (root_id_ok(text_of(call, id)) && ((const char *)id.data)[0] != '-');
}

static void handle_run(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct backup_order order;
    struct words words = {.count = 0};
    const struct run *run = NULL;
    const char *by = "";
    enum sh_err err;

    if (sh_rpc_call_decode(call, backup_order_desc(), &order) != SH_OK)
        return;
    if (!known_verb(text_of(call, order.verb)) || !id_fits(call, order.id)) {
        sh_rpc_fail(call, SH_NOTFOUND, NULL, "id", "there is no such backup set");
        return;
    }
    if (caller != NULL)
        by = text_of(call, caller->username.len ? caller->username : caller->user_id);
    spell(call, &order, by, &words);
    err = runs_add(backup->runs, words.list, words.count, by, &run);
    if (err == SH_OK)
        answer(call, runs_json(run), run->id);
    else
        sh_rpc_fail(call, err, NULL, NULL, "%s",
                    err == SH_BUSY ? "too many runs wait already" : sh_err_text(err));
}

static void handle_runs(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;

    answer(call, json_pack("{s:o}", "runs", runs_list(backup->runs)), "");
}

static void handle_run_get(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct backup_ref ref;

    if (sh_rpc_call_decode(call, backup_ref_desc(), &ref) != SH_OK)
        return;
    const struct run *run = runs_find(backup->runs, text_of(call, ref.id));
    if (run != NULL)
        answer(call, runs_json(run), run->id);
    else
        sh_rpc_fail(call, SH_NOTFOUND, NULL, "run", "there is no such run");
}

static void handle_run_cancel(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    struct backup_ref ref;

    if (sh_rpc_call_decode(call, backup_ref_desc(), &ref) != SH_OK)
        return;
    const char *id = text_of(call, ref.id);
    enum sh_err err = runs_cancel(backup->runs, id);
    if (err == SH_OK)
        answer(call, runs_json(runs_find(backup->runs, id)), id);
    else
        sh_rpc_fail(call, err, NULL, "run", "%s",
                    err == SH_NOTFOUND ? "there is no such run" : "it has ended");
}

/* --- schedule ----------------------------------------------------------------------- */

static void handle_schedule(void *arg, struct sh_rpc_call *call)
{
    struct backup *backup = arg;
    const struct backup_config *config = &backup->config.backup;
    double at = clock_next(backup);
    json_t *next = json_array();
    char when[32];

    for (int i = 0; i < TIMES && at > 0; i++) {
        sh_wall_text(at, when);
        json_array_append_new(next, json_string(when));
        at = (double)cron_next(&backup->cron, (time_t)fmax(at, sh_wall_time()));
    }
    answer(call,
           json_pack("{s:s, s:s, s:I, s:s, s:o, s:b, s:{s:I, s:I, s:I, s:I, s:I}}",
                     "schedule", config->schedule, "timezone", config->timezone,
                     "jitter_seconds", (json_int_t)config->jitter_s, "verify",
                     config->proof, "next", next, "late", (int)clock_late(backup),
                     "retention", "days", (json_int_t)config->keep_days, "count",
                     (json_int_t)config->keep_count, "daily",
                     (json_int_t)config->keep_daily, "weekly",
                     (json_int_t)config->keep_weekly, "monthly",
                     (json_int_t)config->keep_monthly),
           "");
}

enum sh_err methods_start(struct sh_service *service, void *self)
{
    static const struct {
        uint32_t method;
        const char *name;
        sh_rpc_handler_fn *handle;
    } methods[] = {
        {METHOD_BACKUP_LIST, "backup.list", handle_list},
        {METHOD_BACKUP_SHOW, "backup.show", handle_show},
        {METHOD_BACKUP_RUN, "backup.run", handle_run},
        {METHOD_BACKUP_RUNS, "backup.runs", handle_runs},
        {METHOD_BACKUP_RUN_GET, "backup.run_get", handle_run_get},
        {METHOD_BACKUP_RUN_CANCEL, "backup.run_cancel", handle_run_cancel},
        {METHOD_BACKUP_SCHEDULE, "backup.schedule", handle_schedule},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < SH_COUNT(methods) && err == SH_OK; i++)
        err = sh_rpc_server_add(sh_service_rpc(service), methods[i].method,
                                methods[i].name, 0, methods[i].handle, self);
    return err;
}
