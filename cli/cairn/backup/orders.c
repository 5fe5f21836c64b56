/* What the service is told to do: each is a run that is followed to its end. */
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/backup/backup.h"

static void tell(const struct cli *cli, json_t *body, const char *option)
{
    const char *text = args_text(&cli->args, option);

    if (text != NULL)
        json_object_set_new(body, option, json_string(text));
}

/* What was given once or more. */
static void tell_all(const struct cli *cli, json_t *body, const char *option,
                     const char *member)
{
    json_t *list = json_array();
    size_t at = 0;

    for (const char *text; (text = args_next(&cli->args, option, &at)) != NULL;)
        json_array_append_new(list, json_string(text));
    if (json_array_size(list) > 0)
        json_object_set(body, member, list);
    json_decref(list);
}

/* "?until=…" behind the verb; NULL: out of memory, else the caller's. */
static char *rest_until(const char *verb, const char *until)
{
    struct sh_buffer rest = {0};

    sh_buffer_text(&rest, verb);
    if (until != NULL) {
        sh_buffer_text(&rest, "?until=");
        api_segment(&rest, until);
    }
    sh_buffer_append(&rest, "", 1);
    if (rest.err == SH_OK)
        return rest.data;
    sh_buffer_free(&rest);
    return NULL;
}

static int restore(struct cli *cli, json_t *body)
{
    char *rest = rest_until("/restore", args_text(&cli->args, "until"));
    char *path =
        rest != NULL ? backup_path("/api/backups", cli->args.words[0], rest) : NULL;
    int code = CLI_FAILED;

    if (path != NULL)
        code = backup_run(cli, "POST", path, body);
    else
        json_decref(body);
    free(path);
    free(rest);
    return code;
}

/* About the set that was named. */
static int about(struct cli *cli, const char *verb, const char *method, json_t *body)
{
    char rest[32] = "/";
    char *path = backup_path("/api/backups", cli->args.words[0],
                             *verb ? strncat(rest, verb, sizeof(rest) - 2) : "");
    int code = CLI_FAILED;

    if (path != NULL)
        code = backup_run(cli, method, path, body);
    else
        json_decref(body);
    free(path);
    return code;
}

int backup_create(struct cli *cli)
{
    const char *proof = args_text(&cli->args, "verify");
    int code = CLI_OK;

    if (!backup_by_service(cli, "create", &code))
        return code;
    json_t *body = json_object();
    tell(cli, body, "kind");
    tell(cli, body, "label");
    if (proof != NULL)
        json_object_set_new(body, "proof", json_string(proof));
    return backup_run(cli, "POST", "/api/backups", body);
}

int backup_verify(struct cli *cli)
{
    int code = CLI_OK;

    return backup_by_service(cli, "verify", &code) ? about(cli, "verify", "POST", NULL)
                                                   : code;
}

int backup_drill(struct cli *cli)
{
    int code = CLI_OK;

    if (!backup_by_service(cli, "drill", &code))
        return code;
    if (args_given(&cli->args, "until"))
        return restore(cli, json_pack("{s:s}", "target", "scratch"));
    return about(cli, "drill", "POST", NULL);
}

int backup_restore(struct cli *cli)
{
    int code = CLI_OK;

    if (!backup_by_service(cli, "restore", &code))
        return code;
    const char *target = args_text(&cli->args, "target");
    if (args_given(&cli->args, "into") ||
        (target != NULL && strcmp(target, "directory") == 0)) {
        cli_say("a data directory is made where the sets are: add --directory DIR");
        return CLI_USAGE;
    }
    json_t *body = json_pack("{s:s}", "target", target != NULL ? target : "scratch");
    tell(cli, body, "database");
    tell(cli, body, "confirm");
    tell_all(cli, body, "table", "tables");
    tell_all(cli, body, "collection", "collections");
    return restore(cli, body);
}

int backup_undo(struct cli *cli)
{
    int code = CLI_OK;

    if (!backup_by_service(cli, "undo", &code))
        return code;
    json_t *body = json_object();
    tell(cli, body, "confirm");
    return backup_run(cli, "POST", "/api/backups/undo", body);
}

int backup_prune(struct cli *cli)
{
    int code = CLI_OK;

    if (!backup_by_service(cli, "prune", &code))
        return code;
    json_t *body = json_object();
    json_object_set_new(body, "dry_run", json_boolean(args_given(&cli->args, "dry-run")));
    return backup_run(cli, "POST", "/api/backups/prune", body);
}

int backup_delete(struct cli *cli)
{
    int code = CLI_OK;

    return backup_by_service(cli, "delete", &code) ? about(cli, "", "DELETE", NULL)
                                                   : code;
}

int backup_copy(struct cli *cli)
{
    int code = CLI_OK;

    return backup_by_service(cli, "copy", &code) ? about(cli, "copy", "POST", NULL)
                                                 : code;
}
