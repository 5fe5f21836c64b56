/* lexer: the words of a query. They are all read before the parser begins, so that it can
 * look ahead as far as it likes, and each bracket knows the one that closes it. */
#ifndef CYPHER_LEXER_H
#define CYPHER_LEXER_H

#include "services/graph/cypher/env.h"

enum cy_token_kind {
    CY_T_END,
    CY_T_WORD,    /* a name or keyword; text as written */
    CY_T_QUOTED,  /* `a name`; text without the quotes */
    CY_T_STRING,  /* text: its value */
    CY_T_INTEGER, /* number */
    CY_T_FLOAT,   /* real */
    CY_T_SIGN,    /* sign */
};

/* Signs of more than one character; the others are themselves. */
enum {
    CY_S_DOTS = 256,    /* .. */
    CY_S_UNEQUAL,       /* <> */
    CY_S_LESS_EQUAL,    /* <= */
    CY_S_GREATER_EQUAL, /* >= */
    CY_S_MATCHES,       /* =~ */
    CY_S_ADD_ASSIGN,    /* += */
};

struct cy_token {
    enum cy_token_kind kind;
    int sign;
    struct sh_bytes text; /* of a name or string its value, else as written */
    uint32_t start;       /* bytes of the query */
    uint32_t end;
    uint64_t number;
    double real;
    uint32_t match; /* of an opening bracket: the token that closes it; 0: none does */
    struct cy_at at;
};

struct cy_tokens {
    struct cy_token *items; /* the last one is CY_T_END */
    uint32_t count;
    struct sh_bytes text; /* of the query; lies in the arena */
};

/* Fails with CY_SYNTAX. */
bool cy_lex(struct cy_env *env, struct sh_bytes text, struct cy_tokens *out);
/* Whether it is this keyword, in whatever case; quoted names are none. */
bool cy_token_is(const struct cy_token *token, const char *keyword);

#endif
