/* http_problem: errors as application/problem+json (RFC 9457). */
#include <jansson.h>
#include <stdio.h>

#include "http_internal.h"
#include "libshared/src/escape.h"
#include "shared/log.h"

enum { TEXT_MAX = 512 };

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

static void member(struct sh_buffer *out, const char *name, const char *text)
{
    sh_buffer_text(out, name);
    sh_buffer_json_text(out, text);
}

/* The text, `between`, and the text again. */
static void text_twice(struct sh_buffer *out, const char *text, const char *between)
{
    size_t start = out->len;
    sh_buffer_json_text(out, text);
    size_t len = out->len - start;
    sh_buffer_text(out, between);
    char *again = sh_buffer_reserve(out, len);
    if (!again)
        return;
    memcpy(again, out->data + start, len);
    out->len += len;
}

static char digit(int number)
{
    return (char)('0' + number % 10);
}

/* Under overload it is most of what is answered: no tree of it is made before. */
static void render(const struct sh_http_request *request,
                   const struct sh_problem *problem, struct sh_buffer *out)
{
    const char *error = problem->error ? problem->error : "";
    const char status[] = {digit(problem->status / 100), digit(problem->status / 10),
                           digit(problem->status)};
    member(out,
           "{\"type\":\"about:blank\",\"title\":", sh_http_status_text(problem->status));
    sh_buffer_text(out, ",\"status\":");
    sh_buffer_append(out, status, sizeof(status));
    member(out, ",\"code\":", problem->code);
    sh_buffer_text(out, ",\"error\":");
    text_twice(out, error, ",\"detail\":");
    if (problem->field)
        member(out, ",\"field\":", problem->field);
    member(out, ",\"request_id\":", request->trace.request_id);
    sh_buffer_text(out, "}");
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
    static const char usual[] = "Retry-After: 1\r\n";
    unsigned seconds = problem->retry_after_s;
    if (seconds == 0 && (problem->status == 503 || problem->status == 429))
        seconds = 1;
    if (seconds == 0)
        return;
    if (seconds == 1) {
        sh_http_add_lines(request, (struct sh_bytes){usual, sizeof(usual) - 1});
        return;
    }
    char value[16];
    (void)snprintf(value, sizeof(value), "%u", seconds); /* always fits */
    sh_http_add_header(request, "Retry-After", value);
}

/* In the words of the request's own writer. */
static void render_otherwise(const struct sh_http_request *request,
                             struct sh_problem problem, struct sh_buffer *out)
{
    char error[TEXT_MAX], field[TEXT_MAX];
    problem.error = as_utf8(problem.error ? problem.error : "", error);
    problem.field = as_utf8(problem.field, field);
    request->write_problem(&problem, out);
}

void sh_http_problem_as(struct sh_http_request *request, sh_http_problem_fn *write)
{
    request->write_problem = write;
}

void sh_http_fail(struct sh_http_request *request, const struct sh_problem *problem)
{
    struct sh_problem full = *problem;
    struct sh_buffer *body = &request->conn->server->problem;
    bool otherwise = request->write_problem != NULL;
    if (!full.code)
        full.code = sh_err_code(err_of_status(full.status));
    add_retry_after(request, &full);
    sh_buffer_clear(body);
    if (otherwise)
        render_otherwise(request, full, body);
    else
        render(request, &full, body);
    sh_http_respond(request, full.status,
                    otherwise ? "application/json" : "application/problem+json",
                    body->err == SH_OK ? sh_buffer_bytes(body) : sh_bytes_of("{}"));
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
