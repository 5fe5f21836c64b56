#include "services/gateway/json_in.h"

#include <stdio.h>
#include <strings.h>

/* Brackets inside texts do not count; whether they match is the parser's business. */
static bool too_deep(struct sh_bytes body)
{
    const char *data = body.data;
    bool quoted = false;
    int depth = 0;

    for (size_t i = 0; i < body.len; i++) {
        char c = data[i];
        if (quoted) {
            if (c == '\\')
                i++;
            else if (c == '"')
                quoted = false;
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            if (++depth > JSON_IN_DEPTH)
                return true;
        } else if (c == '}' || c == ']') {
            depth--;
        }
    }
    return false;
}

/* The parser quotes the input in its message; a client knows its own input, and the line
 * and column say more. */
static void explain(const json_error_t *error, char *why, size_t size)
{
    const char *what = "not valid JSON";

    switch (json_error_code(error)) {
    case json_error_invalid_utf8:
        what = "not valid UTF-8";
        break;
    case json_error_duplicate_key:
        what = "a member that stands twice in an object";
        break;
    case json_error_null_character:
    case json_error_null_byte_in_key:
        what = "a NUL character";
        break;
    case json_error_premature_end_of_input:
        what = "the JSON ends too early";
        break;
    case json_error_end_of_input_expected:
        what = "something follows the JSON";
        break;
    case json_error_numeric_overflow:
        what = "a number out of range";
        break;
    case json_error_unknown:
    case json_error_out_of_memory:
    case json_error_stack_overflow:
    case json_error_cannot_open_file:
    case json_error_invalid_argument:
    case json_error_invalid_syntax:
    case json_error_invalid_format:
    case json_error_wrong_type:
    case json_error_null_value:
    case json_error_item_not_found:
    case json_error_index_out_of_range:
    default:
        break;
    }
    (void)snprintf(why, size, "the body cannot be read: %s, line %d column %d", what,
                   error->line > 0 ? error->line : 1,
                   error->column > 0 ? error->column : 0);
}

enum sh_err json_in(struct sh_bytes body, json_t **out, char *why, size_t size)
{
    json_error_t error;

    *out = NULL;
    if (body.len == 0) {
        (void)snprintf(why, size, "the body is empty where JSON was expected");
        return SH_MALFORMED;
    }
    if (too_deep(body)) {
        (void)snprintf(why, size, "the body is nested deeper than %d levels",
                       JSON_IN_DEPTH);
        return SH_MALFORMED;
    }
    *out = json_loadb(body.data, body.len, JSON_REJECT_DUPLICATES, &error);
    if (*out != NULL)
        return SH_OK;
    explain(&error, why, size);
    return json_error_code(&error) == json_error_out_of_memory ? SH_NOMEM : SH_MALFORMED;
}

static bool is_type(struct sh_bytes content_type, const char *type)
{
    size_t len = strlen(type);
    const char *text = content_type.data;

    if (content_type.len < len || strncasecmp(text, type, len) != 0)
        return false;
    return content_type.len == len || text[len] == ';' || text[len] == ' ';
}

static bool begins_like_json(struct sh_bytes body)
{
    const char *data = body.data;

    for (size_t i = 0; i < body.len; i++)
        if (data[i] != ' ' && data[i] != '\n' && data[i] != '\r' && data[i] != '\t')
            return data[i] == '{' || data[i] == '[';
    return false;
}

const char *json_in_code(enum sh_err err)
{
    return err == SH_MALFORMED ? "malformed_json" : sh_err_code(err);
}

bool json_in_accepts(struct sh_bytes content_type, struct sh_bytes body)
{
    if (is_type(content_type, "application/json"))
        return true;
    if (content_type.len == 0)
        return body.len == 0 || begins_like_json(body);
    return is_type(content_type, "application/x-www-form-urlencoded") &&
           begins_like_json(body);
}
