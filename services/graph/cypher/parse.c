#include "services/graph/cypher/parse.h"

#include "services/graph/cypher/parse_internal.h"

/* --- what is refused -------------------------------------------------------------- */

static bool refuse_write(struct cy_parser *parser)
{
    static const char *const words[] = {"CREATE", "MERGE",   "SET",  "DELETE", "REMOVE",
                                        "DETACH", "FOREACH", "DROP", "ALTER",  "GRANT"};
    for (size_t i = 0; i < SH_COUNT(words); i++)
        if (cy_is_word(parser, 0, words[i]))
            return cy_fail(parser->env, CY_WRITE, NULL, cy_here_token(parser)->at,
                           "%s would change the graph; queries here only read", words[i]);
    return true;
}

static bool refuse_unknown(struct cy_parser *parser)
{
    static const char *const words[] = {"LOAD",  "EXPLAIN", "PROFILE", "USE",
                                        "USING", "SHOW",    "FINISH",  "CYPHER"};
    for (size_t i = 0; i < SH_COUNT(words); i++)
        if (cy_is_word(parser, 0, words[i]))
            return cy_unsupported(parser, words[i]);
    return cy_unexpected(parser);
}

/* --- clauses ---------------------------------------------------------------------- */

static bool read_match(struct cy_parser *parser, struct cy_clause *clause)
{
    clause->kind = CY_MATCH;
    clause->pattern = cy_read_pattern(parser);
    if (clause->pattern == NULL)
        return false;
    if (cy_is_word(parser, 0, "USING"))
        return cy_unsupported(parser, "USING");
    return !cy_take_word(parser, "WHERE") ||
           (clause->where = cy_read_expr(parser)) != NULL;
}

static bool read_unwind(struct cy_parser *parser, struct cy_clause *clause)
{
    clause->kind = CY_UNWIND;
    clause->expr = cy_read_expr(parser);
    return clause->expr != NULL && cy_need_word(parser, "AS") &&
           cy_need_variable(parser, &clause->variable);
}

static bool read_clause(struct cy_parser *parser, struct cy_clause *clause)
{
    clause->at = cy_here_token(parser)->at;
    clause->variable.slot = CY_NONE;
    if (cy_take_word(parser, "OPTIONAL")) {
        clause->optional = true;
        if (cy_is_word(parser, 0, "CALL"))
            return cy_unsupported(parser, "OPTIONAL CALL");
        return cy_need_word(parser, "MATCH") && read_match(parser, clause);
    }
    if (cy_take_word(parser, "MATCH"))
        return read_match(parser, clause);
    if (cy_take_word(parser, "UNWIND"))
        return read_unwind(parser, clause);
    if (cy_is_word(parser, 0, "WITH") || cy_is_word(parser, 0, "RETURN")) {
        clause->kind = cy_is_word(parser, 0, "WITH") ? CY_WITH : CY_RETURN;
        parser->at++;
        return cy_read_projection(parser, clause);
    }
    if (cy_take_word(parser, "CALL")) {
        clause->kind = CY_PROCEDURE;
        return cy_read_procedure(parser, clause);
    }
    if (parser->clauses == 0 && cy_take_word(parser, "SHOW")) {
        clause->kind = CY_PROCEDURE;
        return cy_read_show(parser, clause);
    }
    return refuse_write(parser) && refuse_unknown(parser);
}

/* --- queries ---------------------------------------------------------------------- */

static bool ends(const struct cy_parser *parser)
{
    return cy_here_token(parser)->kind == CY_T_END || cy_is_word(parser, 0, "UNION") ||
           cy_is_sign(parser, 0, ';');
}

/* The last clause returns something; one that CALLs, alone, may be without. */
static bool check_end(struct cy_parser *parser, const struct cy_single *single)
{
    const struct cy_clause *last = &single->clauses[single->clause_count - 1];
    for (uint32_t i = 0; i + 1 < single->clause_count; i++)
        if (single->clauses[i].kind == CY_RETURN)
            return cy_fail(parser->env, CY_SYNTAX, "InvalidClauseComposition",
                           single->clauses[i + 1].at, "nothing can follow RETURN");
    if (last->kind == CY_RETURN ||
        (last->kind == CY_PROCEDURE && single->clause_count == 1))
        return true;
    return cy_fail(parser->env, CY_SYNTAX, "InvalidClauseComposition",
                   cy_here_token(parser)->at, "the query does not end with RETURN");
}

static bool read_single(struct cy_parser *parser, struct cy_single *single)
{
    struct cy_grown clauses = {0};
    do {
        struct cy_clause *clause = cy_grow(parser, &clauses, sizeof(*clause));
        if (clause == NULL || !read_clause(parser, clause))
            return false;
        if (parser->clauses++ >= CY_CLAUSES_MAX)
            return cy_fail(parser->env, CY_UNSUPPORTED, NULL, clause->at,
                           "a query has at most %d clauses", CY_CLAUSES_MAX);
    } while (!ends(parser));
    single->clauses = clauses.items;
    single->clause_count = clauses.count;
    return check_end(parser, single);
}

static bool read_query(struct cy_parser *parser, struct cy_query *query)
{
    struct cy_grown singles = {0};
    bool all = false;
    do {
        struct cy_single *single = cy_grow(parser, &singles, sizeof(*single));
        if (single == NULL || !read_single(parser, single))
            return false;
        if (singles.count > 2 && all != single[-1].all)
            return cy_fail(parser->env, CY_SYNTAX, "InvalidClauseComposition",
                           single->clauses[0].at, "UNION and UNION ALL cannot be mixed");
        single->all = all;
        if (!cy_take_word(parser, "UNION"))
            break;
        all = cy_take_word(parser, "ALL");
    } while (true);
    query->singles = singles.items;
    query->single_count = singles.count;
    return true;
}

bool cy_parse(struct cy_env *env, struct sh_bytes text, struct cy_query **out)
{
    struct cy_parser parser = {.env = env};
    *out = cy_alloc(env, sizeof(**out));
    if (*out == NULL || !cy_lex(env, text, &parser.tokens))
        return false;
    (*out)->explain = cy_take_word(&parser, "EXPLAIN");
    if (!read_query(&parser, *out))
        return false;
    while (cy_take_sign(&parser, ';'))
        ;
    return cy_here_token(&parser)->kind == CY_T_END || cy_unexpected(&parser);
}
