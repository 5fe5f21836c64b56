#include "services/graph/cypher/check_internal.h"
#include "services/graph/cypher/functions.h"

static bool check_children(struct cy_checker *checker, struct cy_expr *expr)
{
    struct cy_expr *child;
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        if (!cy_check_expr(checker, child))
            return false;
    return true;
}

static bool wrong_type(struct cy_checker *checker, const struct cy_expr *expr,
                       const char *wanted)
{
    return cy_fail(checker->env, CY_SYNTAX, "InvalidArgumentType", expr->at,
                   "%s is needed here", wanted);
}

/* --- variables -------------------------------------------------------------------- */

static bool check_variable(struct cy_checker *checker, struct cy_expr *expr)
{
    const struct cy_variable *variable = cy_find_variable(checker, expr->text);
    if (variable == NULL)
        return cy_fail(checker->env, CY_SYNTAX, "UndefinedVariable", expr->at,
                       "there is no variable '%.*s'", (int)expr->text.len,
                       (const char *)expr->text.data);
    expr->slot = variable->slot;
    return true;
}

/* No aggregate within. */
static bool check_plain(struct cy_checker *checker, struct cy_expr *expr)
{
    struct cy_projection *projection = checker->projection;
    checker->projection = NULL;
    bool fine = expr == NULL || cy_check_expr(checker, expr);
    checker->projection = projection;
    return fine;
}

/* [x IN a WHERE b | c], all(x IN a WHERE b) */
static bool check_filtered(struct cy_checker *checker, struct cy_expr *expr)
{
    uint32_t before = checker->count;
    bool fine = cy_check_expr(checker, expr->a) &&
                cy_declare(checker, &expr->variable, CY_K_ANY) &&
                check_plain(checker, expr->b) && check_plain(checker, expr->c);
    checker->count = before;
    return fine;
}

static bool check_reduce(struct cy_checker *checker, struct cy_expr *expr)
{
    uint32_t before = checker->count;
    bool fine = cy_check_expr(checker, expr->a) && cy_check_expr(checker, expr->b) &&
                cy_declare(checker, &expr->variable, CY_K_ANY) &&
                cy_declare(checker, &expr->variable2, CY_K_ANY) &&
                check_plain(checker, expr->c);
    checker->count = before;
    return fine;
}

/* Variables of a comprehension or EXISTS are its own; a predicate has none. */
static bool check_pattern_expr(struct cy_checker *checker, struct cy_expr *expr)
{
    uint32_t before = checker->count;
    bool fine =
        cy_check_pattern(checker, expr->pattern, expr->kind == CY_PATTERN_PREDICATE) &&
        check_plain(checker, expr->b) && check_plain(checker, expr->c);
    checker->count = before;
    return fine;
}

/* --- calls ------------------------------------------------------------------------ */

static bool note_aggregate(struct cy_checker *checker, struct cy_expr *expr)
{
    struct cy_projection *projection = checker->projection;
    if (projection->aggregate_count == checker->aggregate_room) {
        uint32_t room = checker->aggregate_room ? checker->aggregate_room * 2 : 4;
        struct cy_expr **more = cy_array(checker->env, room, sizeof(struct cy_expr *));
        if (more == NULL)
            return false;
        if (projection->aggregate_count > 0)
            memcpy(more, projection->aggregates,
                   projection->aggregate_count * sizeof(struct cy_expr *));
        projection->aggregates = more;
        checker->aggregate_room = room;
    }
    projection->aggregates[projection->aggregate_count++] = expr;
    return true;
}

static bool check_aggregate(struct cy_checker *checker, struct cy_expr *expr)
{
    if (checker->in_aggregate)
        return cy_fail(checker->env, CY_SYNTAX, "NestedAggregation", expr->at,
                       "an aggregate cannot be taken of an aggregate");
    if (checker->projection == NULL)
        return cy_fail(checker->env, CY_SYNTAX, "InvalidAggregation", expr->at,
                       "there is nothing to aggregate here");
    expr->kind = CY_AGGREGATE;
    if (expr->slot == CY_NONE) {
        expr->slot = cy_new_slot(checker);
        if (!note_aggregate(checker, expr))
            return false;
    }
    checker->in_aggregate = true;
    bool fine = check_children(checker, expr);
    checker->in_aggregate = false;
    return fine;
}

static bool check_call(struct cy_checker *checker, struct cy_expr *expr)
{
    expr->function = cy_function_find(expr->text);
    if (expr->function == NULL)
        return cy_fail(checker->env, CY_SYNTAX, "UnknownFunction", expr->at,
                       "there is no function '%.*s'",
                       (int)(expr->text.len < 80 ? expr->text.len : 80),
                       (const char *)expr->text.data);
    uint32_t least = expr->function->least;
    if (expr->function->aggregates && least == 0)
        least = 1; /* count(*) is written with a star */
    if (!expr->star &&
        (expr->item_count < least || expr->item_count > expr->function->most))
        return cy_fail(checker->env, CY_SYNTAX, "InvalidNumberOfArguments", expr->at,
                       "%s() takes other arguments than these %u", expr->function->name,
                       expr->item_count);
    if (checker->in_aggregate && strcmp(expr->function->name, "rand") == 0)
        return cy_fail(checker->env, CY_SYNTAX, "NonConstantExpression", expr->at,
                       "rand() cannot be aggregated");
    if (expr->function->aggregates)
        return check_aggregate(checker, expr);
    if (expr->distinct)
        return cy_fail(checker->env, CY_SYNTAX, "UnexpectedSyntax", expr->at,
                       "DISTINCT is for aggregates");
    return check_children(checker, expr) && cy_check_call(checker, expr);
}

