#include "services/graph/cypher/check_internal.h"

uint32_t cy_new_slot(struct cy_checker *checker)
{
    return checker->query->slot_count++;
}

struct cy_variable *cy_find_variable(const struct cy_checker *checker,
                                     struct sh_bytes text)
{
    for (uint32_t i = checker->count; i > 0; i--)
        if (sh_bytes_equal(checker->scope[i - 1].text, text))
            return &checker->scope[i - 1];
    return NULL;
}

static bool grow(struct cy_checker *checker)
{
    uint32_t room = checker->room ? checker->room * 2 : 16;
    struct cy_variable *scope = cy_array(checker->env, room, sizeof(*scope));
    if (scope == NULL)
        return false;
    if (checker->count > 0)
        memcpy(scope, checker->scope, checker->count * sizeof(*scope));
    checker->scope = scope;
    checker->room = room;
    return true;
}

bool cy_declare(struct cy_checker *checker, struct cy_name *name, enum cy_known known)
{
    if (checker->count == checker->room && !grow(checker))
        return false;
    if (name->slot == CY_NONE)
        name->slot = cy_new_slot(checker);
    checker->scope[checker->count++] =
        (struct cy_variable){name->text, name->slot, known};
    return true;
}

bool cy_declare_new(struct cy_checker *checker, struct cy_name *name, enum cy_known known)
{
    if (cy_find_variable(checker, name->text) != NULL)
        return cy_fail(checker->env, CY_SYNTAX, "VariableAlreadyBound", name->at,
                       "there is a variable '%.*s' already", (int)name->text.len,
                       (const char *)name->text.data);
    return cy_declare(checker, name, known);
}
