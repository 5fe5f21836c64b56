#include "services/graph/cypher/lexer.h"

#include <ctype.h>
#include <strings.h>
#include <utf8proc.h>

#include "services/graph/cypher/lexer_internal.h"
#include "services/graph/cypher/parse.h"

bool cy_is_name(unsigned char letter)
{
    return isalnum(letter) || letter == '_' || letter >= 0x80;
}

struct cy_at cy_here(struct cy_lexer *lexer)
{
    for (; lexer->counted < lexer->at; lexer->counted++)
        lexer->column += ((unsigned char)lexer->text[lexer->counted] & 0xc0) != 0x80;
    return (struct cy_at){lexer->line, lexer->column};
}

void cy_next_line(struct cy_lexer *lexer, uint32_t start)
{
    lexer->line++;
    lexer->column = 1;
    lexer->counted = start;
}

/* --- what is passed over ---------------------------------------------------------- */

static void advance(struct cy_lexer *lexer)
{
    if (lexer->text[lexer->at++] == '\n')
        cy_next_line(lexer, lexer->at);
}

/* White space beyond ASCII: bytes of the character, 0 if it is none. */
static uint32_t wide_space(const struct cy_lexer *lexer)
{
    utf8proc_int32_t letter;
    utf8proc_ssize_t size =
        utf8proc_iterate((const utf8proc_uint8_t *)lexer->text + lexer->at,
                         (utf8proc_ssize_t)(lexer->len - lexer->at), &letter);
    if (size < 2)
        return 0;
    utf8proc_category_t kind = utf8proc_category(letter);
    return kind == UTF8PROC_CATEGORY_ZS || kind == UTF8PROC_CATEGORY_ZL ||
                   kind == UTF8PROC_CATEGORY_ZP || letter == 0xfeff
               ? (uint32_t)size
               : 0;
}

static bool skip_comment(struct cy_lexer *lexer)
{
    struct cy_at at = cy_here(lexer);
    if (cy_peek(lexer, 1) == '/') {
        while (lexer->at < lexer->len && cy_peek(lexer, 0) != '\n')
            lexer->at++;
        return true;
    }
    lexer->at += 2;
    while (lexer->at < lexer->len &&
           !(cy_peek(lexer, 0) == '*' && cy_peek(lexer, 1) == '/'))
        advance(lexer);
    if (lexer->at >= lexer->len)
        return cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax", at,
                       "this comment does not end");
    lexer->at += 2;
    return true;
}

/* To the next word, or the end. */
static bool skip(struct cy_lexer *lexer)
{
    while (lexer->at < lexer->len) {
        unsigned char here = cy_peek(lexer, 0);
        unsigned char next = cy_peek(lexer, 1);
        if (here == '/' && (next == '/' || next == '*')) {
            if (!skip_comment(lexer))
                return false;
        } else if (here <= ' ') {
            advance(lexer);
        } else {
            uint32_t wide = here >= 0x80 ? wide_space(lexer) : 0;
            if (wide == 0)
                return true;
            lexer->at += wide;
        }
    }
    return true;
}

/* --- words ------------------------------------------------------------------------ */

static bool read_word(struct cy_lexer *lexer, struct cy_token *token)
{
    uint32_t start = lexer->at;
    while (cy_is_name(cy_peek(lexer, 0)) &&
           !(cy_peek(lexer, 0) >= 0x80 && wide_space(lexer)))
        lexer->at++;
    token->kind = CY_T_WORD;
    token->text = (struct sh_bytes){lexer->text + start, lexer->at - start};
    return true;
}

