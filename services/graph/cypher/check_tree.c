/* Expressions as trees. */
#include "services/graph/cypher/check_internal.h"

struct cy_expr *cy_child(const struct cy_expr *expr, uint32_t index)
{
    struct cy_expr *const children[] = {expr->a, expr->b, expr->c};
    for (size_t i = 0; i < SH_COUNT(children); i++)
        if (children[i] != NULL && index-- == 0)
            return children[i];
    return index < expr->item_count ? expr->items[index] : NULL;
}

static bool same_symbols(const struct cy_symbols *left, const struct cy_symbols *right)
{
    if (left->count != right->count)
        return false;
    for (uint32_t i = 0; i < left->count; i++)
        if (!sh_bytes_equal(left->texts[i], right->texts[i]))
            return false;
    return true;
}

/* The node alone, not what is below it. */
static bool same_head(const struct cy_expr *left, const struct cy_expr *right)
{
    bool calls = (left->kind == CY_CALL || left->kind == CY_AGGREGATE) &&
                 (right->kind == CY_CALL || right->kind == CY_AGGREGATE);
    return (left->kind == right->kind || calls) && left->op == right->op &&
           sh_bytes_equal(left->text, right->text) && left->flag == right->flag &&
           left->distinct == right->distinct && left->star == right->star &&
           left->integer == right->integer && !(left->real < right->real) &&
           !(left->real > right->real) && left->item_count == right->item_count &&
           left->pattern == NULL && right->pattern == NULL &&
           (left->a != NULL) == (right->a != NULL) &&
           (left->b != NULL) == (right->b != NULL) &&
           (left->c != NULL) == (right->c != NULL) &&
           sh_bytes_equal(left->variable.text, right->variable.text) &&
           sh_bytes_equal(left->variable2.text, right->variable2.text) &&
           same_symbols(&left->symbols, &right->symbols);
}

bool cy_same_expr(const struct cy_expr *left, const struct cy_expr *right)
{
    if (left->height != right->height || !same_head(left, right))
        return false;
    for (uint32_t i = 0; left->names != NULL && i < left->item_count; i++)
        if (!sh_bytes_equal(left->names[i], right->names[i]))
            return false;
    const struct cy_expr *child;
    for (uint32_t i = 0; (child = cy_child(left, i)) != NULL; i++)
        if (!cy_same_expr(child, cy_child(right, i)))
            return false;
    return true;
}
