/* parse_internal: what the files of the parser share. Each function that reads something
 * moves behind it; false or NULL: it failed, and env->error says how. */
#ifndef CYPHER_PARSE_INTERNAL_H
#define CYPHER_PARSE_INTERNAL_H

#include "services/graph/cypher/lexer.h"
#include "services/graph/cypher/parse.h"

struct cy_parser {
    struct cy_env *env;
    struct cy_tokens tokens;
    uint32_t at;
    uint32_t depth; /* of what is being read */
    uint32_t clauses;
};

/* An array that grows: `items` of `size` bytes in the arena. */
struct cy_grown {
    void *items;
    uint32_t count;
    uint32_t room;
};

/* --- words (parse_words.c) -------------------------------------------------------- */

/* The token so many ahead; the end stays the end. */
const struct cy_token *cy_ahead(const struct cy_parser *parser, uint32_t count);
static inline const struct cy_token *cy_here_token(const struct cy_parser *parser)
{
    return &parser->tokens.items[parser->at];
}
bool cy_is_sign(const struct cy_parser *parser, uint32_t ahead, int sign);
bool cy_is_word(const struct cy_parser *parser, uint32_t ahead, const char *keyword);
bool cy_take_sign(struct cy_parser *parser, int sign);
bool cy_take_word(struct cy_parser *parser, const char *keyword);
bool cy_need_sign(struct cy_parser *parser, int sign);
bool cy_need_word(struct cy_parser *parser, const char *keyword);
/* A name: any word, also a quoted one. */
bool cy_is_name_token(const struct cy_token *token);
bool cy_need_name(struct cy_parser *parser, struct sh_bytes *out);
bool cy_need_variable(struct cy_parser *parser, struct cy_name *out);
/* "x was not expected here". Always false. */
bool cy_unexpected(struct cy_parser *parser);
bool cy_unsupported(struct cy_parser *parser, const char *what);
/* One level further down; false: too far. Each is followed by parser->depth--. */
bool cy_descend(struct cy_parser *parser);
/* Room for one more, zeroed; NULL: failed. */
void *cy_grow(struct cy_parser *parser, struct cy_grown *grown, size_t size);
/* `:A:B` or, for types, `:A|B`. */
bool cy_read_symbols(struct cy_parser *parser, bool types, struct cy_symbols *out);

/* --- expressions (parse_expr.c, parse_atom.c, parse_call.c) ----------------------- */

struct cy_expr *cy_read_expr(struct cy_parser *parser);
struct cy_expr *cy_read_atom(struct cy_parser *parser);
struct cy_expr *cy_read_call(struct cy_parser *parser);
struct cy_expr *cy_read_case(struct cy_parser *parser);
struct cy_expr *cy_read_bracketed(struct cy_parser *parser); /* [ … */
struct cy_expr *cy_read_map(struct cy_parser *parser);
/* all(…), reduce(…), EXISTS { … }: NULL without a failure: it is none of them. */
struct cy_expr *cy_read_special(struct cy_parser *parser);
struct cy_expr *cy_make(struct cy_parser *parser, enum cy_kind kind, struct cy_at at);
/* Children are known: its height. NULL: too high. */
struct cy_expr *cy_made(struct cy_parser *parser, struct cy_expr *expr);

/* --- patterns (parse_pattern.c) --------------------------------------------------- */

/* Whether a path with at least one relationship begins here, and no expression. */
bool cy_path_begins(const struct cy_parser *parser);
struct cy_pattern *cy_read_pattern(struct cy_parser *parser);
/* A pattern of the one path that begins here, without a variable. */
struct cy_pattern *cy_read_path_alone(struct cy_parser *parser);

/* --- clauses (parse.c, parse_projection.c) ---------------------------------------- */

bool cy_read_projection(struct cy_parser *parser, struct cy_clause *clause);
bool cy_read_procedure(struct cy_parser *parser, struct cy_clause *clause);
/* What follows SHOW, as the call of a procedure. */
bool cy_read_show(struct cy_parser *parser, struct cy_clause *clause);

#endif
