/* The part of an exchange that reads parameters of path and query. */
#include <stdlib.h>

#include "services/gateway/exchange.h"

bool exchange_param(struct exchange *x, const char *name, char *out, size_t size)
{
    enum sh_err err = sh_http_decode(x->param, out, size);

    if (err == SH_OK && out[0] != '\0')
        return true;
    exchange_invalid(x, name, "%s in the path %s", name,
                     err == SH_TOOBIG ? "is too long" : "is not valid");
    return false;
}

bool exchange_param_text(struct exchange *x, const char *name, size_t max,
                         struct sh_bytes *out)
{
    char *text = sh_arena_alloc(&x->arena, max + 1);

    if (text == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    if (!exchange_param(x, name, text, max + 1))
        return false;
    *out = sh_bytes_of(text);
    return true;
}

static bool parse_u32(const char *text, uint32_t least, uint32_t most, uint32_t *value)
{
    char *end = NULL;

    if (text[0] < '0' || text[0] > '9')
        return false;
    unsigned long number = strtoul(text, &end, 10);
    if (*end != '\0' || number < least || number > most)
        return false;
    *value = (uint32_t)number;
    return true;
}

bool exchange_query_u32(struct exchange *x, const char *name, uint32_t least,
                        uint32_t most, uint32_t *value)
{
    char text[24];
    enum sh_err err = sh_http_param(x->request, name, text, sizeof text);

    if (err == SH_NOTFOUND)
        return true;
    if (err == SH_OK && parse_u32(text, least, most, value))
        return true;
    exchange_invalid(x, name, "%s must be a whole number from %u to %u", name, least,
                     most);
    return false;
}

bool exchange_query_flag(struct exchange *x, const char *name, bool *value)
{
    struct sh_bytes text;

    if (!exchange_query_text(x, name, 8, &text))
        return false;
    *value = sh_bytes_is(text, "true") || sh_bytes_is(text, "1");
    if (*value || text.len == 0 || sh_bytes_is(text, "false") || sh_bytes_is(text, "0"))
        return true;
    exchange_invalid(x, name, "%s must be true or false", name);
    return false;
}

bool exchange_query_text(struct exchange *x, const char *name, size_t max,
                         struct sh_bytes *value)
{
    char *text = sh_arena_alloc(&x->arena, max + 1);

    *value = (struct sh_bytes){0};
    if (text == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return false;
    }
    enum sh_err err = sh_http_param(x->request, name, text, max + 1);
    if (err == SH_OK)
        *value = sh_bytes_of(text);
    if (err == SH_OK || err == SH_NOTFOUND)
        return true;
    exchange_invalid(x, name,
                     err == SH_TOOBIG ? "%s must not be longer than %zu bytes"
                                      : "%s is not valid text",
                     name, max);
    return false;
}
