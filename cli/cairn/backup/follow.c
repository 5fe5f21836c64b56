/* A run of the backup service, from asking for it to its end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/backup/backup.h"
#include "cli/cairn/progress.h"
#include "cli/cairn/table.h"
#include "cli/cairn/watch.h"

enum { MEGA = 1000000, TEXT = 96 };

/* clang-format off */
static const struct table_column one[] = {
    {"run", "run_id", false},
    {"kind", "kind", false},
    {"state", "state", false},
    {"stage", "stage", false},
    {"error", "error", false},
    {"created by", "created_by", false},
    {"created", "created_at", false},
    {"started", "started_at", false},
    {"finished", "finished_at", false},
    {"set", "result.id", false},
    {"bytes", "result.size_bytes", false},
    {"good", "result.ok", false},
    {"proven", "result.level", false},
    {"proven", "result.proof.level", false},
    {"problems", "result.problems", false},
    {"problems", "result.proof.problems", false},
    {"removed", "result.removed", false},
    {"kept", "result.kept", false},
    {"originals kept", "result.originals_kept", false},
    {"copies", "result.copies", false},
    {"database", "result.database", false},
    {"previous database", "result.previous_database", false},
    {"safety backup", "result.safety_backup", false},
    {"tables", "result.tables", false},
    {"collections", "result.collections", false},
    {"documents", "result.documents", false},
    {"added", "result.added", false},
    {"replaced", "result.replaced", false},
    {0}};
/* clang-format on */

char *backup_path(const char *before, const char *id, const char *rest)
{
    struct sh_buffer path = {0};

    sh_buffer_text(&path, before);
    sh_buffer_text(&path, "/");
    api_segment(&path, id);
    sh_buffer_text(&path, rest);
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        return path.data;
    sh_buffer_free(&path);
    return NULL;
}

int backup_print_run(const struct cli *cli, json_t *run)
{
    const char *state = json_string_value(json_object_get(run, "state"));
    bool bad = state == NULL || strcmp(state, "failed") == 0;

    if (args_given(&cli->args, "json"))
        (void)cli_print_json(run);
    else
        table_print_one(one, run);
    json_decref(run);
    return bad ? CLI_FAILED : CLI_OK;
}

/* --- following -------------------------------------------------------------------- */

static uint64_t count(const json_t *run, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(run, name));

    return value > 0 ? (uint64_t)value : 0;
}

/* Bytes are shown as megabytes. */
static void show(void *arg, const json_t *run)
{
    struct progress *progress = arg;
    const char *stage = json_string_value(json_object_get(run, "stage"));
    const char *state = json_string_value(json_object_get(run, "state"));
    uint64_t total = count(run, "total");
    uint64_t unit = total >= 10 * (uint64_t)MEGA ? MEGA : 1;
    char what[TEXT];

    if (stage == NULL || *stage == '\0')
        stage = state != NULL ? state : "";
    (void)snprintf(what, sizeof(what), "%s%s", unit == MEGA ? "MB, " : "", stage);
    progress_show(progress,
                  &(struct progress_figures){.what = what,
                                             .done = count(run, "done") / unit,
                                             .total = total / unit},
                  false);
}

/* What the run comes to; NULL, with *code set. */
static json_t *follow(struct cli *cli, const char *id, int *code)
{
    struct progress progress;
    json_t *run = NULL;
    char *path = backup_path("/api/backups/runs", id, "");

    *code = CLI_FAILED;
    if (path == NULL)
        return NULL;
    progress_start(&progress, !args_given(&cli->args, "json"));
    enum api_end end = watch_path(cli->api, path, show, &progress, &cli->reply, &run);
    progress_clear(&progress);
    if (end == API_STOPPED)
        cli_say("the run goes on: `cairn backup runs`, `cairn backup cancel %s`", id);
    *code = cli_judge(end, &cli->reply);
    free(path);
    return run;
}

int backup_run(struct cli *cli, const char *method, const char *path, json_t *body)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    int code = CLI_FAILED;
    json_t *run = NULL;

    if (body == NULL || text != NULL)
        code = cli_ask(cli, &(struct api_request){.method = method,
                                                  .path = path,
                                                  .body = sh_bytes_of(text ? text : "")});
    free(text); /* jansson's */
    json_decref(body);
    if (code == CLI_OK)
        run = api_json(&cli->reply);
    if (run == NULL || json_string_value(json_object_get(run, "run_id")) == NULL) {
        json_decref(run);
        return code != CLI_OK ? code : CLI_FAILED;
    }
    if (args_given(&cli->args, "no-wait"))
        return backup_print_run(cli, run);
    json_t *ended = follow(cli, json_string_value(json_object_get(run, "run_id")), &code);
    json_decref(run);
    run = ended;
    if (run == NULL)
        return code != CLI_OK ? code : CLI_FAILED;
    bool cancelled =
        strcmp(json_string_value(json_object_get(run, "state")), "done") != 0;
    code = backup_print_run(cli, run);
    return cancelled ? CLI_FAILED : code;
}