/* --- operators -------------------------------------------------------------------- */

/* Written so that it can never be true or false. */
static bool never_boolean(struct cy_checker *checker, const struct cy_expr *expr)
{
    if (expr->kind == CY_VARIABLE) {
        const struct cy_variable *variable = cy_find_variable(checker, expr->text);
        return variable != NULL && variable->known != CY_K_ANY;
    }
    return expr->kind == CY_INTEGER || expr->kind == CY_FLOAT ||
           expr->kind == CY_STRING || expr->kind == CY_LIST || expr->kind == CY_MAP ||
           expr->kind == CY_LIST_COMPREHENSION || expr->kind == CY_PATTERN_COMPREHENSION;
}

static bool check_operands(struct cy_checker *checker, struct cy_expr *expr)
{
    const struct cy_expr *operands[] = {expr->a, expr->b};
    if (expr->op != CY_NOT && expr->op != CY_AND && expr->op != CY_OR &&
        expr->op != CY_XOR)
        return true;
    for (size_t i = 0; i < SH_COUNT(operands); i++)
        if (operands[i] != NULL && never_boolean(checker, operands[i]))
            return wrong_type(checker, operands[i], "true or false");
    return true;
}

static bool check_in(struct cy_checker *checker, const struct cy_expr *expr)
{
    const struct cy_expr *list = expr->b;
    if (expr->op == CY_IN &&
        (list->kind == CY_INTEGER || list->kind == CY_FLOAT || list->kind == CY_STRING ||
         list->kind == CY_BOOLEAN || list->kind == CY_MAP))
        return wrong_type(checker, list, "a list");
    return true;
}

static bool check_property(struct cy_checker *checker, struct cy_expr *expr)
{
    const struct symbols *keys = graph_keys(checker->env->reader->graph);
    if (!symbols_find(keys, expr->text, &expr->symbol))
        expr->symbol = CY_NONE;
    if (!cy_check_expr(checker, expr->a))
        return false;
    if (expr->a->kind != CY_VARIABLE)
        return true;
    const struct cy_variable *variable = cy_find_variable(checker, expr->a->text);
    return variable == NULL ||
           (variable->known != CY_K_PATH && variable->known != CY_K_RELATIONSHIPS) ||
           wrong_type(checker, expr, "a node, a relationship or a map");
}

static bool check_labels(struct cy_checker *checker, struct cy_expr *expr)
{
    const struct graph *graph = checker->env->reader->graph;
    const struct cy_variable *variable =
        expr->a->kind == CY_VARIABLE ? cy_find_variable(checker, expr->a->text) : NULL;
    bool relationship = variable != NULL && variable->known == CY_K_RELATIONSHIP;
    const struct symbols *names = relationship ? graph_types(graph) : graph_labels(graph);
    for (uint32_t i = 0; i < expr->symbols.count; i++)
        if (!symbols_find(names, expr->symbols.texts[i], &expr->symbols.numbers[i]))
            expr->symbols.numbers[i] = CY_NONE;
    return cy_check_expr(checker, expr->a);
}

/* --- all -------------------------------------------------------------------------- */

bool cy_check_expr(struct cy_checker *checker, struct cy_expr *expr)
{
    if (!cy_step(checker->env))
        return false;
    if (expr->kind == CY_VARIABLE)
        return expr->slot != CY_NONE || check_variable(checker, expr);
    if (expr->kind == CY_PROPERTY)
        return check_property(checker, expr);
    if (expr->kind == CY_LABELS)
        return check_labels(checker, expr);
    if (expr->kind == CY_CALL || expr->kind == CY_AGGREGATE)
        return check_call(checker, expr);
    if (expr->kind == CY_LIST_COMPREHENSION || expr->kind == CY_QUANTIFIER)
        return check_filtered(checker, expr);
    if (expr->kind == CY_REDUCE)
        return check_reduce(checker, expr);
    if (expr->pattern != NULL)
        return check_pattern_expr(checker, expr);
    if (!check_children(checker, expr))
        return false;
    return (expr->kind != CY_UNARY && expr->kind != CY_BINARY) ||
           (check_operands(checker, expr) && check_in(checker, expr));
}

bool cy_check_condition(struct cy_checker *checker, struct cy_expr *expr)
{
    return check_plain(checker, expr) &&
           (!never_boolean(checker, expr) || wrong_type(checker, expr, "true or false"));
}
