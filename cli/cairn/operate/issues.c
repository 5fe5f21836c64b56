/* What /health says in words. */
#include "cli/cairn/operate/operate.h"

json_t *operate_ask_health(struct cli *cli, const char *path, int *code)
{
    *code = cli_connect(cli);
    if (*code != CLI_OK)
        return NULL;
    enum api_end end = api_call(
        cli->api, &(struct api_request){.path = path, .once = true}, &cli->reply);
    json_t *health = end == API_ANSWERED ? api_json(&cli->reply) : NULL;
    if (json_object_get(health, "status") && !json_object_get(health, "code"))
        return health;
    json_decref(health);
    *code = cli_judge(end, &cli->reply);
    if (*code == CLI_OK)
        *code = CLI_FAILED;
    return NULL;
}

void operate_say_issues(const json_t *health)
{
    size_t i = 0;
    const json_t *issue = NULL;
    const char *why = json_string_value(json_object_get(health, "maintenance"));
    json_array_foreach(json_object_get(health, "issues"), i, issue)
    {
        if (json_is_string(issue))
            cli_say("%s", json_string_value(issue));
    }
    if (why)
        cli_say("maintenance (%s): changes are refused", why);
}
