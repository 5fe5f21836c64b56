/* Calls, CASE, and what has variables of its own: comprehensions, quantifiers, reduce. */
#include "services/graph/cypher/parse_internal.h"

static struct cy_expr *close_with(struct cy_parser *parser, struct cy_expr *expr,
                                  int sign)
{
    return cy_need_sign(parser, sign) ? cy_made(parser, expr) : NULL;
}

static bool read_into(struct cy_parser *parser, struct cy_expr **out)
{
    *out = cy_read_expr(parser);
    return *out != NULL;
}

/* --- calls ------------------------------------------------------------------------ */

/* a.b.c as one text. */
static bool read_dotted(struct cy_parser *parser, struct sh_bytes *out)
{
    struct sh_buffer name = {0};
    struct sh_bytes part;
    bool fine = cy_need_name(parser, &part);
    sh_buffer_append(&name, part.data, fine ? part.len : 0);
    while (fine && cy_take_sign(parser, '.')) {
        fine = cy_need_name(parser, &part);
        sh_buffer_text(&name, ".");
        sh_buffer_append(&name, part.data, fine ? part.len : 0);
    }
    *out = sh_arena_copy(parser->env->arena, sh_buffer_bytes(&name));
    if (name.err != SH_OK || out->data == NULL)
        fine = cy_fail_err(parser->env, SH_NOMEM);
    sh_buffer_free(&name);
    return fine;
}

static bool read_arguments(struct cy_parser *parser, struct cy_expr *call)
{
    struct cy_grown items = {0};
    if (cy_is_sign(parser, 0, ')'))
        return true;
    do {
        struct cy_expr **item = cy_grow(parser, &items, sizeof(struct cy_expr *));
        if (item == NULL || !read_into(parser, item))
            return false;
    } while (cy_take_sign(parser, ','));
    call->items = items.items;
    call->item_count = items.count;
    return true;
}

struct cy_expr *cy_read_call(struct cy_parser *parser)
{
    struct cy_expr *call = cy_make(parser, CY_CALL, cy_here_token(parser)->at);
    if (call == NULL || !read_dotted(parser, &call->text) || !cy_need_sign(parser, '('))
        return NULL;
    if (cy_is_sign(parser, 0, '*') && cy_is_sign(parser, 1, ')')) {
        if (call->text.len != 5 || !cy_token_is(cy_here_token(parser) - 2, "count")) {
            (void)cy_unexpected(parser);
            return NULL;
        }
        call->star = true;
        parser->at++;
        return close_with(parser, call, ')');
    }
    call->distinct = cy_take_word(parser, "DISTINCT");
    return read_arguments(parser, call) ? close_with(parser, call, ')') : NULL;
}

/* --- CASE ------------------------------------------------------------------------- */

struct cy_expr *cy_read_case(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_CASE, cy_here_token(parser)->at);
    struct cy_grown items = {0};
    parser->at++;
    if (expr == NULL || (!cy_is_word(parser, 0, "WHEN") && !read_into(parser, &expr->a)))
        return NULL;
    do {
        if (!cy_need_word(parser, "WHEN"))
            return NULL;
        struct cy_expr **item = cy_grow(parser, &items, sizeof(struct cy_expr *));
        if (item == NULL || !read_into(parser, item) || !cy_need_word(parser, "THEN"))
            return NULL;
        item = cy_grow(parser, &items, sizeof(struct cy_expr *));
        if (item == NULL || !read_into(parser, item))
            return NULL;
    } while (cy_is_word(parser, 0, "WHEN"));
    if (cy_take_word(parser, "ELSE") && !read_into(parser, &expr->b))
        return NULL;
    expr->items = items.items;
    expr->item_count = items.count;
    return cy_need_word(parser, "END") ? cy_made(parser, expr) : NULL;
}

/* --- lists and comprehensions ----------------------------------------------------- */

/* variable IN list WHERE condition */
static bool read_filtered(struct cy_parser *parser, struct cy_expr *expr)
{
    return cy_need_variable(parser, &expr->variable) && cy_need_word(parser, "IN") &&
           read_into(parser, &expr->a) &&
           (!cy_take_word(parser, "WHERE") || read_into(parser, &expr->b));
}

static struct cy_expr *read_comprehension(struct cy_parser *parser, struct cy_expr *expr)
{
    expr->kind = CY_LIST_COMPREHENSION;
    if (!read_filtered(parser, expr) ||
        (cy_take_sign(parser, '|') && !read_into(parser, &expr->c)))
        return NULL;
    return close_with(parser, expr, ']');
}

static struct cy_expr *read_pattern_comprehension(struct cy_parser *parser,
                                                  struct cy_expr *expr)
{
    expr->kind = CY_PATTERN_COMPREHENSION;
    expr->pattern = cy_read_path_alone(parser);
    if (expr->pattern == NULL ||
        (cy_take_word(parser, "WHERE") && !read_into(parser, &expr->b)) ||
        !cy_need_sign(parser, '|') || !read_into(parser, &expr->c))
        return NULL;
    return close_with(parser, expr, ']');
}

