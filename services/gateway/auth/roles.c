#include "services/gateway/auth/roles.h"

#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/auth/roles_file.h"
#include "shared/mem.h"

struct role_table {
    struct role roles[ROLES_MAX];
    char names[ROLES_MAX][ROLE_NAME_MAX + 1];
    size_t count;
    size_t anonymous;
    struct role_table *older;
};

struct roles {
    _Atomic(const struct role_table *) now;
    struct role_table *newest; /* the list of all */
    _Atomic uint64_t version;
};

#define BIT(name) ((uint64_t)1 << PERMIT_##name)
#define READS     (BIT(SEARCH) | BIT(READ_DOCUMENTS) | BIT(READ_GLOSSARY))
#define KNOWN     (READS | BIT(SESSION) | BIT(EMBED) | BIT(READ_GRAPH))
#define WRITES    (BIT(WRITE_DOCUMENTS) | BIT(WRITE_GLOSSARY) | BIT(WRITE_GRAPH))
#define ALL_BITS  (((uint64_t)1 << PERMIT_COUNT) - 1 - BIT(UNSET) - BIT(PUBLIC))

/* clang-format off */
static const struct role built_in[] = {
    /* name, clearance, requests a minute and an hour, results, departments, may */
    {"anonymous", 1,  30,  300,  10, REACH_PUBLIC, READS},
    {"student",   2,  30,  500,  20, REACH_PUBLIC, KNOWN},
    {"staff",     3,  60, 1000,  50, REACH_OWN,    KNOWN | WRITES},
    {"academic",  4, 100, 2000, 100, REACH_ALL,    KNOWN | WRITES | BIT(VALIDATE_GLOSSARY)},
    {"admin",     5, 200, 5000, 200, REACH_ALL,    ALL_BITS},
};
/* clang-format on */

static const struct role operator_role = {"admin", 5,         200,     5000,
                                          200,     REACH_ALL, ALL_BITS};

const struct role *role_operator(void)
{
    return &operator_role;
}

bool permission_parse(struct sh_bytes name, enum permission *out)
{
    for (int i = PERMIT_PUBLIC + 1; i < PERMIT_COUNT; i++)
        if (sh_bytes_is(name, permission_name((enum permission)i))) {
            *out = (enum permission)i;
            return true;
        }
    return false;
}

/* --- a table ---------------------------------------------------------------------- */

const struct role *role_find(const struct role_table *table, struct sh_bytes name)
{
    for (size_t i = 0; i < table->count; i++)
        if (sh_bytes_is(name, table->names[i]))
            return &table->roles[i];
    return NULL;
}

const struct role *role_anonymous(const struct role_table *table)
{
    return &table->roles[table->anonymous];
}

size_t role_count(const struct role_table *table)
{
    return table->count;
}

const struct role *role_at(const struct role_table *table, size_t i)
{
    return &table->roles[i];
}

/* The name was checked. */
static void add(struct role_table *table, const char *name, const struct role *role)
{
    size_t i = table->count++;

    memcpy(table->names[i], name, strlen(name) + 1);
    table->roles[i] = *role;
    table->roles[i].name = table->names[i];
    if (role->departments == REACH_PUBLIC && role->clearance > PUBLIC_CLEARANCE)
        table->roles[i].clearance = PUBLIC_CLEARANCE;
    if (strcmp(name, "anonymous") == 0)
        table->anonymous = i;
}

static bool is_same(const struct role *a, const struct role *b)
{
    return strcmp(a->name, b->name) == 0 && a->clearance == b->clearance &&
           a->requests_per_minute == b->requests_per_minute &&
           a->requests_per_hour == b->requests_per_hour &&
           a->max_results == b->max_results && a->departments == b->departments &&
           a->permissions == b->permissions;
}

static bool are_same(const struct role_table *a, const struct role_table *b)
{
    bool same = a != NULL && a->count == b->count;

    for (size_t i = 0; same && i < a->count; i++)
        same = is_same(&a->roles[i], &b->roles[i]);
    return same;
}

/* Takes the table. One that says what is in force already goes at once. */
static void publish(struct roles *self, struct role_table *table)
{
    if (are_same(self->newest, table)) {
        sh_free(table);
        return;
    }
    table->older = self->newest;
    self->newest = table;
    atomic_store_explicit(&self->now, table, memory_order_release);
    atomic_fetch_add(&self->version, 1);
}

enum sh_err roles_create(struct roles **out)
{
    struct roles *self = sh_alloc(sizeof *self);
    struct role_table *table = sh_alloc(sizeof *table);

    *out = NULL;
    if (self == NULL || table == NULL) {
        sh_free(self);
        sh_free(table);
        return SH_NOMEM;
    }
    for (size_t i = 0; i < SH_COUNT(built_in); i++)
        add(table, built_in[i].name, &built_in[i]);
    publish(self, table);
    *out = self;
    return SH_OK;
}

void roles_free(struct roles **self)
{
    if (*self == NULL)
        return;
    while ((*self)->newest != NULL) {
        struct role_table *table = (*self)->newest;
        (*self)->newest = table->older;
        sh_free(table);
    }
    sh_free(*self);
    *self = NULL;
}

const struct role_table *roles_now(const struct roles *self)
{
    return atomic_load_explicit(&self->now, memory_order_acquire);
}

uint64_t roles_version(const struct roles *self)
{
    return atomic_load_explicit(&self->version, memory_order_acquire);
}

/* --- from a file ------------------------------------------------------------------ */

static void on_role(void *arg, const char *name, const struct role *role)
{
    add(arg, name, role);
}

enum sh_err roles_load(struct roles *self, struct sh_bytes json, char *why, size_t size)
{
    struct role_table *table = sh_alloc(sizeof *table);

    if (table == NULL) {
        (void)snprintf(why, size, "out of memory");
        return SH_NOMEM;
    }
    enum sh_err err = roles_read(json, on_role, table, why, size);
    if (err == SH_OK && role_find(table, sh_bytes_of("anonymous")) == NULL) {
        (void)snprintf(why, size, "there must be a role `anonymous`");
        err = SH_INVALID;
    }
    if (err == SH_OK)
        publish(self, table);
    else
        sh_free(table);
    return err;
}
