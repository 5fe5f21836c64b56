/* lexer_internal: what lexer.c and lexer_values.c share. */
#ifndef CYPHER_LEXER_INTERNAL_H
#define CYPHER_LEXER_INTERNAL_H

#include "services/graph/cypher/lexer.h"

struct cy_lexer {
    struct cy_env *env;
    const char *text;
    uint32_t len;
    uint32_t at;
    uint32_t line;
    uint32_t counted; /* up to here characters of the line were counted */
    uint32_t column;
};

/* The character so far from here; NUL behind the end. */
static inline unsigned char cy_peek(const struct cy_lexer *lexer, uint32_t ahead)
{
    uint64_t place = (uint64_t)lexer->at + ahead;
    return place < lexer->len ? (unsigned char)lexer->text[place] : '\0';
}

/* Columns count characters. */
struct cy_at cy_here(struct cy_lexer *lexer);
/* A line ended before `start`. */
void cy_next_line(struct cy_lexer *lexer, uint32_t start);
/* What may stand in a name; everything beyond ASCII may. */
bool cy_is_name(unsigned char letter);

/* Each reads what begins here into the token. */
bool cy_lex_number(struct cy_lexer *lexer, struct cy_token *token);
bool cy_lex_string(struct cy_lexer *lexer, struct cy_token *token);
bool cy_lex_quoted(struct cy_lexer *lexer, struct cy_token *token);

#endif
