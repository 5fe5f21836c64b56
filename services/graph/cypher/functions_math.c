/* Functions of numbers. */
#include <math.h>
#include <sodium.h>

#include "services/graph/cypher/functions_internal.h"

static bool need_number(struct cy_env *env, const struct cy_expr *call,
                        struct cy_value value)
{
    return cyv_is_number(value) || cy_bad_type(env, call, value);
}

static bool call_abs(struct cy_env *env, const struct cy_expr *call,
                     const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_number(env, call, arguments[0]))
        return false;
    *out = arguments[0];
    if (out->type == CYV_FLOAT)
        out->real = fabs(out->real);
    else if (out->integer == INT64_MIN)
        return cy_bad_value(env, call, "the result does not fit in 64 bits");
    else if (out->integer < 0)
        out->integer = -out->integer;
    return true;
}

static bool call_sign(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_number(env, call, arguments[0]))
        return false;
    double real = cyv_real(arguments[0]);
    *out = cyv_integer((real > 0) - (real < 0));
    return true;
}

/* To the nearest, halves up; with a second argument to so many places behind the point.
 */
static bool call_round(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_number(env, call, arguments[0]))
        return false;
    double real = cyv_real(arguments[0]);
    double scale = 1;
    if (call->item_count > 1) {
        if (arguments[1].type != CYV_INTEGER)
            return cy_bad_type(env, call, arguments[1]);
        if (arguments[1].integer < 0 || arguments[1].integer > 300)
            return cy_bad_value(env, call, "round() takes 0 to 300 places");
        scale = pow(10, (double)arguments[1].integer);
    }
    double rounded = floor(real * scale + 0.5) / scale;
    *out = cyv_float(isfinite(rounded) ? rounded : real);
    return true;
}

static bool call_rand(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    uint64_t bits;
    (void)env;
    (void)call;
    (void)arguments;
    randombytes_buf(&bits, sizeof(bits));
    *out = cyv_float((double)(bits >> 11) * 0x1p-53);
    return true;
}

static bool call_pi(struct cy_env *env, const struct cy_expr *call,
                    const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)arguments;
    *out = cyv_float(M_PI);
    return true;
}

static bool call_e(struct cy_env *env, const struct cy_expr *call,
                   const struct cy_value *arguments, struct cy_value *out)
{
    (void)env;
    (void)call;
    (void)arguments;
    *out = cyv_float(M_E);
    return true;
}

static bool call_atan2(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_number(env, call, arguments[0]) || !need_number(env, call, arguments[1]))
        return false;
    *out = cyv_float(atan2(cyv_real(arguments[0]), cyv_real(arguments[1])));
    return true;
}

static double cot(double real)
{
    return 1 / tan(real);
}

static double degrees(double real)
{
    return real * 180 / M_PI;
}

static double radians(double real)
{
    return real * M_PI / 180;
}

static double haversin(double real)
{
    return (1 - cos(real)) / 2;
}

/* Those that make a float of a number are C's. */
#define REAL_FUNCTIONS(X)                                                                \
    X(ceil, ceil)                                                                        \
    X(floor, floor)                                                                      \
    X(sqrt, sqrt)                                                                        \
    X(exp, exp)                                                                          \
    X(log, log)                                                                          \
    X(log10, log10)                                                                      \
    X(sin, sin)                                                                          \
    X(cos, cos)                                                                          \
    X(tan, tan)                                                                          \
    X(cot, cot)                                                                          \
    X(asin, asin)                                                                        \
    X(acos, acos)                                                                        \
    X(atan, atan)                                                                        \
    X(degrees, degrees)                                                                  \
    X(radians, radians)                                                                  \
    X(haversin, haversin)

#define DEFINE(name, function)                                                           \
    static bool call_##name(struct cy_env *env, const struct cy_expr *call,              \
                            const struct cy_value *arguments, struct cy_value *out)      \
    {                                                                                    \
        if (!need_number(env, call, arguments[0]))                                       \
            return false;                                                                \
        *out = cyv_float(function(cyv_real(arguments[0])));                              \
        return true;                                                                     \
    }
REAL_FUNCTIONS(DEFINE)

#define ROW(name, function) {#name, 1, 1, false, false, call_##name},
static const struct cy_function functions[] = {
    {"abs", 1, 1, false, false, call_abs},     {"sign", 1, 1, false, false, call_sign},
    {"round", 1, 2, false, false, call_round}, {"rand", 0, 0, false, false, call_rand},
    {"pi", 0, 0, false, false, call_pi},       {"e", 0, 0, false, false, call_e},
    {"atan2", 2, 2, false, false, call_atan2}, REAL_FUNCTIONS(ROW)};

const struct cy_function_table functions_math = {functions, SH_COUNT(functions)};
