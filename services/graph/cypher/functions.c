#include "services/graph/cypher/functions.h"

#include <stdarg.h>
#include <stdio.h>
#include <strings.h>

#include "services/graph/cypher/functions_internal.h"

static const struct cy_function_table *const tables[] = {
    &functions_graph,   &functions_list,      &functions_text,     &functions_math,
    &functions_convert, &functions_aggregate, &functions_temporal,
};

static bool is_named(const struct cy_function *function, struct sh_bytes name)
{
    return strlen(function->name) == name.len &&
           strncasecmp(function->name, name.data, name.len) == 0;
}

const struct cy_function *cy_function_find(struct sh_bytes name)
{
    for (size_t t = 0; t < SH_COUNT(tables) && name.len > 0; t++)
        for (size_t i = 0; i < tables[t]->count; i++)
            if (is_named(&tables[t]->functions[i], name))
                return &tables[t]->functions[i];
    return NULL;
}

bool cy_bad_type(struct cy_env *env, const struct cy_expr *call, struct cy_value value)
{
    if (call->function != NULL)
        return cy_fail(env, CY_TYPE, "InvalidArgumentValue", call->at,
                       "%s() does not take a %s", call->function->name,
                       cyv_type_name(value.type));
    return cy_fail(env, CY_TYPE, "InvalidArgumentType", call->at,
                   "a %s cannot stand here", cyv_type_name(value.type));
}

bool cy_bad_value(struct cy_env *env, const struct cy_expr *call, const char *format, ...)
{
    char message[200];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(message, sizeof(message), format, arguments); /* may be cut */
    va_end(arguments);
    return cy_fail(env, CY_ARGUMENTS, "NumberOutOfRange", call->at, "%s", message);
}
