/* What operators stand between, and what may follow it: .name, [index], :Label. */
#include "services/graph/cypher/parse_internal.h"

/* --- literals --------------------------------------------------------------------- */

static struct cy_expr *read_literal(struct cy_parser *parser,
                                    const struct cy_token *token)
{
    static const enum cy_kind kinds[] = {
        [CY_T_STRING] = CY_STRING, [CY_T_INTEGER] = CY_INTEGER, [CY_T_FLOAT] = CY_FLOAT};
    struct cy_expr *expr = cy_make(parser, kinds[token->kind], token->at);
    parser->at++;
    if (expr == NULL)
        return NULL;
    if (token->kind == CY_T_INTEGER && token->number > INT64_MAX) {
        (void)cy_fail(parser->env, CY_SYNTAX, "IntegerOverflow", token->at,
                      "this number is too large: an integer has 64 bits");
        return NULL;
    }
    expr->text = token->text;
    expr->real = token->real;
    expr->integer = (int64_t)token->number;
    return cy_made(parser, expr);
}

static struct cy_expr *read_parameter(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_PARAMETER, cy_here_token(parser)->at);
    parser->at++;
    const struct cy_token *token = cy_here_token(parser);
    if (expr == NULL)
        return NULL;
    if (token->kind == CY_T_INTEGER) {
        const char *text = parser->tokens.text.data;
        expr->text = (struct sh_bytes){text + token->start, token->end - token->start};
        parser->at++;
    } else if (!cy_need_name(parser, &expr->text)) {
        return NULL;
    }
    return cy_made(parser, expr);
}

struct cy_expr *cy_read_map(struct cy_parser *parser)
{
    struct cy_expr *map = cy_make(parser, CY_MAP, cy_here_token(parser)->at);
    struct cy_grown names = {0};
    struct cy_grown items = {0};
    parser->at++;
    if (map == NULL ||
        (!cy_is_sign(parser, 0, '}') && !cy_is_name_token(cy_here_token(parser)) &&
         !cy_unexpected(parser)))
        return NULL;
    while (!cy_is_sign(parser, 0, '}')) {
        struct sh_bytes *name = cy_grow(parser, &names, sizeof(*name));
        struct cy_expr **item = cy_grow(parser, &items, sizeof(struct cy_expr *));
        if (name == NULL || item == NULL || !cy_need_name(parser, name) ||
            !cy_need_sign(parser, ':'))
            return NULL;
        *item = cy_read_expr(parser);
        if (*item == NULL)
            return NULL;
        if (!cy_take_sign(parser, ','))
            break;
    }
    if (!cy_need_sign(parser, '}'))
        return NULL;
    map->names = names.items;
    map->items = items.items;
    map->item_count = items.count;
    return cy_made(parser, map);
}

/* --- variables -------------------------------------------------------------------- */

/* No variable is called so where an expression is expected. */
static bool is_reserved(const struct cy_token *token)
{
    static const char *const words[] = {
        "MATCH", "OPTIONAL", "WITH",   "RETURN", "UNWIND", "UNION", "WHERE",   "ORDER",
        "SKIP",  "LIMIT",    "CREATE", "DELETE", "DETACH", "MERGE", "SET",     "REMOVE",
        "AND",   "OR",       "XOR",    "IN",     "IS",     "AS",    "BY",      "WHEN",
        "THEN",  "ELSE",     "STARTS", "ENDS",   "NOT",    "CASE",  "CONTAINS"};
    for (size_t i = 0; i < SH_COUNT(words); i++)
        if (cy_token_is(token, words[i]))
            return true;
    return false;
}

static struct cy_expr *read_variable(struct cy_parser *parser)
{
    const struct cy_token *token = cy_here_token(parser);
    if (is_reserved(token)) {
        (void)cy_unexpected(parser);
        return NULL;
    }
    struct cy_expr *expr = cy_make(parser, CY_VARIABLE, token->at);
    parser->at++;
    if (expr == NULL)
        return NULL;
    expr->text = token->text;
    if (cy_is_sign(parser, 0, '{')) {
        (void)cy_unsupported(parser, "a map projection");
        return NULL;
    }
    return cy_made(parser, expr);
}

/* --- words ------------------------------------------------------------------------ */

static bool call_begins(const struct cy_parser *parser)
{
    uint32_t ahead = 1;
    while (cy_is_sign(parser, ahead, '.') &&
           cy_is_name_token(cy_ahead(parser, ahead + 1)))
        ahead += 2;
    return cy_is_sign(parser, ahead, '(');
}

