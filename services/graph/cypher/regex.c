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

/* What the query matched last; most match one pattern with many texts. */
struct cy_regex {
    struct sh_bytes pattern;
    pcre2_code *code;
    pcre2_match_context *limits;
    pcre2_match_data *data;
};

static struct cy_regex *make(struct cy_env *env, const struct cy_expr *expr,
                             struct cy_value pattern)
{
    struct cy_regex *regex = cy_alloc(env, sizeof(*regex));
    pcre2_general_context *general =
        regex ? pcre2_general_context_create(take, release, env) : NULL;
    if (general == NULL)
        return NULL;
    regex->pattern = cyv_text(pattern);
    regex->code = compile(env, expr, general, pattern);
    regex->limits = regex->code ? pcre2_match_context_create(general) : NULL;
    regex->data = regex->limits ? pcre2_match_data_create(1, general) : NULL;
    if (regex->data == NULL)
        return NULL;
    (void)pcre2_set_match_limit(regex->limits, STEPS_MAX);
    (void)pcre2_set_depth_limit(regex->limits, DEPTH_MAX);
    (void)pcre2_set_heap_limit(regex->limits, HEAP_KB_MAX);
    return regex;
}

static bool match(struct cy_env *env, const struct cy_expr *expr,
                  const struct cy_regex *regex, struct cy_value text, bool *matches)
{
    int found = pcre2_match(regex->code, (PCRE2_SPTR)text.text, text.count, 0, 0,
                            regex->data, regex->limits);
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
    if (env->regex == NULL || !sh_bytes_equal(env->regex->pattern, cyv_text(pattern)))
        env->regex = make(env, expr, pattern);
    if (env->regex == NULL)
        return cy_fail_err(env, SH_NOMEM);
    if (!match(env, expr, env->regex, text, &matches))
        return false;
    *out = cyv_boolean(matches);
    return true;
}
