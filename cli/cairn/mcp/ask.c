/* The tools' way to the HTTP API. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/cairn/mcp/mcp.h"

static json_t *ask(struct mcp *self, const struct api_request *request)
{
    struct api_reply *reply = &self->reply;
    reply->error[0] = '\0';
    enum api_end end = self->ask(self->arg, request, reply);
    if (end == API_ANSWERED && reply->status / 100 == 2)
        return api_json(reply);
    if (end != API_ANSWERED)
        reply->status = 0;
    if (!reply->error[0])
        (void)snprintf(reply->error, sizeof(reply->error), "the server gave no answer");
    size_t len = strlen(reply->error);
    if (reply->status == 401)
        (void)snprintf(reply->error + len, sizeof(reply->error) - len,
                       ": who runs `cairn mcp` must `cairn login`, or set CAIRN_TOKEN or "
                       "CAIRN_API_KEY");
    return NULL;
}

json_t *mcp_get(struct mcp *self, struct sh_buffer *path)
{
    sh_buffer_append(path, "", 1);
    json_t *answer =
        path->err == SH_OK ? ask(self, &(struct api_request){.path = path->data}) : NULL;
    sh_buffer_free(path);
    return answer;
}

json_t *mcp_post(struct mcp *self, const char *path, json_t *body)
{
    char *text = body ? json_dumps(body, JSON_COMPACT | JSON_REAL_PRECISION(17)) : NULL;
    json_decref(body);
    if (!text)
        return NULL;
    json_t *answer = ask(self, &(struct api_request){.method = "POST",
                                                     .path = path,
                                                     .body = sh_bytes_of(text),
                                                     .repeatable = true});
    free(text); /* jansson's */
    return answer;
}
