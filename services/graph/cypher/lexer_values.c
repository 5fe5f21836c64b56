/* Numbers, strings and quoted names. */
#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <utf8proc.h>

#include "services/graph/cypher/lexer_internal.h"

/* --- numbers ---------------------------------------------------------------------- */

static bool bad_number(struct cy_lexer *lexer, const struct cy_token *token)
{
    return cy_fail(lexer->env, CY_SYNTAX, "InvalidNumberLiteral", token->at,
                   "this is not a number");
}

static int digit_of(unsigned char letter)
{
    if (isdigit(letter))
        return letter - '0';
    return isalpha(letter) ? tolower(letter) - 'a' + 10 : 99;
}

/* Up to 2^63, which is one too many unless a minus stands before it. */
static bool read_integer(struct cy_lexer *lexer, struct cy_token *token, unsigned base)
{
    const uint64_t most = (uint64_t)INT64_MAX + 1;
    uint64_t number = 0;
    uint32_t digits = 0;
    while (digit_of(cy_peek(lexer, 0)) < (int)base) {
        unsigned digit = (unsigned)digit_of(cy_peek(lexer, 0));
        if (number > (most - digit) / base)
            return cy_fail(lexer->env, CY_SYNTAX, "IntegerOverflow", token->at,
                           "this number is too large: an integer has 64 bits");
        number = number * base + digit;
        lexer->at++;
        digits++;
    }
    token->kind = CY_T_INTEGER;
    token->number = number;
    return (digits > 0 && !cy_is_name(cy_peek(lexer, 0))) || bad_number(lexer, token);
}

static void skip_digits(struct cy_lexer *lexer)
{
    while (isdigit(cy_peek(lexer, 0)))
        lexer->at++;
}

/* Whether digits, a point and an exponent make a float of it; 1..2 is two integers. */
static bool skip_real(struct cy_lexer *lexer)
{
    bool real = false;
    skip_digits(lexer);
    if (cy_peek(lexer, 0) == '.' && isdigit(cy_peek(lexer, 1))) {
        real = true;
        lexer->at++;
        skip_digits(lexer);
    }
    unsigned char sign = cy_peek(lexer, 1);
    if (tolower(cy_peek(lexer, 0)) == 'e' &&
        (isdigit(sign) || ((sign == '-' || sign == '+') && isdigit(cy_peek(lexer, 2))))) {
        real = true;
        lexer->at += 2;
        skip_digits(lexer);
    }
    return real;
}

static bool read_real(struct cy_lexer *lexer, struct cy_token *token)
{
    token->kind = CY_T_FLOAT;
    token->real = strtod(lexer->text + token->start, NULL);
    if (isinf(token->real))
        return cy_fail(lexer->env, CY_SYNTAX, "FloatingPointOverflow", token->at,
                       "this number is too large for a float");
    return !cy_is_name(cy_peek(lexer, 0)) || bad_number(lexer, token);
}

bool cy_lex_number(struct cy_lexer *lexer, struct cy_token *token)
{
    int mark = tolower(cy_peek(lexer, 1));
    if (cy_peek(lexer, 0) == '0' && (mark == 'x' || mark == 'o')) {
        lexer->at += 2;
        return read_integer(lexer, token, mark == 'x' ? 16 : 8);
    }
    if (skip_real(lexer))
        return read_real(lexer, token);
    lexer->at = token->start;
    return read_integer(lexer, token, 10);
}

/* --- strings ---------------------------------------------------------------------- */

/* \uXXXX or \UXXXXXXXX; appended as UTF-8. */
static bool read_code(struct cy_lexer *lexer, struct cy_at at, uint32_t digits, char *out,
                      size_t *len)
{
    utf8proc_int32_t code = 0;
    for (uint32_t i = 0; i < digits; i++, lexer->at++) {
        unsigned char digit = cy_peek(lexer, 0);
        if (!isxdigit(digit) || code > 0x10ffff)
            return cy_fail(lexer->env, CY_SYNTAX, "InvalidUnicodeLiteral", at,
                           "\\%c needs %u hexadecimal digits", digits == 4 ? 'u' : 'U',
                           digits);
        code = code * 16 + digit_of(digit);
    }
    if (code == 0 || !utf8proc_codepoint_valid(code))
        return cy_fail(lexer->env, CY_SYNTAX, "InvalidUnicodeLiteral", at,
                       "there is no such character");
    *len += (size_t)utf8proc_encode_char(code, (utf8proc_uint8_t *)out + *len);
    return true;
}

