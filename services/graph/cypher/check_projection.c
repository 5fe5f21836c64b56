/* WITH and RETURN: what they make, what they group by, what may be sorted by. */
#include "services/graph/cypher/check_internal.h"
#include "services/graph/cypher/functions.h"

/* --- items ------------------------------------------------------------------------ */

static int by_name(const struct cy_variable *left, const struct cy_variable *right)
{
    size_t shorter = left->text.len < right->text.len ? left->text.len : right->text.len;
    int order = shorter ? memcmp(left->text.data, right->text.data, shorter) : 0;
    return order != 0
               ? order
               : (left->text.len > right->text.len) - (left->text.len < right->text.len);
}

/* Items for every variable, in order of their names, before those that were written. */
static bool expand_star(struct cy_checker *checker, struct cy_clause *clause)
{
    struct cy_projection *projection = &clause->projection;
    uint32_t count = checker->count;
    struct cy_item *items =
        cy_array(checker->env, count + projection->item_count + 1, sizeof(*items));
    struct cy_expr *exprs = cy_array(checker->env, count + 1, sizeof(*exprs));
    if (items == NULL || exprs == NULL)
        return false;
    if (count == 0 && projection->item_count == 0 && clause->kind == CY_RETURN)
        return cy_fail(checker->env, CY_SYNTAX, "NoVariablesInScope", clause->at,
                       "there are no variables that * could stand for");
    for (uint32_t i = 0; i < count; i++) {
        const struct cy_variable *variable = &checker->scope[i];
        uint32_t place = 0;
        for (uint32_t j = 0; j < count; j++)
            place += by_name(&checker->scope[j], variable) < 0;
        exprs[i] = (struct cy_expr){.kind = CY_VARIABLE,
                                    .at = clause->at,
                                    .height = 1,
                                    .text = variable->text,
                                    .slot = variable->slot,
                                    .symbol = CY_NONE};
        items[place] = (struct cy_item){.expr = &exprs[i],
                                        .aliased = true,
                                        .variable = {.text = variable->text,
                                                     .at = clause->at,
                                                     .slot = variable->slot}};
    }
    if (projection->item_count > 0)
        memcpy(items + count, projection->items, projection->item_count * sizeof(*items));
    projection->items = items;
    projection->item_count += count;
    return true;
}

static bool check_name(struct cy_checker *checker, const struct cy_clause *clause,
                       uint32_t index)
{
    const struct cy_item *item = &clause->projection.items[index];
    const struct cy_name *name = &item->variable;
    if (clause->kind == CY_WITH && !item->aliased && item->expr->kind != CY_VARIABLE)
        return cy_fail(checker->env, CY_SYNTAX, "NoExpressionAlias", name->at,
                       "in WITH an expression needs a name: AS …");
    for (uint32_t i = 0; i < index; i++)
        if (sh_bytes_equal(clause->projection.items[i].variable.text, name->text))
            return cy_fail(checker->env, CY_SYNTAX, "ColumnNameConflict", name->at,
                           "two columns are called '%.*s'",
                           (int)(name->text.len < 80 ? name->text.len : 80),
                           (const char *)name->text.data);
    return true;
}

static bool check_item(struct cy_checker *checker, struct cy_projection *projection,
                       struct cy_item *item)
{
    uint32_t before = projection->aggregate_count;
    if (item->expr->kind == CY_PATTERN_PREDICATE && !item->expr->flag)
        return cy_fail(checker->env, CY_SYNTAX, "UnexpectedSyntax", item->expr->at,
                       "a pattern cannot be projected: ask whether it EXISTS");
    if (!cy_check_expr(checker, item->expr))
        return false;
    item->aggregates = projection->aggregate_count > before;
    item->variable.slot =
        item->expr->kind == CY_VARIABLE ? item->expr->slot : cy_new_slot(checker);
    return true;
}

/* --- grouping --------------------------------------------------------------------- */

/* A variable, or a property of one: what aggregates may be mixed with. */
static bool is_simple(const struct cy_expr *expr)
{
    return expr->kind == CY_VARIABLE ||
           (expr->kind == CY_PROPERTY && expr->a->kind == CY_VARIABLE);
}

