/* =~ by PCRE2, whose matching is bounded in steps and depth. The whole text has to match,
 * as in openCypher. What PCRE2 allocates lies in the query's arena. */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include "services/graph/cypher/eval_internal.h"

enum {
    PATTERN_MAX = 4096,  /* bytes */
    STEPS_MAX = 1000000, /* of a match */
    DEPTH_MAX = 10000,   /* of backtracking */
    HEAP_KB_MAX = 16 << 10,
};

static void *take(PCRE2_SIZE size, void *env)
{
    return cy_alloc(env, size);
}

static void release(void *memory, void *env) /* the arena does it */
{
    (void)memory;
    (void)env;
}

static pcre2_code *compile(struct cy_env *env, const struct cy_expr *expr,
                           pcre2_general_context *general, struct cy_value pattern)
{
    int error;
    PCRE2_SIZE at;
    pcre2_compile_context *context = pcre2_compile_context_create(general);
    if (context == NULL)
        return NULL;
    (void)pcre2_set_compile_extra_options(context, PCRE2_EXTRA_MATCH_LINE);
    (void)pcre2_set_parens_nest_limit(context, 50);
    pcre2_code *code = pcre2_compile(
        (PCRE2_SPTR)pattern.text, pattern.count,
        PCRE2_UTF | PCRE2_NEVER_BACKSLASH_C | PCRE2_DOLLAR_ENDONLY, &error, &at, context);
    if (code == NULL && env->err == SH_OK) {
        PCRE2_UCHAR message[120] = "";
        (void)pcre2_get_error_message(error, message, sizeof(message));
        (void)cy_fail(env, CY_ARGUMENTS, "InvalidRegularExpression", expr->at,
                      "not a regular expression, at character %zu: %s", at + 1, message);
    }
    return code;
}

static bool match(struct cy_env *env, const struct cy_expr *expr,
                  pcre2_general_context *general, const pcre2_code *code,
                  struct cy_value text, bool *matches)
{
    pcre2_match_context *limits = pcre2_match_context_create(general);
    pcre2_match_data *data = limits ? pcre2_match_data_create(1, general) : NULL;
    if (data == NULL)
        return cy_fail_err(env, SH_NOMEM);
    (void)pcre2_set_match_limit(limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(limits, DEPTH_MAX);
    (void)pcre2_set_heap_limit(limits, HEAP_KB_MAX);
    int found = pcre2_match(code, (PCRE2_SPTR)text.text, text.count, 0, 0, data, limits);
    *matches = found >= 0;
    if (found >= 0 || found == PCRE2_ERROR_NOMATCH)
        return env->err == SH_OK;
    return cy_fail(env, CY_OVER_BUDGET, NULL, expr->at,
                   "the regular expression takes too many steps");
}

bool eval_regex(struct cy_env *env, const struct cy_expr *expr, struct cy_value text,
                struct cy_value pattern, struct cy_value *out)
{
    bool matches;
    *out = cyv_null();
    if (text.type != CYV_STRING || pattern.type != CYV_STRING)
        return true;
    if (pattern.count > PATTERN_MAX)
        return cy_fail(env, CY_ARGUMENTS, "InvalidRegularExpression", expr->at,
                       "a regular expression has at most %d bytes", PATTERN_MAX);
    pcre2_general_context *general = pcre2_general_context_create(take, release, env);
    pcre2_code *code = general ? compile(env, expr, general, pattern) : NULL;
    if (code == NULL)
        return cy_fail_err(env, SH_NOMEM);
    if (!match(env, expr, general, code, text, &matches))
        return false;
    *out = cyv_boolean(matches);
    return true;
}
