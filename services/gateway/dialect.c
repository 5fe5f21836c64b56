/* The shapes and words are those of the Ollama server (server/routes.go) and of OpenAI's
 * API reference; the types are what their SDKs tell their users. */
#include "services/gateway/dialect.h"

#include "services/gateway/json_out.h"

static const char openai_root[] = "/v1/";

void dialect_ollama(const struct sh_problem *problem, struct sh_buffer *out)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "error", sh_bytes_of(problem->error));
    sh_buffer_text(out, "}");
}

static const char *type_of(int status)
{
    if (status == 429)
        return "requests";
    return status >= 500 ? "server_error" : "invalid_request_error";
}

/* OpenAI's own codes; what it has none for gets null, as there. */
static const char *code_of(const struct sh_problem *problem)
{
    static const char *const codes[][2] = {
        {"model_not_found", "model_not_found"},
        {"text_too_long", "context_length_exceeded"},
        {"method_not_allowed", "method_not_supported"},
    };

    for (size_t i = 0; i < SH_COUNT(codes); i++)
        if (strcmp(problem->code, codes[i][0]) == 0)
            return codes[i][1];
    if (problem->status == 401)
        return "invalid_api_key";
    return problem->status == 429 ? "rate_limit_exceeded" : NULL;
}

static void member_or_null(struct sh_buffer *out, const char *name, const char *text)
{
    json_member(out, name);
    if (text != NULL)
        json_cstr(out, text);
    else
        sh_buffer_text(out, "null");
}

/* There a parameter is named without a place in it. */
static void write_param(struct sh_buffer *out, const char *field)
{
    json_member(out, "param");
    if (field != NULL)
        json_text(out, (struct sh_bytes){field, strcspn(field, "[")});
    else
        sh_buffer_text(out, "null");
}

void dialect_openai(const struct sh_problem *problem, struct sh_buffer *out)
{
    sh_buffer_text(out, "{\"error\":{");
    json_member_text(out, "message", sh_bytes_of(problem->error));
    member_or_null(out, "type", type_of(problem->status));
    write_param(out, problem->field);
    member_or_null(out, "code", code_of(problem));
    sh_buffer_text(out, "}}");
}

static bool is_below(struct sh_bytes path, const char *root)
{
    size_t len = strlen(root);
    return path.len >= len && memcmp(path.data, root, len) == 0;
}

void dialect_set(struct sh_http_request *request, const struct router_match *match)
{
    bool unknown = match->route == NULL && match->allow == NULL;

    if ((match->flags & ROUTE_AS_OLLAMA) != 0)
        sh_http_problem_as(request, dialect_ollama);
    else if ((match->flags & ROUTE_AS_OPENAI) != 0 ||
             (unknown && is_below(sh_http_path(request), openai_root)))
        sh_http_problem_as(request, dialect_openai);
}