static bool is_key(const struct cy_projection *projection, const struct cy_expr *expr)
{
    for (uint32_t i = 0; i < projection->item_count; i++)
        if (!projection->items[i].aggregates &&
            (cy_same_expr(projection->items[i].expr, expr) ||
             (expr->kind == CY_VARIABLE &&
              projection->items[i].variable.slot == expr->slot)))
            return true;
    return false;
}

/* Beside aggregates, only what the rows of a group have in common. `first`: slots from
 * here on belong to the item itself, such as the variable of a comprehension. */
static bool check_mixture(struct cy_checker *checker,
                          const struct cy_projection *projection,
                          const struct cy_expr *expr, uint32_t local)
{
    if (expr->kind == CY_AGGREGATE || (is_simple(expr) && is_key(projection, expr)))
        return true;
    if (expr->kind == CY_VARIABLE && expr->slot < local)
        return cy_fail(checker->env, CY_SYNTAX, "AmbiguousAggregationExpression",
                       expr->at,
                       "'%.*s' is not the same for all rows that are aggregated: "
                       "project it first",
                       (int)(expr->text.len < 80 ? expr->text.len : 80),
                       (const char *)expr->text.data);
    const struct cy_expr *child;
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        if (!check_mixture(checker, projection, child, local))
            return false;
    return true;
}

/* --- order ------------------------------------------------------------------------ */

/* What is projected already is taken from there. Within what aggregates (`mixed`), only
 * what is simple, or aggregates itself. */
static void take_projected(const struct cy_projection *projection, struct cy_expr *expr,
                           bool mixed)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        const struct cy_item *item = &projection->items[i];
        if (!cy_same_expr(item->expr, expr) ||
            (mixed && !item->aggregates && !is_simple(expr)))
            continue;
        *expr = (struct cy_expr){.kind = CY_VARIABLE,
                                 .at = expr->at,
                                 .height = expr->height,
                                 .text = item->variable.text,
                                 .slot = item->variable.slot,
                                 .symbol = CY_NONE};
        return;
    }
    struct cy_expr *child;
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        take_projected(projection, child, mixed);
}

static bool aggregates(const struct cy_expr *expr)
{
    const struct cy_expr *child;
    if (expr->kind == CY_CALL) {
        const struct cy_function *function = cy_function_find(expr->text);
        if (function != NULL && function->aggregates)
            return true;
    }
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        if (aggregates(child))
            return true;
    return false;
}

/* What one sorts by or asks for after DISTINCT or aggregates. */
static void take_from(const struct cy_projection *projection, struct cy_expr *expr)
{
    for (uint32_t i = 0; i < projection->item_count; i++)
        if (cy_same_expr(projection->items[i].expr, expr)) {
            take_projected(projection, expr, false);
            return;
        }
    take_projected(projection, expr, aggregates(expr));
}

/* After DISTINCT or aggregates only what was projected is left. */
static bool check_left(struct cy_checker *checker, const struct cy_projection *projection,
                       const struct cy_expr *expr, uint32_t local)
{
    if (expr->kind == CY_VARIABLE && expr->slot < local) {
        for (uint32_t i = 0; i < projection->item_count; i++)
            if (projection->items[i].variable.slot == expr->slot)
                return true;
        return cy_fail(checker->env, CY_SYNTAX, "UndefinedVariable", expr->at,
                       "'%.*s' is not there any more after DISTINCT or an aggregate",
                       (int)(expr->text.len < 80 ? expr->text.len : 80),
                       (const char *)expr->text.data);
    }
    const struct cy_expr *child;
    for (uint32_t i = 0; (child = cy_child(expr, i)) != NULL; i++)
        if (!check_left(checker, projection, child, local))
            return false;
    return true;
}

static bool check_sorts(struct cy_checker *checker, struct cy_projection *projection)
{
    bool aggregating = projection->aggregate_count > 0;
    uint32_t local = checker->query->slot_count;
    checker->projection = aggregating ? projection : NULL;
    for (uint32_t i = 0; i < projection->sort_count; i++) {
        struct cy_expr *expr = projection->sorts[i].expr;
        if (aggregating || projection->distinct)
            take_from(projection, expr);
        if (!cy_check_expr(checker, expr))
            return false;
        if ((aggregating || projection->distinct) &&
            !check_left(checker, projection, expr, local))
            return false;
    }
    checker->projection = NULL;
    return true;
}

