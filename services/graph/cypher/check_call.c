/* What functions can never take. */
#include <strings.h>

#include "services/graph/cypher/check_internal.h"
#include "services/graph/cypher/functions.h"

enum {
    NODE = 1 << CY_K_NODE,
    RELATIONSHIP = 1 << CY_K_RELATIONSHIP,
    RELATIONSHIPS = 1 << CY_K_RELATIONSHIPS,
    PATH = 1 << CY_K_PATH,
};

struct refusal {
    const char *function;
    unsigned refused; /* kinds of variables */
};

static const struct refusal refusals[] = {
    {"type", NODE | RELATIONSHIPS | PATH},
    {"labels", RELATIONSHIP | RELATIONSHIPS | PATH},
    {"length", NODE | RELATIONSHIP | RELATIONSHIPS},
    {"size", NODE | RELATIONSHIP | PATH},
    {"nodes", NODE | RELATIONSHIP | RELATIONSHIPS},
    {"relationships", NODE | RELATIONSHIP | RELATIONSHIPS},
    {"id", RELATIONSHIPS | PATH},
    {"startNode", NODE | RELATIONSHIPS | PATH},
    {"endNode", NODE | RELATIONSHIPS | PATH},
    {"properties", RELATIONSHIPS | PATH},
};

static bool wrong(struct cy_checker *checker, const struct cy_expr *call)
{
    return cy_fail(checker->env, CY_SYNTAX, "InvalidArgumentType", call->at,
                   "%s() takes nothing of that kind", call->function->name);
}

bool cy_check_call(struct cy_checker *checker, struct cy_expr *call)
{
    if (call->item_count == 0)
        return true;
    const struct cy_expr *argument = call->items[0];
    if (strcasecmp(call->function->name, "properties") == 0 &&
        (argument->kind == CY_INTEGER || argument->kind == CY_STRING ||
         argument->kind == CY_LIST))
        return wrong(checker, call);
    if (argument->kind == CY_PATTERN_PREDICATE &&
        strcmp(call->function->name, "size") == 0)
        return cy_fail(checker->env, CY_SYNTAX, "UnexpectedSyntax", argument->at,
                       "a pattern has no size; count what a comprehension finds");
    const struct cy_variable *variable =
        argument->kind == CY_VARIABLE ? cy_find_variable(checker, argument->text) : NULL;
    if (variable == NULL)
        return true;
    for (size_t i = 0; i < SH_COUNT(refusals); i++)
        if (strcasecmp(call->function->name, refusals[i].function) == 0 &&
            (refusals[i].refused >> variable->known & 1) != 0)
            return wrong(checker, call);
    return true;
}
