/* WITH, RETURN, CALL and SHOW. */
#include "services/graph/cypher/parse_internal.h"

/* --- WITH and RETURN -------------------------------------------------------------- */

static bool read_item(struct cy_parser *parser, struct cy_item *item)
{
    uint32_t first = parser->at;
    item->variable = (struct cy_name){.at = cy_here_token(parser)->at, .slot = CY_NONE};
    item->expr = cy_read_expr(parser);
    if (item->expr == NULL)
        return false;
    if (cy_take_word(parser, "AS")) {
        item->aliased = true;
        return cy_need_variable(parser, &item->variable);
    }
    const char *text = parser->tokens.text.data;
    uint32_t start = parser->tokens.items[first].start;
    item->variable.text =
        (struct sh_bytes){text + start, parser->tokens.items[parser->at - 1].end - start};
    if (item->expr->kind == CY_VARIABLE)
        item->variable.text = item->expr->text;
    return true;
}

static bool read_items(struct cy_parser *parser, struct cy_projection *projection)
{
    struct cy_grown items = {0};
    projection->star = cy_take_sign(parser, '*');
    if (projection->star && !cy_take_sign(parser, ','))
        return true;
    do {
        struct cy_item *item = cy_grow(parser, &items, sizeof(*item));
        if (item == NULL || !read_item(parser, item))
            return false;
    } while (cy_take_sign(parser, ','));
    projection->items = items.items;
    projection->item_count = items.count;
    return true;
}

static bool read_order(struct cy_parser *parser, struct cy_projection *projection)
{
    struct cy_grown sorts = {0};
    if (!cy_take_word(parser, "ORDER"))
        return true;
    if (!cy_need_word(parser, "BY"))
        return false;
    do {
        struct cy_sort *sort = cy_grow(parser, &sorts, sizeof(*sort));
        if (sort == NULL)
            return false;
        sort->expr = cy_read_expr(parser);
        if (sort->expr == NULL)
            return false;
        sort->descending =
            cy_take_word(parser, "DESC") || cy_take_word(parser, "DESCENDING");
        if (!sort->descending && !cy_take_word(parser, "ASC"))
            (void)cy_take_word(parser, "ASCENDING");
    } while (cy_take_sign(parser, ','));
    projection->sorts = sorts.items;
    projection->sort_count = sorts.count;
    return true;
}

bool cy_read_projection(struct cy_parser *parser, struct cy_clause *clause)
{
    struct cy_projection *projection = &clause->projection;
    projection->distinct = cy_take_word(parser, "DISTINCT");
    if (!read_items(parser, projection) || !read_order(parser, projection))
        return false;
    if (cy_take_word(parser, "SKIP") && (projection->skip = cy_read_expr(parser)) == NULL)
        return false;
    if (cy_take_word(parser, "LIMIT") &&
        (projection->limit = cy_read_expr(parser)) == NULL)
        return false;
    if (clause->kind == CY_WITH && cy_take_word(parser, "WHERE"))
        return (clause->where = cy_read_expr(parser)) != NULL;
    return true;
}

/* --- CALL ------------------------------------------------------------------------- */

static bool read_procedure_name(struct cy_parser *parser, struct cy_call *call)
{
    uint32_t first = parser->at;
    struct sh_bytes part;
    do {
        if (!cy_need_name(parser, &part))
            return false;
    } while (cy_take_sign(parser, '.'));
    const char *text = parser->tokens.text.data;
    uint32_t start = parser->tokens.items[first].start;
    call->name =
        (struct sh_bytes){text + start, parser->tokens.items[parser->at - 1].end - start};
    return true;
}

static bool read_procedure_arguments(struct cy_parser *parser, struct cy_call *call)
{
    struct cy_grown items = {0};
    call->has_arguments = cy_take_sign(parser, '(');
    if (!call->has_arguments || cy_take_sign(parser, ')'))
        return true;
    do {
        struct cy_expr **item = cy_grow(parser, &items, sizeof(struct cy_expr *));
        if (item == NULL || (*item = cy_read_expr(parser)) == NULL)
            return false;
    } while (cy_take_sign(parser, ','));
    call->arguments = items.items;
    call->argument_count = items.count;
    return cy_need_sign(parser, ')');
}

static bool read_yield(struct cy_parser *parser, struct cy_call *call)
{
    struct cy_grown fields = {0};
    struct cy_grown variables = {0};
    call->yields = cy_take_word(parser, "YIELD");
    if (!call->yields || (call->star = cy_take_sign(parser, '*')))
        return true;
    do {
        struct sh_bytes *field = cy_grow(parser, &fields, sizeof(*field));
        struct cy_name *variable = cy_grow(parser, &variables, sizeof(*variable));
        if (field == NULL || variable == NULL || !cy_need_variable(parser, variable))
            return false;
        *field = variable->text;
        if (cy_take_word(parser, "AS") && !cy_need_variable(parser, variable))
            return false;
    } while (cy_take_sign(parser, ','));
    call->fields = fields.items;
    call->variables = variables.items;
    call->field_count = fields.count;
    return true;
}

bool cy_read_procedure(struct cy_parser *parser, struct cy_clause *clause)
{
    if (cy_is_sign(parser, 0, '{'))
        return cy_unsupported(parser, "a subquery");
    if (!read_procedure_name(parser, &clause->call) ||
        !read_procedure_arguments(parser, &clause->call) ||
        !read_yield(parser, &clause->call))
        return false;
    if (clause->call.yields && cy_take_word(parser, "WHERE"))
        return (clause->where = cy_read_expr(parser)) != NULL;
    return true;
}

/* --- SHOW ------------------------------------------------------------------------- */

bool cy_read_show(struct cy_parser *parser, struct cy_clause *clause)
{
    (void)cy_take_word(parser, "ALL");
    if (!cy_take_word(parser, "INDEXES") && !cy_take_word(parser, "INDEX"))
        return cy_unsupported(parser, "SHOW of anything but INDEXES");
    clause->call.name = sh_bytes_of("db.indexes");
    if (!read_yield(parser, &clause->call))
        return false;
    return !cy_take_word(parser, "WHERE") ||
           (clause->where = cy_read_expr(parser)) != NULL;
}