/* SKIP and LIMIT: the same for every row. */
static bool check_constant(struct cy_checker *checker, struct cy_expr *expr)
{
    uint32_t count = checker->count;
    if (expr == NULL)
        return true;
    if (expr->kind == CY_FLOAT || expr->kind == CY_STRING || expr->kind == CY_BOOLEAN)
        return cy_fail(checker->env, CY_SYNTAX, "InvalidArgumentType", expr->at,
                       "a whole number is needed here");
    if (expr->kind == CY_UNARY && expr->op == CY_MINUS && expr->a->kind == CY_INTEGER)
        return cy_fail(checker->env, CY_SYNTAX, "NegativeIntegerArgument", expr->at,
                       "this number is not to be below 0");
    if (expr->kind == CY_UNARY && expr->op == CY_MINUS && expr->a->kind == CY_FLOAT)
        return cy_fail(checker->env, CY_SYNTAX, "InvalidArgumentType", expr->at,
                       "a whole number is needed here");
    checker->count = 0;
    bool fine = cy_check_expr(checker, expr);
    checker->count = count;
    if (!fine && checker->env->error.detail != NULL &&
        strcmp(checker->env->error.detail, "UndefinedVariable") == 0)
        checker->env->error.detail = "NonConstantExpression";
    return fine;
}

/* --- all -------------------------------------------------------------------------- */

static bool check_items(struct cy_checker *checker, struct cy_clause *clause)
{
    struct cy_projection *projection = &clause->projection;
    uint32_t local = checker->query->slot_count;
    checker->projection = projection;
    checker->aggregate_room = 0;
    for (uint32_t i = 0; i < projection->item_count; i++)
        if (!check_name(checker, clause, i) ||
            !check_item(checker, projection, &projection->items[i]))
            return false;
    checker->projection = NULL;
    for (uint32_t i = 0; i < projection->item_count; i++)
        if (projection->items[i].aggregates &&
            !check_mixture(checker, projection, projection->items[i].expr, local))
            return false;
    return true;
}

static bool never_entity(const struct cy_expr *expr)
{
    return expr->kind == CY_LIST || expr->kind == CY_MAP || expr->kind == CY_INTEGER ||
           expr->kind == CY_FLOAT || expr->kind == CY_STRING;
}

/* Projected names hide older ones. */
static bool declare_items(struct cy_checker *checker,
                          const struct cy_projection *projection,
                          const struct cy_variable *older, uint32_t older_count)
{
    for (uint32_t i = 0; i < projection->item_count; i++) {
        struct cy_item *item = &projection->items[i];
        enum cy_known known = never_entity(item->expr) ? CY_K_OTHER : CY_K_ANY;
        for (uint32_t j = 0; item->expr->kind == CY_VARIABLE && j < older_count; j++)
            if (older[j].slot == item->variable.slot)
                known = older[j].known;
        if (!cy_declare(checker, &item->variable, known))
            return false;
    }
    return true;
}

bool cy_check_projection(struct cy_checker *checker, struct cy_clause *clause)
{
    struct cy_projection *projection = &clause->projection;
    uint32_t before = checker->count;
    if (projection->star && !expand_star(checker, clause))
        return false;
    const struct cy_variable *older = checker->scope;
    if (!check_items(checker, clause) ||
        !declare_items(checker, projection, older, before) ||
        !check_sorts(checker, projection))
        return false;
    uint32_t local = checker->query->slot_count;
    if (clause->where != NULL) {
        if (projection->distinct || projection->aggregate_count > 0)
            take_from(projection, clause->where);
        if (!cy_check_condition(checker, clause->where))
            return false;
        if ((projection->distinct || projection->aggregate_count > 0) &&
            !check_left(checker, projection, clause->where, local))
            return false;
    }
    if (!check_constant(checker, projection->skip) ||
        !check_constant(checker, projection->limit))
        return false;
    checker->count -= before;
    memmove(checker->scope, checker->scope + before,
            checker->count * sizeof(*checker->scope));
    return true;
}
