#include "cli/api/reply.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

static void take_text(json_t *from, const char *name, char *into, size_t size)
{
    const char *text = json_string_value(json_object_get(from, name));
    if (text)
        (void)snprintf(into, size, "%s", text);
}

void api_explain(struct api_reply *reply)
{
    json_t *problem = reply->body.len > 0
                          ? json_loadb(reply->body.data, reply->body.len, 0, NULL)
                          : NULL;
    char sentence[API_ERROR_MAX - 100] = "";
    char field[80] = "";
    take_text(problem, "error", sentence, sizeof(sentence));
    take_text(problem, "field", field, sizeof(field));
    take_text(problem, "code", reply->code, sizeof(reply->code));
    json_decref(problem);
    if (!sentence[0])
        (void)snprintf(reply->error, API_ERROR_MAX, "HTTP %ld", reply->status);
    else if (field[0] && !strstr(sentence, field))
        (void)snprintf(reply->error, API_ERROR_MAX, "%s (%s)", sentence, field);
    else
        (void)snprintf(reply->error, API_ERROR_MAX, "%s", sentence);
}

size_t api_on_header(char *data, size_t size, size_t count, void *arg)
{
    static const char name[] = "set-cookie:";
    struct api_reply *reply = arg;
    size_t len = size * count;
    size_t at = sizeof(name) - 1;
    if (len <= at || strncasecmp(data, name, at) != 0)
        return len;
    while (at < len && data[at] == ' ')
        at++;
    size_t end = at;
    while (end < len && !strchr("; \t\r\n", data[end]))
        end++;
    if (end - at < sizeof(reply->cookie))
        (void)snprintf(reply->cookie, sizeof(reply->cookie), "%.*s", (int)(end - at),
                       data + at);
    return len;
}

json_t *api_json(struct api_reply *reply)
{
    const char *data = reply->body.data ? reply->body.data : "";
    json_t *value = json_loadb(data, reply->body.len, 0, NULL);
    if (!value)
        value = json_loadb(data, reply->body.len, JSON_DECODE_INT_AS_REAL, NULL);
    if (!value)
        (void)snprintf(reply->error, API_ERROR_MAX, "the answer is no JSON");
    return value;
}

void api_reply_free(struct api_reply *reply)
{
    sh_buffer_free(&reply->body);
}