static bool read_sign(struct cy_lexer *lexer, struct cy_token *token)
{
    static const struct {
        char text[3];
        int sign;
    } pairs[] = {{"..", CY_S_DOTS},       {"<>", CY_S_UNEQUAL},
                 {"<=", CY_S_LESS_EQUAL}, {">=", CY_S_GREATER_EQUAL},
                 {"=~", CY_S_MATCHES},    {"+=", CY_S_ADD_ASSIGN}};
    unsigned char here = cy_peek(lexer, 0);
    token->kind = CY_T_SIGN;
    token->sign = here;
    if (strchr("()[]{}.,:;|+-*/%^=<>$!&", here) == NULL)
        return cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax", token->at,
                       "'%c' has no meaning here", isprint(here) ? here : '?');
    for (size_t i = 0; i < SH_COUNT(pairs); i++)
        if ((unsigned char)pairs[i].text[0] == here &&
            (unsigned char)pairs[i].text[1] == cy_peek(lexer, 1)) {
            token->sign = pairs[i].sign;
            lexer->at++;
            break;
        }
    lexer->at++;
    return true;
}

static bool read_token(struct cy_lexer *lexer, struct cy_token *token)
{
    unsigned char here = cy_peek(lexer, 0);
    *token = (struct cy_token){.start = lexer->at, .at = cy_here(lexer)};
    bool fine = true;
    if (isdigit(here) || (here == '.' && isdigit(cy_peek(lexer, 1))))
        fine = cy_lex_number(lexer, token);
    else if (cy_is_name(here))
        fine = read_word(lexer, token);
    else if (here == '\'' || here == '"')
        fine = cy_lex_string(lexer, token);
    else if (here == '`')
        fine = cy_lex_quoted(lexer, token);
    else
        fine = read_sign(lexer, token);
    token->end = lexer->at;
    return fine;
}

/* --- all of them ------------------------------------------------------------------ */

static char closing(int sign)
{
    switch (sign) {
    case '(':
        return ')';
    case '[':
        return ']';
    case '{':
        return '}';
    default:
        return '\0';
    }
}

/* Brackets that do not fit together are left for the parser, which can say more. */
static bool match_brackets(struct cy_env *env, struct cy_tokens *tokens)
{
    uint32_t *open = cy_array(env, tokens->count + 1, sizeof(*open));
    uint32_t depth = 0;
    if (open == NULL)
        return false;
    for (uint32_t i = 0; i < tokens->count; i++) {
        struct cy_token *token = &tokens->items[i];
        if (token->kind != CY_T_SIGN)
            continue;
        if (closing(token->sign) != '\0')
            open[depth++] = i;
        else if (depth > 0 && token->sign == closing(tokens->items[open[depth - 1]].sign))
            tokens->items[open[--depth]].match = i;
    }
    return true;
}

bool cy_lex(struct cy_env *env, struct sh_bytes text, struct cy_tokens *out)
{
    if (text.len > CY_TEXT_MAX)
        return cy_fail(env, CY_SYNTAX, NULL, (struct cy_at){0, 0},
                       "a query has at most %d bytes", CY_TEXT_MAX);
    char *copy = sh_arena_strndup(env->arena, text.data ? text.data : "", text.len);
    if (copy == NULL)
        return cy_fail_err(env, SH_NOMEM);
    out->text = (struct sh_bytes){copy, text.len};
    out->items = cy_array(env, text.len + 1, sizeof(*out->items));
    out->count = 0;
    if (out->items == NULL)
        return false;
    struct cy_lexer lexer = {
        .env = env, .text = copy, .len = (uint32_t)text.len, .line = 1, .column = 1};
    for (;;) {
        if (!skip(&lexer))
            return false;
        struct cy_token *token = &out->items[out->count++];
        if (lexer.at >= lexer.len) {
            *token = (struct cy_token){.kind = CY_T_END,
                                       .start = lexer.len,
                                       .end = lexer.len,
                                       .at = cy_here(&lexer)};
            return match_brackets(env, out);
        }
        if (!read_token(&lexer, token))
            return false;
    }
}

bool cy_token_is(const struct cy_token *token, const char *keyword)
{
    return token->kind == CY_T_WORD && strlen(keyword) == token->text.len &&
           strncasecmp(token->text.data, keyword, token->text.len) == 0;
}
