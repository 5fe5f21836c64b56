/* Operators, by how strongly they bind. */
#include "services/graph/cypher/parse_internal.h"

enum strength {
    LOOSEST,
    OR_STRENGTH,
    XOR_STRENGTH,
    AND_STRENGTH,
    NOT_STRENGTH,
    COMPARISON_STRENGTH,
    PREDICATE_STRENGTH,
    SUM_STRENGTH,
    PRODUCT_STRENGTH,
    POWER_STRENGTH,
    SIGN_STRENGTH,
};

struct operator_row {
    const char *word; /* NULL: a sign */
    const char *word2;
    int sign;
    enum cy_op op;
    enum strength strength;
};

static const struct operator_row operators[] = {
    {"OR", NULL, 0, CY_OR, OR_STRENGTH},
    {"XOR", NULL, 0, CY_XOR, XOR_STRENGTH},
    {"AND", NULL, 0, CY_AND, AND_STRENGTH},
    {NULL, NULL, '=', CY_EQUAL, COMPARISON_STRENGTH},
    {NULL, NULL, CY_S_UNEQUAL, CY_UNEQUAL, COMPARISON_STRENGTH},
    {NULL, NULL, '<', CY_LESS, COMPARISON_STRENGTH},
    {NULL, NULL, CY_S_LESS_EQUAL, CY_LESS_EQUAL, COMPARISON_STRENGTH},
    {NULL, NULL, '>', CY_GREATER, COMPARISON_STRENGTH},
    {NULL, NULL, CY_S_GREATER_EQUAL, CY_GREATER_EQUAL, COMPARISON_STRENGTH},
    {"IN", NULL, 0, CY_IN, PREDICATE_STRENGTH},
    {"STARTS", "WITH", 0, CY_STARTS_WITH, PREDICATE_STRENGTH},
    {"ENDS", "WITH", 0, CY_ENDS_WITH, PREDICATE_STRENGTH},
    {"CONTAINS", NULL, 0, CY_CONTAINS, PREDICATE_STRENGTH},
    {NULL, NULL, CY_S_MATCHES, CY_MATCHES, PREDICATE_STRENGTH},
    {"IS", NULL, 0, CY_IS_NULL, PREDICATE_STRENGTH},
    {NULL, NULL, '+', CY_ADD, SUM_STRENGTH},
    {NULL, NULL, '-', CY_SUBTRACT, SUM_STRENGTH},
    {NULL, NULL, '*', CY_MULTIPLY, PRODUCT_STRENGTH},
    {NULL, NULL, '/', CY_DIVIDE, PRODUCT_STRENGTH},
    {NULL, NULL, '%', CY_MODULO, PRODUCT_STRENGTH},
    {NULL, NULL, '^', CY_POWER, POWER_STRENGTH},
};

static struct cy_expr *read_binary(struct cy_parser *parser, enum strength least);

/* --- trees ------------------------------------------------------------------------ */

struct cy_expr *cy_make(struct cy_parser *parser, enum cy_kind kind, struct cy_at at)
{
    struct cy_expr *expr = cy_alloc(parser->env, sizeof(*expr));
    if (expr != NULL) {
        expr->kind = kind;
        expr->at = at;
        expr->slot = CY_NONE;
        expr->symbol = CY_NONE;
        expr->variable.slot = CY_NONE;
        expr->variable2.slot = CY_NONE;
    }
    return expr;
}

struct cy_expr *cy_made(struct cy_parser *parser, struct cy_expr *expr)
{
    const struct cy_expr *const children[] = {expr->a, expr->b, expr->c};
    uint32_t height = 0;
    for (size_t i = 0; i < SH_COUNT(children); i++)
        if (children[i] != NULL && children[i]->height > height)
            height = children[i]->height;
    for (uint32_t i = 0; i < expr->item_count; i++)
        if (expr->items[i]->height > height)
            height = expr->items[i]->height;
    expr->height = height + 1;
    if (expr->height <= CY_HEIGHT_MAX)
        return expr;
    (void)cy_fail(parser->env, CY_SYNTAX, NULL, expr->at,
                  "this expression has more than %d parts within each other",
                  CY_HEIGHT_MAX);
    return NULL;
}

static struct cy_expr *join(struct cy_parser *parser, enum cy_op op, struct cy_at at,
                            struct cy_expr *left, struct cy_expr *right)
{
    struct cy_expr *expr = cy_make(parser, right ? CY_BINARY : CY_UNARY, at);
    if (expr == NULL)
        return NULL;
    expr->op = op;
    expr->a = left;
    expr->b = right;
    return cy_made(parser, expr);
}

