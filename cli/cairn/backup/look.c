/* Sets, runs, the schedule. */
#include <stdio.h>
#include <stdlib.h>

#include "cli/cairn/answer.h"
#include "cli/cairn/backup/backup.h"

int backup_list(struct cli *cli)
{
    static const struct table_column columns[] = {{"SET", "id", false},
                                                  {"KIND", "kind", false},
                                                  {"CREATED", "created_at", false},
                                                  {"BYTES", "size_bytes", false},
                                                  {"VERIFIED", "verified", false},
                                                  {"PROVEN", "proven", false},
                                                  {"LABEL", "label", true},
                                                  {0}};
    int code = CLI_OK;

    if (!backup_by_service(cli, "list", &code))
        return code;
    return answer_list(cli, "/api/backups", "backups", columns);
}

int backup_runs(struct cli *cli)
{
    static const struct table_column columns[] = {{"RUN", "run_id", false},
                                                  {"KIND", "kind", false},
                                                  {"STATE", "state", false},
                                                  {"STAGE", "stage", false},
                                                  {"SET", "set", false},
                                                  {"CREATED", "created_at", false},
                                                  {"FINISHED", "finished_at", false},
                                                  {"BY", "created_by", true},
                                                  {"ERROR", "error", true},
                                                  {0}};

    return answer_list(cli, "/api/backups/runs", "runs", columns);
}

/* --- one -------------------------------------------------------------------------- */

int backup_show(struct cli *cli)
{
    /* clang-format off */
    static const struct table_column one[] = {
        {"set", "id", false},
        {"kind", "kind", false},
        {"label", "label", false},
        {"created", "created_at", false},
        {"finished", "finished_at", false},
        {"seconds", "duration_seconds", false},
        {"created by", "created_by", false},
        {"bytes", "size_bytes", false},
        {"sha256", "sha256", false},
        {"verified", "verified", false},
        {"proven", "proven", false},
        {"database", "database.name", false},
        {"server", "database.server_version", false},
        {"schema", "database.schema_version", false},
        {"originals", "originals", false},
        {"problems", "drill.problems", false},
        {0}};
    /* clang-format on */
    int code = CLI_OK;

    if (!backup_by_service(cli, "show", &code))
        return code;
    char *path = backup_path("/api/backups", cli->args.words[0], "");
    json_t *manifest = path != NULL ? cli_get(cli, path, &code) : NULL;
    free(path);
    if (manifest == NULL)
        return code != CLI_OK ? code : CLI_FAILED;
    if (args_given(&cli->args, "json"))
        code = cli_print_json(manifest);
    else
        table_print_one(one, manifest);
    json_decref(manifest);
    return code;
}

int backup_schedule(struct cli *cli)
{
    int code = CLI_OK;

    if (!backup_by_service(cli, "schedule", &code))
        return code;
    json_t *schedule = cli_get(cli, "/api/backups/schedule", &code);
    if (schedule != NULL)
        code = cli_print_members(schedule, args_given(&cli->args, "json"));
    json_decref(schedule);
    return code;
}

int backup_cancel(struct cli *cli)
{
    char *path = backup_path("/api/backups/runs", cli->args.words[0], "");
    int code = CLI_FAILED;

    if (path != NULL)
        code = cli_ask(cli, &(struct api_request){.method = "DELETE", .path = path});
    free(path);
    json_t *run = code == CLI_OK ? api_json(&cli->reply) : NULL;
    if (run != NULL)
        code = backup_print_run(cli, run);
    return code;
}