static bool read_escape(struct cy_lexer *lexer, char *out, size_t *len)
{
    static const char letters[] = "\\'\"`bfnrt";
    static const char values[] = "\\'\"`\b\f\n\r\t";
    struct cy_at at = cy_here(lexer);
    unsigned char letter = cy_peek(lexer, 1);
    lexer->at += 2;
    if (letter == 'u' || letter == 'U')
        return read_code(lexer, at, letter == 'u' ? 4 : 8, out, len);
    const char *found = letter ? strchr(letters, letter) : NULL;
    if (found == NULL)
        return cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax", at,
                       "there is no such escape in a string");
    out[(*len)++] = values[found - letters];
    return true;
}

static void next_line(struct cy_lexer *lexer)
{
    if (lexer->text[lexer->at++] == '\n')
        cy_next_line(lexer, lexer->at);
}

/* Room for what stands up to the next such quote. No escape is shorter than what it
 * stands for. */
static char *room(struct cy_lexer *lexer, unsigned char quote)
{
    uint32_t ahead = 1;
    while (lexer->at + ahead < lexer->len && cy_peek(lexer, ahead) != quote)
        ahead += quote != '`' && cy_peek(lexer, ahead) == '\\' ? 2 : 1;
    return cy_alloc(lexer->env, ahead + 1);
}

bool cy_lex_string(struct cy_lexer *lexer, struct cy_token *token)
{
    unsigned char quote = cy_peek(lexer, 0);
    char *out = room(lexer, quote);
    size_t len = 0;
    if (out == NULL)
        return false;
    lexer->at++;
    while (lexer->at < lexer->len && cy_peek(lexer, 0) != quote) {
        if (cy_peek(lexer, 0) == '\\') {
            if (!read_escape(lexer, out, &len))
                return false;
        } else {
            out[len++] = (char)cy_peek(lexer, 0);
            next_line(lexer);
        }
    }
    if (lexer->at >= lexer->len)
        return cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax", token->at,
                       "this string does not end");
    lexer->at++;
    token->kind = CY_T_STRING;
    token->text = (struct sh_bytes){out, len};
    return true;
}

/* Within, two quotes are one: `a``b`. Each part has room of its own. */
static bool read_part(struct cy_lexer *lexer, struct sh_bytes *name)
{
    char *part = room(lexer, '`');
    size_t len = 0;
    if (part == NULL)
        return false;
    lexer->at++;
    while (lexer->at < lexer->len && cy_peek(lexer, 0) != '`') {
        part[len++] = (char)cy_peek(lexer, 0);
        next_line(lexer);
    }
    if (name->len == 0) {
        *name = (struct sh_bytes){part, len};
        return true;
    }
    char *both = cy_alloc(lexer->env, name->len + 1 + len);
    if (both == NULL)
        return false;
    memcpy(both, name->data, name->len);
    both[name->len] = '`';
    memcpy(both + name->len + 1, part, len);
    *name = (struct sh_bytes){both, name->len + 1 + len};
    return true;
}

bool cy_lex_quoted(struct cy_lexer *lexer, struct cy_token *token)
{
    do {
        if (!read_part(lexer, &token->text))
            return false;
        if (lexer->at >= lexer->len)
            return cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax", token->at,
                           "this quoted name does not end");
        lexer->at++;
    } while (cy_peek(lexer, 0) == '`');
    token->kind = CY_T_QUOTED;
    return token->text.len > 0 || cy_fail(lexer->env, CY_SYNTAX, "UnexpectedSyntax",
                                          token->at, "a quoted name is empty");
}
