/* http_problem: errors as application/problem+json (RFC 9457). */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "http_internal.h"
#include "shared/log.h"

enum { RETRY_AFTER_S = 1, TEXT_MAX = 512 };

/* What came from a client may not be UTF-8. */
static void replace_all_but_ascii(const char *from, char clean[TEXT_MAX])
{
    size_t len = 0;
    for (; len < TEXT_MAX - 1 && from[len]; len++) {
        clean[len] = from[len];
        if ((unsigned char)from[len] >= 0x80)
            clean[len] = '?';
    }
    clean[len] = '\0';
}

/* jansson refuses text that is not UTF-8. */
static json_t *text(const char *from)
{
    char clean[TEXT_MAX];
    json_t *value = json_string(from);
    if (value)
        return value;
    replace_all_but_ascii(from, clean);
    return json_string(clean);
}

/* `from`, or `clean` with its ASCII where it is not UTF-8. */
static const char *as_utf8(const char *from, char clean[TEXT_MAX])
{
    json_t *value = from ? json_string(from) : NULL;
    if (!from || value) {
        json_decref(value);
        return from;
    }
    replace_all_but_ascii(from, clean);
    return clean;
}

static char *render(const struct sh_http_request *request,
                    const struct sh_problem *problem)
{
    const char *error = problem->error ? problem->error : "";
    json_t *root = json_object();
    int bad = json_object_set_new(root, "type", json_string("about:blank"));
    bad |= json_object_set_new(root, "title", text(sh_http_status_text(problem->status)));
    bad |= json_object_set_new(root, "status", json_integer(problem->status));
    bad |= json_object_set_new(root, "code", text(problem->code));
    bad |= json_object_set_new(root, "error", text(error));
    bad |= json_object_set_new(root, "detail", text(error));
    if (problem->field)
        bad |= json_object_set_new(root, "field", text(problem->field));
    bad |= json_object_set_new(root, "request_id", text(request->trace.request_id));
    char *body = bad ? NULL : json_dumps(root, JSON_COMPACT);
    json_decref(root);
    return body;
}

static enum sh_err err_of_status(int status)
{
    for (int err = SH_OK + 1; err < SH_ERR_COUNT; err++) {
        if (sh_err_http_status((enum sh_err)err) == status)
            return (enum sh_err)err;
    }
    return status < 500 ? SH_INVALID : SH_INTERNAL;
}

static void add_retry_after(struct sh_http_request *request,
                            const struct sh_problem *problem)
{
    unsigned seconds = problem->retry_after_s;
    if (seconds == 0 && (problem->status == 503 || problem->status == 429))
        seconds = RETRY_AFTER_S;
    if (seconds == 0)
        return;
    char value[16];
    (void)snprintf(value, sizeof(value), "%u", seconds); /* always fits */
    sh_http_add_header(request, "Retry-After", value);
}

/* In the words of the request's own writer. */
static void fail_otherwise(struct sh_http_request *request, struct sh_problem problem)
{
    char error[TEXT_MAX], field[TEXT_MAX];
    struct sh_buffer body = {0};
    problem.error = as_utf8(problem.error ? problem.error : "", error);
    problem.field = as_utf8(problem.field, field);
    request->write_problem(&problem, &body);
    sh_http_respond(request, problem.status, "application/json",
                    body.err == SH_OK ? sh_buffer_bytes(&body) : sh_bytes_of("{}"));
    sh_buffer_free(&body);
}

void sh_http_problem_as(struct sh_http_request *request, sh_http_problem_fn *write)
{
    request->write_problem = write;
}

void sh_http_fail(struct sh_http_request *request, const struct sh_problem *problem)
{
    struct sh_problem full = *problem;
    if (!full.code)
        full.code = sh_err_code(err_of_status(full.status));
    add_retry_after(request, &full);
    if (request->write_problem) {
        fail_otherwise(request, full);
        return;
    }
    char *body = render(request, &full);
    const char *sent = body ? body : "{\"type\":\"about:blank\"}"; /* out of memory */
    sh_http_respond(request, full.status, "application/problem+json", sh_bytes_of(sent));
    free(body); /* jansson's */
}

void sh_http_fail_err(struct sh_http_request *request, enum sh_err err, const char *error)
{
    struct sh_problem problem = {
        .status = sh_err_http_status(err),
        .code = sh_err_code(err),
        .error = error ? error : sh_err_text(err),
    };
    sh_http_fail(request, &problem);
}
