/* Functions from one type to another. What is text that says no such thing gives null. */
#include <math.h>
#include <strings.h>

#include "services/graph/cypher/functions_internal.h"
#include "services/graph/cypher/text.h"

enum converted { CONVERTED, NOTHING, WRONG_TYPE };

static enum converted to_integer(struct cy_value value, struct cy_value *out)
{
    int64_t integer;
    if (value.type == CYV_INTEGER) {
        *out = value;
        return CONVERTED;
    }
    if (value.type == CYV_BOOLEAN) {
        *out = cyv_integer(value.flag);
        return CONVERTED;
    }
    if (value.type == CYV_FLOAT) {
        if (!(fabs(value.real) < 0x1p63 || value.real == -0x1p63))
            return NOTHING;
        *out = cyv_integer((int64_t)value.real);
        return CONVERTED;
    }
    if (value.type != CYV_STRING)
        return WRONG_TYPE;
    if (!cy_parse_integer(cyv_text(value), &integer))
        return NOTHING;
    *out = cyv_integer(integer);
    return CONVERTED;
}

static enum converted to_float(struct cy_value value, struct cy_value *out)
{
    double real;
    if (cyv_is_number(value)) {
        *out = cyv_float(cyv_real(value));
        return CONVERTED;
    }
    if (value.type != CYV_STRING)
        return WRONG_TYPE;
    if (!cy_parse_float(cyv_text(value), &real))
        return NOTHING;
    *out = cyv_float(real);
    return CONVERTED;
}

static enum converted to_boolean(struct cy_value value, struct cy_value *out)
{
    if (value.type == CYV_BOOLEAN) {
        *out = value;
        return CONVERTED;
    }
    if (value.type == CYV_INTEGER) {
        *out = cyv_boolean(value.integer != 0);
        return CONVERTED;
    }
    if (value.type != CYV_STRING)
        return WRONG_TYPE;
    bool yes = value.count == 4 && strncasecmp(value.text, "true", 4) == 0;
    bool no = value.count == 5 && strncasecmp(value.text, "false", 5) == 0;
    if (!yes && !no)
        return NOTHING;
    *out = cyv_boolean(yes);
    return CONVERTED;
}

static bool has_text(struct cy_value value)
{
    return value.type == CYV_STRING || value.type == CYV_BOOLEAN ||
           cyv_is_number(value) || cyv_is_temporal(value);
}

static bool convert(struct cy_env *env, const struct cy_expr *call,
                    enum converted (*to)(struct cy_value, struct cy_value *),
                    struct cy_value value, struct cy_value *out)
{
    return to(value, out) != WRONG_TYPE || cy_bad_type(env, call, value);
}

static bool call_integer(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    return convert(env, call, to_integer, *arguments, out);
}

static bool call_float(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    return convert(env, call, to_float, *arguments, out);
}

static bool call_boolean(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    return convert(env, call, to_boolean, *arguments, out);
}

static bool call_string(struct cy_env *env, const struct cy_expr *call,
                        const struct cy_value *arguments, struct cy_value *out)
{
    return has_text(*arguments) ? cy_text_of(env, *arguments, out)
                                : cy_bad_type(env, call, *arguments);
}

/* --- or null ---------------------------------------------------------------------- */

static bool call_integer_or_null(struct cy_env *env, const struct cy_expr *call,
                                 const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)to_integer(*arguments, out); /* null stays */
    return true;
}

static bool call_float_or_null(struct cy_env *env, const struct cy_expr *call,
                               const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)to_float(*arguments, out); /* null stays */
    return true;
}

static bool call_boolean_or_null(struct cy_env *env, const struct cy_expr *call,
                                 const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)to_boolean(*arguments, out); /* null stays */
    return true;
}

static bool call_string_or_null(struct cy_env *env, const struct cy_expr *call,
                                const struct cy_value *arguments, struct cy_value *out)
{
    (void)call;
    return !has_text(*arguments) || cy_text_of(env, *arguments, out);
}

static const struct cy_function functions[] = {
    {"toInteger", 1, 1, false, false, call_integer},
    {"toInt", 1, 1, false, false, call_integer},
    {"toFloat", 1, 1, false, false, call_float},
    {"toBoolean", 1, 1, false, false, call_boolean},
    {"toString", 1, 1, false, false, call_string},
    {"toIntegerOrNull", 1, 1, false, false, call_integer_or_null},
    {"toFloatOrNull", 1, 1, false, false, call_float_or_null},
    {"toBooleanOrNull", 1, 1, false, false, call_boolean_or_null},
    {"toStringOrNull", 1, 1, false, false, call_string_or_null},
};

const struct cy_function_table functions_convert = {functions, SH_COUNT(functions)};
