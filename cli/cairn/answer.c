#include "cli/cairn/answer.h"

#include <stdio.h>

enum { NAME_MAX_LEN = 64 };

static int print(struct cli *cli, json_t *answer, const struct table_column *columns)
{
    if (!columns || args_given(&cli->args, "json"))
        return cli_print_members(answer, args_given(&cli->args, "json"));
    table_print_one(columns, answer);
    return CLI_OK;
}

int answer_print(struct cli *cli, const struct table_column *columns)
{
    json_t *answer = api_json(&cli->reply);
    if (!answer) {
        cli_say("%s", cli->reply.error);
        return CLI_FAILED;
    }
    int code = print(cli, answer, columns);
    json_decref(answer);
    return code;
}

int answer_get(struct cli *cli, const char *path, const struct table_column *columns)
{
    int code = path ? cli_ask(cli, &(struct api_request){.path = path}) : CLI_FAILED;
    return code == CLI_OK ? answer_print(cli, columns) : code;
}

int answer_to(struct cli *cli, const char *method, const char *path, json_t *body,
              const struct table_column *columns)
{
    int code = CLI_FAILED;
    if (!path)
        json_decref(body);
    else if (body)
        code = cli_send(cli, method, path, body);
    else
        code = cli_ask(cli, &(struct api_request){.method = method, .path = path});
    return code == CLI_OK ? answer_print(cli, columns) : code;
}

int answer_list(struct cli *cli, const char *path, const char *member,
                const struct table_column *columns)
{
    int code = CLI_FAILED;
    json_t *answer = cli_get(cli, path, &code);
    if (answer)
        code = answer_rows(cli, json_object_get(answer, member), columns);
    json_decref(answer);
    return code;
}

int answer_rows(const struct cli *cli, const json_t *rows,
                const struct table_column *columns)
{
    bool json = args_given(&cli->args, "json");
    int code = CLI_OK;
    if (!json)
        table_print(columns, rows);
    for (size_t i = 0; json && code == CLI_OK && i < json_array_size(rows); i++)
        code = cli_print_json(json_array_get(rows, i));
    return code;
}

void answer_tell(const struct cli *cli, json_t *body, const char *const *names)
{
    for (; *names; names++) {
        const char *text = args_text(&cli->args, *names);
        char member[NAME_MAX_LEN];
        (void)snprintf(member, sizeof(member), "%s", *names);
        for (char *at = member; *at; at++) {
            if (*at == '-')
                *at = '_';
        }
        if (text)
            json_object_set_new(body, member, json_string(text));
    }
}

json_t *answer_texts(const struct cli *cli, const char *option)
{
    json_t *list = NULL;
    size_t at = 0;
    for (const char *text; (text = args_next(&cli->args, option, &at)) != NULL;) {
        if (!list)
            list = json_array();
        json_array_append_new(list, json_string(text));
    }
    return list;
}
