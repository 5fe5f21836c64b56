#include "services/graph/cypher/text.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

/* --- numbers to text -------------------------------------------------------------- */

/* The fewest digits that read back: digits of `text` without the point, its exponent. */
static int shortest(double real, char digits[static 24], int *exponent)
{
    char text[CY_NUMBER_ROOM];
    for (int precision = 0; precision < 17; precision++) {
        (void)snprintf(text, sizeof(text), "%.*e", precision, real);
        if (strtod(text, NULL) == real)
            break;
    }
    int count = 0;
    const char *at = text;
    for (; *at != 'e' && *at != '\0'; at++)
        if (*at >= '0' && *at <= '9')
            digits[count++] = *at;
    *exponent = *at == 'e' ? (int)strtol(at + 1, NULL, 10) : 0;
    return count;
}

static size_t write_plain(double real, char out[static CY_NUMBER_ROOM])
{
    for (int precision = 1; precision < 25; precision++) {
        int len = snprintf(out, CY_NUMBER_ROOM, "%.*f", precision, real);
        if (strtod(out, NULL) == real)
            return (size_t)len;
    }
    return strlen(out);
}

size_t cy_float_text(double real, char out[static CY_NUMBER_ROOM])
{
    char digits[24] = "0";
    int exponent = 0;
    if (isnan(real))
        return (size_t)snprintf(out, CY_NUMBER_ROOM, "NaN");
    if (isinf(real))
        return (size_t)snprintf(out, CY_NUMBER_ROOM, "%sInfinity", real < 0 ? "-" : "");
    double size = fabs(real);
    if (real == 0 || (size >= 1e-3 && size < 1e7))
        return write_plain(real, out);
    int count = shortest(size, digits, &exponent);
    return (size_t)snprintf(out, CY_NUMBER_ROOM, "%s%c.%.*sE%d", real < 0 ? "-" : "",
                            digits[0], count > 1 ? count - 1 : 1,
                            count > 1 ? digits + 1 : "0", exponent);
}

/* --- text to numbers -------------------------------------------------------------- */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static struct sh_bytes trim(struct sh_bytes text)
{
    const char *at = text.data;
    size_t len = text.len;
    while (len > 0 && is_space(at[len - 1]))
        len--;
    while (len > 0 && is_space(*at)) {
        at++;
        len--;
    }
    return (struct sh_bytes){at, len};
}

/* Into a text ended by NUL that strtod() may see: digits and what belongs to them. */
static bool copy_number(struct sh_bytes text, const char *others, char *out, size_t room)
{
    text = trim(text);
    if (text.len == 0 || text.len >= room)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        char c = ((const char *)text.data)[i];
        if ((c < '0' || c > '9') && (c == '\0' || strchr(others, c) == NULL))
            return false;
        out[i] = c;
    }
    out[text.len] = '\0';
    return true;
}

bool cy_parse_integer(struct sh_bytes text, int64_t *out)
{
    char number[64];
    char *end;
    double real;
    if (copy_number(text, "+-", number, sizeof(number))) {
        errno = 0;
        *out = strtoll(number, &end, 10);
        return *end == '\0' && end != number && errno == 0;
    }
    if (!cy_parse_float(text, &real) || !(fabs(real) < 0x1p63 || real == -0x1p63))
        return false;
    *out = (int64_t)real;
    return true;
}

bool cy_parse_float(struct sh_bytes text, double *out)
{
    char number[400];
    char *end;
    if (!copy_number(text, "+-.eE", number, sizeof(number)))
        return false;
    *out = strtod(number, &end);
    return *end == '\0' && end != number;
}

/* --- values ----------------------------------------------------------------------- */

bool cy_text_of(struct cy_env *env, struct cy_value value, struct cy_value *out)
{
    char text[CY_NUMBER_ROOM];
    size_t len;
    *out = value;
    if (value.type == CYV_STRING)
        return true;
    if (cyv_is_temporal(value))
        return cy_temporal_text(env, value, out);
    if (value.type == CYV_INTEGER)
        len = (size_t)snprintf(text, sizeof(text), "%" PRId64, value.integer);
    else if (value.type == CYV_FLOAT)
        len = cy_float_text(value.real, text);
    else if (value.type == CYV_BOOLEAN)
        len = (size_t)snprintf(text, sizeof(text), "%s", value.flag ? "true" : "false");
    else
        return cy_fail(env, CY_TYPE, "InvalidArgumentValue", (struct cy_at){0, 0},
                       "a %s has no string form", cyv_type_name(value.type));
    return cyv_copy(env, (struct sh_bytes){text, len}, out);
}
