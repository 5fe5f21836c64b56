/* (a:Label {key: value})-[r:TYPE*1..3]->(b) */
#include "services/graph/cypher/parse_internal.h"

/* --- nodes ------------------------------------------------------------------------ */

static bool read_properties(struct cy_parser *parser, struct cy_expr **out)
{
    if (cy_is_sign(parser, 0, '$'))
        return cy_fail(parser->env, CY_SYNTAX, "InvalidParameterUse",
                       cy_here_token(parser)->at,
                       "a parameter cannot stand for the properties in MATCH");
    if (!cy_is_sign(parser, 0, '{'))
        return true;
    *out = cy_read_map(parser);
    return *out != NULL;
}

static bool read_node(struct cy_parser *parser, struct cy_node *node)
{
    node->at = cy_here_token(parser)->at;
    node->variable.slot = CY_NONE;
    node->variable.at = node->at;
    if (!cy_need_sign(parser, '('))
        return false;
    if (cy_is_sign(parser, 0, '('))
        return cy_unsupported(parser, "a path pattern in parentheses");
    if (cy_is_name_token(cy_here_token(parser)) &&
        !cy_need_variable(parser, &node->variable))
        return false;
    if (!cy_read_symbols(parser, false, &node->labels) ||
        !read_properties(parser, &node->properties))
        return false;
    if (cy_is_word(parser, 0, "WHERE"))
        return cy_unsupported(parser, "WHERE within a pattern");
    return cy_need_sign(parser, ')');
}

/* --- relationships ---------------------------------------------------------------- */

static bool read_hops(struct cy_parser *parser, uint32_t *out)
{
    const struct cy_token *token = cy_here_token(parser);
    if (token->kind != CY_T_INTEGER)
        return true;
    *out = token->number < UINT32_MAX ? (uint32_t)token->number : UINT32_MAX - 1;
    parser->at++;
    return true;
}

/* *, *2, *1..3, *..3, *1.. */
static bool read_length(struct cy_parser *parser, struct cy_relationship *relationship)
{
    relationship->min = 1;
    relationship->max = UINT32_MAX;
    if (!cy_take_sign(parser, '*'))
        return true;
    relationship->varies = true;
    bool counted = cy_here_token(parser)->kind == CY_T_INTEGER;
    (void)read_hops(parser, &relationship->min);
    if (cy_is_sign(parser, 0, '-'))
        return cy_fail(parser->env, CY_SYNTAX, "InvalidRelationshipPattern",
                       cy_here_token(parser)->at, "a length is not below 0");
    if (cy_take_sign(parser, CY_S_DOTS))
        return read_hops(parser, &relationship->max);
    if (counted)
        relationship->max = relationship->min;
    return true;
}

static bool read_inside(struct cy_parser *parser, struct cy_relationship *relationship)
{
    if (!cy_take_sign(parser, '['))
        return true;
    if (cy_is_name_token(cy_here_token(parser)) &&
        !cy_need_variable(parser, &relationship->variable))
        return false;
    if (!cy_read_symbols(parser, true, &relationship->types) ||
        !read_length(parser, relationship) ||
        !read_properties(parser, &relationship->properties))
        return false;
    if (cy_is_word(parser, 0, "WHERE"))
        return cy_unsupported(parser, "WHERE within a pattern");
    return cy_need_sign(parser, ']');
}

static bool read_relationship(struct cy_parser *parser,
                              struct cy_relationship *relationship)
{
    relationship->at = cy_here_token(parser)->at;
    relationship->variable.slot = CY_NONE;
    relationship->variable.at = relationship->at;
    relationship->min = 1;
    relationship->max = 1;
    relationship->to_left = cy_take_sign(parser, '<');
    if (!cy_need_sign(parser, '-'))
        return false;
    if (cy_is_sign(parser, 0, '[') && !read_inside(parser, relationship))
        return false;
    if (!relationship->varies)
        relationship->max = relationship->min = 1;
    if (!cy_need_sign(parser, '-'))
        return false;
    relationship->to_right = cy_take_sign(parser, '>');
    return true;
}

/* --- paths ------------------------------------------------------------------------ */

static bool relationship_begins(const struct cy_parser *parser)
{
    return cy_is_sign(parser, 0, '-') ||
           (cy_is_sign(parser, 0, '<') && cy_is_sign(parser, 1, '-'));
}

