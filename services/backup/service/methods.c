/* What the service can be asked. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "proto/msg.h"
#include "services/backup/run/ledger.h"
#include "services/backup/run/root.h"
#include "services/backup/service/methods.h"
#include "shared/mem.h"
#include "shared/rpc_server.h"

/* --- answers ---------------------------------------------------------------------- */

static void answer(struct sh_rpc_call *call, json_t *body, struct backup_answer reply)
{
    char *text = json_dumps(body, JSON_COMPACT);

    reply.body = sh_bytes_of(text != NULL ? text : "");
    if (text != NULL)
        sh_rpc_reply(call, backup_answer_desc(), &reply);
    else
        sh_rpc_fail(call, SH_NOMEM, NULL, NULL, "%s", sh_err_text(SH_NOMEM));
    free(text); /* jansson's */
    json_decref(body);
}

void methods_answer(struct sh_rpc_call *call, json_t *body, const char *run_id)
{
    answer(call, body, (struct backup_answer){.run_id = sh_bytes_of(run_id)});
}

void methods_answer_run(struct sh_rpc_call *call, json_t *run, uint64_t version)
{
    const char *id = json_string_value(json_object_get(run, "run_id"));

    answer(call, run,
           (struct backup_answer){.run_id = sh_bytes_of(id != NULL ? id : ""),
                                  .version = version,
                                  .ended = !ledger_under_way(run)});
}

const char *methods_text(struct sh_rpc_call *call, struct sh_bytes bytes)
{
    const char *text = sh_arena_strndup(sh_rpc_call_arena(call), bytes.data, bytes.len);

    return text != NULL ? text : "";
}

/* --- sets ------------------------------------------------------------------------- */

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
        methods_answer(showing->call, json_incref(showing->manifest), "");
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

enum sh_err methods_start(struct sh_service *service, void *self)
{
    static const struct {
        uint32_t method;
        const char *name;
        sh_rpc_handler_fn *handle;
    } methods[] = {
        {METHOD_BACKUP_LIST, "backup.list", handle_list},
        {METHOD_BACKUP_SHOW, "backup.show", handle_show},
        {METHOD_BACKUP_RUN, "backup.run", methods_run},
        {METHOD_BACKUP_RUNS, "backup.runs", methods_runs},
        {METHOD_BACKUP_RUN_GET, "backup.run_get", methods_run_get},
        {METHOD_BACKUP_RUN_CANCEL, "backup.run_cancel", methods_run_cancel},
        {METHOD_BACKUP_RUN_WAIT, "backup.run_wait", waits_run},
        {METHOD_BACKUP_SCHEDULE, "backup.schedule", methods_schedule},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; i < SH_COUNT(methods) && err == SH_OK; i++)
        err = sh_rpc_server_add(sh_service_rpc(service), methods[i].method,
                                methods[i].name, 0, methods[i].handle, self);
    return err;
}
