/* The variables of patterns. */
#include "services/graph/cypher/check_internal.h"

static bool conflict(struct cy_checker *checker, const struct cy_name *name)
{
    return cy_fail(checker->env, CY_SYNTAX, "VariableTypeConflict", name->at,
                   "the variable '%.*s' stands for something else already",
                   (int)name->text.len, (const char *)name->text.data);
}

static bool undefined(struct cy_checker *checker, const struct cy_name *name)
{
    return cy_fail(checker->env, CY_SYNTAX, "UndefinedVariable", name->at,
                   "there is no variable '%.*s'", (int)name->text.len,
                   (const char *)name->text.data);
}

/* `before`: as many variables were there when the pattern began. */
static bool declare_node(struct cy_checker *checker, struct cy_node *node,
                         uint32_t before, bool closed)
{
    struct cy_name *name = &node->variable;
    if (name->text.len == 0) {
        name->slot = cy_new_slot(checker);
        return true;
    }
    const struct cy_variable *known = cy_find_variable(checker, name->text);
    if (known == NULL)
        return closed ? undefined(checker, name) : cy_declare(checker, name, CY_K_NODE);
    if (known->known != CY_K_NODE && known->known != CY_K_ANY)
        return conflict(checker, name);
    name->slot = known->slot;
    name->bound = known < checker->scope + before;
    return true;
}

static bool declare_relationship(struct cy_checker *checker,
                                 struct cy_relationship *relationship, uint32_t before,
                                 bool closed)
{
    struct cy_name *name = &relationship->variable;
    enum cy_known known = relationship->varies ? CY_K_RELATIONSHIPS : CY_K_RELATIONSHIP;
    if (name->text.len == 0) {
        name->slot = cy_new_slot(checker);
        return true;
    }
    const struct cy_variable *there = cy_find_variable(checker, name->text);
    if (there == NULL)
        return closed ? undefined(checker, name) : cy_declare(checker, name, known);
    bool listed = relationship->varies && there->known == CY_K_OTHER;
    if (there->known != known && there->known != CY_K_ANY && !listed)
        return conflict(checker, name);
    if (there >= checker->scope + before)
        return cy_fail(checker->env, CY_SYNTAX, "RelationshipUniquenessViolation",
                       name->at,
                       "a relationship can stand in a pattern only once: '%.*s'",
                       (int)name->text.len, (const char *)name->text.data);
    name->slot = there->slot;
    name->bound = true;
    return true;
}

static bool declare_path(struct cy_checker *checker, struct cy_path *path,
                         uint32_t before, bool closed)
{
    for (uint32_t i = 0; i <= path->relationship_count; i++) {
        if (!declare_node(checker, &path->nodes[i], before, closed))
            return false;
        if (i < path->relationship_count &&
            !declare_relationship(checker, &path->relationships[i], before, closed))
            return false;
    }
    return path->variable.text.len == 0 ||
           cy_declare_new(checker, &path->variable, CY_K_PATH);
}

/* --- names in the graph ----------------------------------------------------------- */

static void find_symbols(const struct symbols *symbols, struct cy_symbols *names)
{
    for (uint32_t i = 0; i < names->count; i++)
        if (!symbols_find(symbols, names->texts[i], &names->numbers[i]))
            names->numbers[i] = CY_NONE;
}

static bool check_path(struct cy_checker *checker, struct cy_path *path)
{
    const struct graph *graph = checker->env->reader->graph;
    for (uint32_t i = 0; i <= path->relationship_count; i++) {
        struct cy_node *node = &path->nodes[i];
        find_symbols(graph_labels(graph), &node->labels);
        if (node->properties != NULL && !cy_check_expr(checker, node->properties))
            return false;
        if (i == path->relationship_count)
            break;
        struct cy_relationship *relationship = &path->relationships[i];
        find_symbols(graph_types(graph), &relationship->types);
        if (relationship->properties != NULL &&
            !cy_check_expr(checker, relationship->properties))
            return false;
    }
    return true;
}

bool cy_check_pattern(struct cy_checker *checker, struct cy_pattern *pattern, bool closed)
{
    uint32_t before = checker->count;
    for (uint32_t i = 0; i < pattern->path_count; i++)
        if (!declare_path(checker, &pattern->paths[i], before, closed))
            return false;
    for (uint32_t i = 0; i < pattern->path_count; i++)
        if (!check_path(checker, &pattern->paths[i]))
            return false;
    return true;
}
