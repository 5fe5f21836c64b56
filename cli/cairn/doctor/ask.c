#include "cli/cairn/doctor/ask.h"

json_t *doctor_ask(struct doctor *self, const char *path, bool any)
{
    struct cli *cli = self->cli;
    cli->reply.status = 0;
    if (cli_connect(cli) != CLI_OK)
        return NULL;
    enum api_end end = api_call(
        cli->api, &(struct api_request){.path = path, .once = true}, &cli->reply);
    if (end != API_ANSWERED || (cli->reply.status != 200 && !any))
        return NULL;
    return api_json(&cli->reply);
}

void doctor_kept(struct doctor *self, const char *check)
{
    long status = self->cli->reply.status;
    bool rights = status == 401 || status == 403;
    doctor_say(self, DOCTOR_WARN, check,
               rights ? "`cairn login` as somebody who may operate the system (admin)"
                      : "the log of the gateway tells why",
               "not looked at: %s", self->cli->reply.error);
}

json_t *doctor_in(const json_t *object, const char *a, const char *b)
{
    return json_object_get(json_object_get(object, a), b);
}

const char *doctor_text(const json_t *object, const char *member)
{
    const char *text = json_string_value(json_object_get(object, member));
    return text ? text : "";
}

double doctor_number(const json_t *object, const char *member)
{
    return json_number_value(json_object_get(object, member));
}