/* [(a)-->(b) | … is a comprehension, [(a)-->(b)] a list with a predicate in it. */
static bool comprehends_pattern(struct cy_parser *parser)
{
    uint32_t at = parser->at;
    if (cy_is_name_token(cy_here_token(parser)) && cy_is_sign(parser, 1, '='))
        parser->at += 2;
    bool fits = cy_path_begins(parser);
    while (fits && !cy_is_sign(parser, 0, '|') && !cy_is_word(parser, 0, "WHERE")) {
        uint32_t match = cy_here_token(parser)->match;
        parser->at = match ? match + 1 : parser->at + 1;
        fits = cy_here_token(parser)->kind != CY_T_END && !cy_is_sign(parser, 0, ']') &&
               !cy_is_sign(parser, 0, ',');
    }
    parser->at = at;
    return fits;
}

struct cy_expr *cy_read_bracketed(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_LIST, cy_here_token(parser)->at);
    struct cy_grown items = {0};
    parser->at++;
    if (expr == NULL)
        return NULL;
    if (cy_is_name_token(cy_here_token(parser)) && cy_is_word(parser, 1, "IN"))
        return read_comprehension(parser, expr);
    if (comprehends_pattern(parser))
        return read_pattern_comprehension(parser, expr);
    if (!cy_is_sign(parser, 0, ']'))
        do {
            struct cy_expr **item = cy_grow(parser, &items, sizeof(struct cy_expr *));
            if (item == NULL || !read_into(parser, item))
                return NULL;
        } while (cy_take_sign(parser, ','));
    expr->items = items.items;
    expr->item_count = items.count;
    return close_with(parser, expr, ']');
}

/* --- quantifiers, reduce, EXISTS -------------------------------------------------- */

static struct cy_expr *read_quantifier(struct cy_parser *parser, enum cy_op op)
{
    struct cy_expr *expr = cy_make(parser, CY_QUANTIFIER, cy_here_token(parser)->at);
    parser->at += 2;
    if (expr == NULL || !read_filtered(parser, expr))
        return NULL;
    expr->op = op;
    if (expr->b == NULL) {
        (void)cy_need_word(parser, "WHERE");
        return NULL;
    }
    return close_with(parser, expr, ')');
}

static struct cy_expr *read_reduce(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_REDUCE, cy_here_token(parser)->at);
    parser->at += 2;
    if (expr == NULL || !cy_need_variable(parser, &expr->variable) ||
        !cy_need_sign(parser, '=') || !read_into(parser, &expr->a) ||
        !cy_need_sign(parser, ',') || !cy_need_variable(parser, &expr->variable2) ||
        !cy_need_word(parser, "IN") || !read_into(parser, &expr->b) ||
        !cy_need_sign(parser, '|') || !read_into(parser, &expr->c))
        return NULL;
    return close_with(parser, expr, ')');
}

/* EXISTS { [MATCH] pattern [WHERE …] } */
static struct cy_expr *read_exists(struct cy_parser *parser)
{
    struct cy_expr *expr = cy_make(parser, CY_EXISTS, cy_here_token(parser)->at);
    parser->at += 2;
    (void)cy_take_word(parser, "MATCH");
    if (expr == NULL)
        return NULL;
    expr->pattern = cy_read_pattern(parser);
    if (expr->pattern == NULL ||
        (cy_take_word(parser, "WHERE") && !read_into(parser, &expr->b)))
        return NULL;
    if (!cy_is_sign(parser, 0, '}') && cy_here_token(parser)->kind != CY_T_END) {
        (void)cy_unsupported(parser, "more than one clause within EXISTS");
        return NULL;
    }
    return close_with(parser, expr, '}');
}

/* exists((a)-->(b)), the older way */
static struct cy_expr *read_exists_call(struct cy_parser *parser)
{
    struct cy_expr *expr =
        cy_make(parser, CY_PATTERN_PREDICATE, cy_here_token(parser)->at);
    parser->at += 2;
    if (expr == NULL)
        return NULL;
    expr->flag = true; /* said to be a question, not only a pattern */
    expr->pattern = cy_read_path_alone(parser);
    return expr->pattern ? close_with(parser, expr, ')') : NULL;
}

static enum cy_op quantifier(const struct cy_parser *parser)
{
    static const struct {
        const char *word;
        enum cy_op op;
    } rows[] = {{"ALL", CY_ALL}, {"ANY", CY_ANY}, {"NONE", CY_NO}, {"SINGLE", CY_SINGLE}};
    for (size_t i = 0; i < SH_COUNT(rows); i++)
        if (cy_is_word(parser, 0, rows[i].word) && cy_is_sign(parser, 1, '('))
            return rows[i].op;
    return CY_OP_NONE;
}

static bool is_exists_call(struct cy_parser *parser)
{
    if (!cy_is_word(parser, 0, "EXISTS") || !cy_is_sign(parser, 1, '('))
        return false;
    parser->at += 2;
    bool path = cy_path_begins(parser);
    parser->at -= 2;
    return path;
}

struct cy_expr *cy_read_special(struct cy_parser *parser)
{
    enum cy_op op = quantifier(parser);
    if (op != CY_OP_NONE)
        return read_quantifier(parser, op);
    if (cy_is_word(parser, 0, "REDUCE") && cy_is_sign(parser, 1, '('))
        return read_reduce(parser);
    if (cy_is_word(parser, 0, "EXISTS") && cy_is_sign(parser, 1, '{'))
        return read_exists(parser);
    if (is_exists_call(parser))
        return read_exists_call(parser);
    if ((cy_is_word(parser, 0, "COUNT") || cy_is_word(parser, 0, "COLLECT")) &&
        cy_is_sign(parser, 1, '{'))
        (void)cy_unsupported(parser, "a subquery");
    return NULL;
}
