#include "cli/cairn/cli.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "cli/cairn/entry.h"
#include "cli/cairn/table.h"
#include "cli/cairn/text.h"

enum { ATTEMPTS = 3 }; /* somebody waits */

atomic_bool cli_stop;

void cli_say(const char *format, ...)
{
    char text[2048];
    struct sh_buffer line = {0};
    va_list values;
    va_start(values, format);
    (void)vsnprintf(text, sizeof(text), format, values);
    va_end(values);
    sh_buffer_text(&line, "cairn: ");
    text_clean(&line, sh_bytes_of(text), TEXT_ONE_LINE);
    sh_buffer_text(&line, "\n");
    if (line.err == SH_OK)
        (void)fwrite(line.data, 1, line.len, stderr);
    sh_buffer_free(&line);
}

/* --- the server ------------------------------------------------------------------- */

struct api_settings cli_api_settings(const struct cli *cli)
{
    return (struct api_settings){.program = "cairn",
                                 .url = cli->settings.url,
                                 .token = cli->settings.token,
                                 .key = cli->settings.key,
                                 .ca_file = cli->settings.ca_file,
                                 .attempts = ATTEMPTS,
                                 .stop = &cli_stop};
}

int cli_connect(struct cli *cli)
{
    if (!cli->api)
        entry_renew(cli);
    struct api_settings settings = cli_api_settings(cli);
    if (!cli->api)
        cli->api = api_new(&settings);
    if (cli->api)
        return CLI_OK;
    cli_say("%s is no address: http://HOST:PORT or https://HOST", cli->settings.url);
    return CLI_USAGE;
}

static int judge_status(const struct api_reply *reply)
{
    if (reply->status / 100 == 2)
        return CLI_OK;
    cli_say("%s", reply->error);
    if (reply->status == 401) {
        cli_say("`cairn login`, or CAIRN_TOKEN or CAIRN_API_KEY in the environment");
        return CLI_REFUSED;
    }
    return reply->status == 403 ? CLI_REFUSED : CLI_FAILED;
}

int cli_judge(enum api_end end, const struct api_reply *reply)
{
    switch (end) {
    case API_ANSWERED:
        return judge_status(reply);
    case API_UNREACHABLE:
        cli_say("%s", reply->error);
        return CLI_REFUSED;
    case API_STOPPED:
        return CLI_INTERRUPTED;
    case API_UNREADABLE:
    default:
        cli_say("what was to be sent cannot be read");
        return CLI_FAILED;
    }
}

int cli_ask(struct cli *cli, const struct api_request *request)
{
    int code = cli_connect(cli);
    if (code != CLI_OK)
        return code;
    return cli_judge(api_call(cli->api, request, &cli->reply), &cli->reply);
}

json_t *cli_get(struct cli *cli, const char *path, int *code)
{
    *code = cli_ask(cli, &(struct api_request){.path = path});
    if (*code != CLI_OK)
        return NULL;
    json_t *answer = api_json(&cli->reply);
    if (!answer) {
        cli_say("%s", cli->reply.error);
        *code = CLI_FAILED;
    }
    return answer;
}

char *cli_path(const char *base, const char *segment, const char *rest)
{
    struct sh_buffer path = {0};
    sh_buffer_text(&path, base);
    api_segment(&path, segment);
    sh_buffer_text(&path, rest);
    sh_buffer_append(&path, "", 1);
    if (path.err == SH_OK)
        return path.data;
    sh_buffer_free(&path);
    return NULL;
}

int cli_send(struct cli *cli, const char *method, const char *path, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(body);
    if (!text)
        return CLI_FAILED;
    int code =
        cli_ask(cli, &(struct api_request){.method = method,
                                           .path = path,
                                           .body = sh_bytes_of(text),
                                           .repeatable = strcmp(method, "PUT") == 0});
    free(text); /* jansson's */
    return code;
}

/* --- values ----------------------------------------------------------------------- */

json_t *cli_value(const char *text)
{
    json_t *value = json_loads(text, JSON_DECODE_ANY, NULL);
    return value ? value : json_string(text);
}

bool cli_pairs(const struct args *args, const char *option, json_t *into)
{
    size_t at = 0;
    for (const char *text; (text = args_next(args, option, &at)) != NULL;) {
        size_t len = strcspn(text, "=");
        json_t *value = text[len] ? cli_value(text + len + 1) : NULL;
        if (len == 0 || !value || json_object_setn_new(into, text, len, value) != 0) {
            cli_say("--%s must be NAME=VALUE: %s", option, text);
            return false;
        }
    }
    return true;
}

int cli_print_json(const json_t *value)
{
    bool terminal = isatty(STDOUT_FILENO);
    size_t how = terminal ? JSON_INDENT(2) | JSON_ENSURE_ASCII : JSON_COMPACT;
    if (json_dumpf(value, stdout, how | JSON_ENCODE_ANY | JSON_REAL_PRECISION(15)) != 0 ||
        putchar('\n') == EOF)
        return CLI_FAILED;
    return CLI_OK;
}

int cli_print_members(json_t *object, bool json)
{
    const char *name = NULL;
    json_t *value = NULL;
    if (json || !json_is_object(object))
        return cli_print_json(object);
    json_object_foreach(object, name, value)
    {
        struct table_column columns[] = {{name, name, false}, {0}};
        table_print_one(columns, object);
    }
    return CLI_OK;
}
