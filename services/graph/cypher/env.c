#include "services/graph/cypher/env.h"

#include <stdarg.h>
#include <stdio.h>

#include "shared/clock.h"

enum { STEPS_PER_LOOK = 1024 };

bool cy_fail(struct cy_env *env, enum cy_code code, const char *detail, struct cy_at at,
             const char *format, ...)
{
    va_list arguments;
    if (env->err != SH_OK)
        return false;
    env->err = SH_INVALID;
    env->error.code = code;
    env->error.detail = detail;
    env->error.at = at;
    va_start(arguments, format);
    (void)vsnprintf(env->error.message, sizeof(env->error.message), format, arguments);
    va_end(arguments);
    return false;
}

bool cy_fail_err(struct cy_env *env, enum sh_err err)
{
    if (env->err == SH_OK)
        env->err = err;
    return false;
}

const char *cy_code_name(enum cy_code code)
{
    static const char *const names[] = {
        [CY_FINE] = "",
        [CY_SYNTAX] = "cypher_syntax",
        [CY_UNSUPPORTED] = "cypher_unsupported",
        [CY_WRITE] = "write_refused",
        [CY_TYPE] = "cypher_type",
        [CY_ARGUMENTS] = "cypher_arguments",
        [CY_OVER_BUDGET] = "budget_exceeded",
    };
    return names[code];
}

static bool over(struct cy_env *env, const char *what)
{
    return cy_fail(env, CY_OVER_BUDGET, NULL, (struct cy_at){0, 0},
                   "the query needs more %s than one may use here", what);
}

static bool roomy(struct cy_env *env)
{
    return env->budget.memory == 0 || env->arena->total <= env->budget.memory ||
           over(env, "memory");
}

void *cy_alloc(struct cy_env *env, size_t size)
{
    void *memory = env->err == SH_OK ? sh_arena_alloc(env->arena, size) : NULL;
    if (memory == NULL) {
        (void)cy_fail_err(env, SH_NOMEM);
        return NULL;
    }
    return roomy(env) ? memory : NULL;
}

void *cy_array(struct cy_env *env, size_t count, size_t size)
{
    if (env->budget.memory > 0 && size > 0 && count > env->budget.memory / size) {
        (void)over(env, "memory");
        return NULL;
    }
    void *memory = env->err == SH_OK ? sh_arena_array(env->arena, count, size) : NULL;
    if (memory == NULL) {
        (void)cy_fail_err(env, SH_NOMEM);
        return NULL;
    }
    return roomy(env) ? memory : NULL;
}

static bool look(struct cy_env *env)
{
    const struct cy_budget *budget = &env->budget;
    if (budget->cancelled != NULL && atomic_load(budget->cancelled))
        return cy_fail_err(env, SH_CANCELED);
    if (budget->deadline_ms != 0 && sh_now_ms() >= budget->deadline_ms)
        return over(env, "time");
    return true;
}

bool cy_step(struct cy_env *env)
{
    if (env->err != SH_OK)
        return false;
    return ++env->steps % STEPS_PER_LOOK != 0 || look(env);
}

bool cy_touch(struct cy_env *env)
{
    if (env->budget.touches > 0 && env->touched >= env->budget.touches)
        return over(env, "nodes and relationships looked at");
    env->touched++;
    return cy_step(env);
}