static bool read_steps(struct cy_parser *parser, struct cy_path *path)
{
    struct cy_grown nodes = {0};
    struct cy_grown relationships = {0};
    struct cy_node *node = cy_grow(parser, &nodes, sizeof(*node));
    path->at = cy_here_token(parser)->at;
    if (node == NULL || !read_node(parser, node))
        return false;
    while (relationship_begins(parser)) {
        struct cy_relationship *relationship =
            cy_grow(parser, &relationships, sizeof(*relationship));
        if (relationship == NULL || !read_relationship(parser, relationship))
            return false;
        node = cy_grow(parser, &nodes, sizeof(*node));
        if (node == NULL || !read_node(parser, node))
            return false;
    }
    path->nodes = nodes.items;
    path->relationships = relationships.items;
    path->relationship_count = relationships.count;
    return true;
}

static bool read_shortest(struct cy_parser *parser, struct cy_path *path)
{
    struct cy_at at = cy_here_token(parser)->at;
    path->shortest =
        cy_is_word(parser, 0, "shortestPath") ? CY_SHORTEST : CY_ALL_SHORTEST;
    parser->at++;
    if (!cy_need_sign(parser, '(') || !read_steps(parser, path) ||
        !cy_need_sign(parser, ')'))
        return false;
    return path->relationship_count == 1 ||
           cy_fail(parser->env, CY_SYNTAX, "InvalidRelationshipPattern", at,
                   "a shortest path has two nodes and one relationship");
}

static bool read_path(struct cy_parser *parser, struct cy_path *path)
{
    path->variable.slot = CY_NONE;
    if (cy_is_name_token(cy_here_token(parser)) && cy_is_sign(parser, 1, '=')) {
        if (!cy_need_variable(parser, &path->variable))
            return false;
        parser->at++;
    }
    if (cy_is_sign(parser, 1, '(') && (cy_is_word(parser, 0, "shortestPath") ||
                                       cy_is_word(parser, 0, "allShortestPaths")))
        return read_shortest(parser, path);
    return read_steps(parser, path);
}

struct cy_pattern *cy_read_pattern(struct cy_parser *parser)
{
    struct cy_pattern *pattern = cy_alloc(parser->env, sizeof(*pattern));
    struct cy_grown paths = {0};
    if (pattern == NULL)
        return NULL;
    pattern->at = cy_here_token(parser)->at;
    do {
        struct cy_path *path = cy_grow(parser, &paths, sizeof(*path));
        if (path == NULL || !read_path(parser, path))
            return NULL;
    } while (cy_take_sign(parser, ','));
    pattern->paths = paths.items;
    pattern->path_count = paths.count;
    return pattern;
}

struct cy_pattern *cy_read_path_alone(struct cy_parser *parser)
{
    struct cy_pattern *pattern = cy_alloc(parser->env, sizeof(*pattern));
    struct cy_path *path = cy_alloc(parser->env, sizeof(*path));
    if (pattern == NULL || path == NULL)
        return NULL;
    pattern->at = cy_here_token(parser)->at;
    pattern->paths = path;
    pattern->path_count = 1;
    return read_path(parser, path) ? pattern : NULL;
}

/* What stands between these parentheses can be a node: (), (n), (n:…), (n {…), (:…), ({…
 */
static bool like_node(const struct cy_token *open)
{
    const struct cy_token *first = open + 1;
    if (cy_is_name_token(first))
        first++;
    return first->kind == CY_T_SIGN && strchr(")}:{", first->sign & 0x7f) != NULL &&
           first->sign < 128 && first->sign != '}';
}

bool cy_path_begins(const struct cy_parser *parser)
{
    const struct cy_token *open = cy_here_token(parser);
    if (!cy_is_sign(parser, 0, '(') || open->match == 0 || !like_node(open))
        return false;
    const struct cy_token *next = &parser->tokens.items[open->match] + 1;
    if (next->kind == CY_T_SIGN && next->sign == '<')
        next++;
    if (next->kind != CY_T_SIGN || next->sign != '-')
        return false;
    next++;
    if (next->kind == CY_T_SIGN && next->sign == '[')
        return true;
    if (next->kind != CY_T_SIGN || next->sign != '-')
        return false;
    next++;
    if (next->kind == CY_T_SIGN && next->sign == '>')
        return true;
    return next->kind == CY_T_SIGN && next->sign == '(' && like_node(next);
}
