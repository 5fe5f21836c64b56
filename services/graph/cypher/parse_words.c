#include "services/graph/cypher/parse_internal.h"

const struct cy_token *cy_ahead(const struct cy_parser *parser, uint32_t count)
{
    uint32_t left = parser->tokens.count - 1 - parser->at;
    return &parser->tokens.items[parser->at + (count < left ? count : left)];
}

bool cy_is_sign(const struct cy_parser *parser, uint32_t ahead, int sign)
{
    const struct cy_token *token = cy_ahead(parser, ahead);
    return token->kind == CY_T_SIGN && token->sign == sign;
}

bool cy_is_word(const struct cy_parser *parser, uint32_t ahead, const char *keyword)
{
    return cy_token_is(cy_ahead(parser, ahead), keyword);
}

bool cy_take_sign(struct cy_parser *parser, int sign)
{
    if (!cy_is_sign(parser, 0, sign))
        return false;
    parser->at++;
    return true;
}

bool cy_take_word(struct cy_parser *parser, const char *keyword)
{
    if (!cy_is_word(parser, 0, keyword))
        return false;
    parser->at++;
    return true;
}

static bool unexpected(struct cy_parser *parser, const char *wanted)
{
    const struct cy_token *token = cy_here_token(parser);
    const char *text = parser->tokens.text.data;
    uint32_t len = token->end - token->start;
    if (token->kind == CY_T_END)
        return cy_fail(parser->env, CY_SYNTAX, "UnexpectedSyntax", token->at,
                       "the query ends where %s was expected",
                       wanted ? wanted : "something more");
    return cy_fail(parser->env, CY_SYNTAX, "UnexpectedSyntax", token->at,
                   wanted ? "'%.*s' stands where %s was expected"
                          : "'%.*s' was not expected here%s",
                   (int)(len < 40 ? len : 40), text + token->start, wanted ? wanted : "");
}

bool cy_unexpected(struct cy_parser *parser)
{
    return unexpected(parser, NULL);
}

bool cy_unsupported(struct cy_parser *parser, const char *what)
{
    return cy_fail(parser->env, CY_UNSUPPORTED, NULL, cy_here_token(parser)->at,
                   "%s is not supported here", what);
}

bool cy_need_sign(struct cy_parser *parser, int sign)
{
    char wanted[4] = {'\'', (char)sign, '\'', '\0'};
    return cy_take_sign(parser, sign) ||
           unexpected(parser, sign < 256 ? wanted : "something else");
}

bool cy_need_word(struct cy_parser *parser, const char *keyword)
{
    return cy_take_word(parser, keyword) || unexpected(parser, keyword);
}

bool cy_is_name_token(const struct cy_token *token)
{
    return token->kind == CY_T_WORD || token->kind == CY_T_QUOTED;
}

bool cy_need_name(struct cy_parser *parser, struct sh_bytes *out)
{
    if (!cy_is_name_token(cy_here_token(parser)))
        return unexpected(parser, "a name");
    *out = cy_here_token(parser)->text;
    parser->at++;
    return true;
}

bool cy_need_variable(struct cy_parser *parser, struct cy_name *out)
{
    *out = (struct cy_name){.at = cy_here_token(parser)->at, .slot = CY_NONE};
    return cy_need_name(parser, &out->text);
}

bool cy_descend(struct cy_parser *parser)
{
    if (parser->depth++ < CY_NESTING_MAX)
        return true;
    return cy_fail(parser->env, CY_SYNTAX, NULL, cy_here_token(parser)->at,
                   "this is nested more than %d deep", CY_NESTING_MAX);
}

void *cy_grow(struct cy_parser *parser, struct cy_grown *grown, size_t size)
{
    if (grown->count == grown->room) {
        uint32_t room = grown->room ? grown->room * 2 : 4;
        void *items = cy_array(parser->env, room, size);
        if (items == NULL)
            return NULL;
        if (grown->count > 0)
            memcpy(items, grown->items, grown->count * size);
        grown->items = items;
        grown->room = room;
    }
    return (char *)grown->items + grown->count++ * size;
}

bool cy_read_symbols(struct cy_parser *parser, bool types, struct cy_symbols *out)
{
    struct cy_grown texts = {0};
    int between = types ? '|' : ':';
    if (!cy_take_sign(parser, ':'))
        return true;
    do {
        if (types)
            (void)cy_take_sign(parser, ':'); /* A|:B is the older way to write A|B */
        struct sh_bytes *text = cy_grow(parser, &texts, sizeof(*text));
        if (text == NULL || !cy_need_name(parser, text))
            return false;
        if (!types && cy_is_sign(parser, 0, '|'))
            return cy_unsupported(parser, "a choice of labels");
        if (cy_is_sign(parser, 0, '&'))
            return cy_unsupported(parser, "an expression of labels");
    } while (cy_take_sign(parser, between));
    out->texts = texts.items;
    out->count = texts.count;
    out->numbers = cy_array(parser->env, texts.count, sizeof(*out->numbers));
    return out->numbers != NULL;
}