static struct cy_expr *read_constant(struct cy_parser *parser, enum cy_kind kind,
                                     bool flag)
{
    struct cy_expr *expr = cy_make(parser, kind, cy_here_token(parser)->at);
    parser->at++;
    if (expr == NULL)
        return NULL;
    expr->flag = flag;
    return cy_made(parser, expr);
}

static struct cy_expr *read_word(struct cy_parser *parser)
{
    if (cy_is_word(parser, 0, "NULL"))
        return read_constant(parser, CY_NULL, false);
    if (cy_is_word(parser, 0, "TRUE") || cy_is_word(parser, 0, "FALSE"))
        return read_constant(parser, CY_BOOLEAN, cy_is_word(parser, 0, "TRUE"));
    if (cy_is_word(parser, 0, "CASE"))
        return cy_read_case(parser);
    struct cy_expr *special = cy_read_special(parser);
    if (special != NULL || parser->env->err != SH_OK)
        return special;
    return call_begins(parser) ? cy_read_call(parser) : read_variable(parser);
}

static struct cy_expr *read_predicate(struct cy_parser *parser)
{
    struct cy_expr *expr =
        cy_make(parser, CY_PATTERN_PREDICATE, cy_here_token(parser)->at);
    if (expr == NULL)
        return NULL;
    expr->pattern = cy_read_path_alone(parser);
    return expr->pattern ? cy_made(parser, expr) : NULL;
}

static struct cy_expr *read_parentheses(struct cy_parser *parser)
{
    if (cy_path_begins(parser))
        return read_predicate(parser);
    parser->at++;
    struct cy_expr *expr = cy_read_expr(parser);
    return expr && cy_need_sign(parser, ')') ? expr : NULL;
}

static struct cy_expr *read_bare(struct cy_parser *parser)
{
    const struct cy_token *token = cy_here_token(parser);
    if (token->kind == CY_T_STRING || token->kind == CY_T_INTEGER ||
        token->kind == CY_T_FLOAT)
        return read_literal(parser, token);
    if (cy_is_name_token(token))
        return read_word(parser);
    if (cy_is_sign(parser, 0, '('))
        return read_parentheses(parser);
    if (cy_is_sign(parser, 0, '['))
        return cy_read_bracketed(parser);
    if (cy_is_sign(parser, 0, '{'))
        return cy_read_map(parser);
    if (cy_is_sign(parser, 0, '$'))
        return read_parameter(parser);
    (void)cy_unexpected(parser);
    return NULL;
}

/* --- what follows ----------------------------------------------------------------- */

static struct cy_expr *read_property(struct cy_parser *parser, struct cy_expr *of)
{
    struct cy_expr *expr = cy_make(parser, CY_PROPERTY, cy_here_token(parser)->at);
    if (expr == NULL || !cy_need_name(parser, &expr->text))
        return NULL;
    expr->a = of;
    return cy_made(parser, expr);
}

static struct cy_expr *read_index(struct cy_parser *parser, struct cy_expr *of,
                                  struct cy_at at)
{
    struct cy_expr *expr = cy_make(parser, CY_SUBSCRIPT, at);
    if (expr == NULL)
        return NULL;
    expr->a = of;
    if (!cy_is_sign(parser, 0, CY_S_DOTS)) {
        expr->b = cy_read_expr(parser);
        if (expr->b == NULL)
            return NULL;
    }
    if (cy_take_sign(parser, CY_S_DOTS)) {
        expr->kind = CY_SLICE;
        if (!cy_is_sign(parser, 0, ']')) {
            expr->c = cy_read_expr(parser);
            if (expr->c == NULL)
                return NULL;
        }
    }
    return cy_need_sign(parser, ']') ? cy_made(parser, expr) : NULL;
}

static struct cy_expr *read_labels(struct cy_parser *parser, struct cy_expr *of)
{
    struct cy_expr *expr = cy_make(parser, CY_LABELS, cy_here_token(parser)->at);
    if (expr == NULL || !cy_read_symbols(parser, false, &expr->symbols))
        return NULL;
    expr->a = of;
    return cy_made(parser, expr);
}

struct cy_expr *cy_read_atom(struct cy_parser *parser)
{
    struct cy_expr *expr = read_bare(parser);
    while (expr != NULL) {
        struct cy_at at = cy_here_token(parser)->at;
        if (cy_take_sign(parser, '.'))
            expr = read_property(parser, expr);
        else if (cy_take_sign(parser, '['))
            expr = read_index(parser, expr, at);
        else if (cy_is_sign(parser, 0, ':'))
            expr = read_labels(parser, expr);
        else
            return expr;
    }
    return NULL;
}