/* --- what stands before ----------------------------------------------------------- */

static bool folds(const struct cy_parser *parser)
{
    const struct cy_token *token = cy_ahead(parser, 1);
    return cy_is_sign(parser, 0, '-') && token->kind == CY_T_INTEGER &&
           token->number == (uint64_t)INT64_MAX + 1;
}

/* The one number whose digits are only good with the minus. */
static struct cy_expr *least_integer(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_INTEGER, cy_here_token(parser)->at);
    parser->at += 2;
    if (expr == NULL)
        return NULL;
    expr->integer = INT64_MIN;
    return cy_made(parser, expr);
}

static struct cy_expr *read_prefixed(struct cy_parser *parser, enum cy_op op,
                                     enum strength strength)
{
    struct cy_at at = cy_here_token(parser)->at;
    parser->at++;
    struct cy_expr *operand = read_binary(parser, strength);
    return operand ? join(parser, op, at, operand, NULL) : NULL;
}

static struct cy_expr *read_unary(struct cy_parser *parser)
{
    struct cy_expr *expr = NULL;
    if (!cy_descend(parser))
        return NULL;
    if (cy_is_word(parser, 0, "NOT"))
        expr = read_prefixed(parser, CY_NOT, NOT_STRENGTH);
    else if (folds(parser))
        expr = least_integer(parser);
    else if (cy_is_sign(parser, 0, '-'))
        expr = read_prefixed(parser, CY_MINUS, SIGN_STRENGTH);
    else if (cy_is_sign(parser, 0, '+'))
        expr = read_prefixed(parser, CY_PLUS, SIGN_STRENGTH);
    else
        expr = cy_read_atom(parser);
    parser->depth--;
    return expr;
}

/* --- what stands between ---------------------------------------------------------- */

static const struct operator_row *find_operator(const struct cy_parser *parser)
{
    for (size_t i = 0; i < SH_COUNT(operators); i++) {
        const struct operator_row *row = &operators[i];
        if (row->word ? cy_is_word(parser, 0, row->word)
                      : cy_is_sign(parser, 0, row->sign))
            return row;
    }
    return NULL;
}

static struct cy_expr *read_is(struct cy_parser *parser, struct cy_expr *left,
                               struct cy_at at)
{
    if (cy_is_sign(parser, 0, ':')) {
        (void)cy_unsupported(parser, "a test of the type");
        return NULL;
    }
    enum cy_op op = cy_take_word(parser, "NOT") ? CY_IS_NOT_NULL : CY_IS_NULL;
    return cy_need_word(parser, "NULL") ? join(parser, op, at, left, NULL) : NULL;
}

/* a < b < c: as many comparisons, joined by AND. */
static struct cy_expr *read_chain(struct cy_parser *parser, struct cy_expr *left)
{
    struct cy_expr *all = NULL;
    const struct operator_row *row = find_operator(parser);
    while (row != NULL && row->strength == COMPARISON_STRENGTH) {
        struct cy_at at = cy_here_token(parser)->at;
        parser->at++;
        struct cy_expr *right = read_binary(parser, PREDICATE_STRENGTH);
        struct cy_expr *one = right ? join(parser, row->op, at, left, right) : NULL;
        all = one && all ? join(parser, CY_AND, at, all, one) : one;
        if (all == NULL)
            return NULL;
        left = right;
        row = find_operator(parser);
    }
    return all;
}

static struct cy_expr *read_rest(struct cy_parser *parser, struct cy_expr *left,
                                 const struct operator_row *row)
{
    struct cy_at at = cy_here_token(parser)->at;
    if (row->strength == COMPARISON_STRENGTH)
        return read_chain(parser, left);
    parser->at++;
    if (row->op == CY_IS_NULL)
        return read_is(parser, left, at);
    if (row->word2 != NULL && !cy_need_word(parser, row->word2))
        return NULL;
    struct cy_expr *right = read_binary(parser, row->strength + 1);
    return right ? join(parser, row->op, at, left, right) : NULL;
}

static struct cy_expr *read_binary(struct cy_parser *parser, enum strength least)
{
    struct cy_expr *left = read_unary(parser);
    while (left != NULL) {
        const struct operator_row *row = find_operator(parser);
        if (row == NULL || row->strength < least)
            return left;
        left = read_rest(parser, left, row);
    }
    return NULL;
}

struct cy_expr *cy_read_expr(struct cy_parser *parser)
{
    if (!cy_descend(parser))
        return NULL;
    struct cy_expr *expr = read_binary(parser, LOOSEST);
    parser->depth--;
    return expr;
}
