/* roles: what each role may do, from a table of our own or from ROLES_FILE. The table in
 * force is immutable and swapped whole; one that was replaced stays until the end,
 * because requests under way still read it: that costs a few KB for each file that
 * differed. Reading: any thread. Loading: one at a time. */
#ifndef GATEWAY_ROLES_H
#define GATEWAY_ROLES_H

#include "services/gateway/router.h"
#include "shared/bytes.h"
#include "shared/err.h"

/* Whose passages above level 2 a role reaches. */
enum role_reach { REACH_PUBLIC, REACH_OWN, REACH_ALL };

enum { ROLE_NAME_MAX = 64, ROLES_MAX = 64, PUBLIC_CLEARANCE = 2 };

struct role {
    const char *name;
    uint32_t clearance; /* 1 to 5; at most PUBLIC_CLEARANCE with REACH_PUBLIC */
    uint32_t requests_per_minute;
    uint32_t requests_per_hour;
    uint32_t max_results;
    enum role_reach departments;
    uint64_t permissions; /* a bit each, of enum permission */
};

struct role_table;
struct roles;

/* The table that is built in. Errors: SH_NOMEM. */
SH_CHECK enum sh_err roles_create(struct roles **out);
/* No reader is left. NULL is fine. */
void roles_free(struct roles **self);
/* Take over a file's text. What was in force stays on an error, and `why` says where the
 * fault is. Errors: SH_INVALID, SH_TOOBIG, SH_NOMEM. */
SH_CHECK enum sh_err roles_load(struct roles *self, struct sh_bytes json, char *why,
                                size_t size);
/* The same from a file; SH_IO when it cannot be read. */
SH_CHECK enum sh_err roles_load_file(struct roles *self, const char *path, char *why,
                                     size_t size);

/* The table in force; valid until roles_free(). */
const struct role_table *roles_now(const struct roles *self);
/* Another number for each table. */
uint64_t roles_version(const struct roles *self);
/* NULL when there is no such role. */
const struct role *role_find(const struct role_table *table, struct sh_bytes name);
/* In every table: who shows nothing. */
const struct role *role_anonymous(const struct role_table *table);
/* In no table: who reaches a trusted port. May do everything, whatever a file says. */
const struct role *role_operator(void);
size_t role_count(const struct role_table *table);
const struct role *role_at(const struct role_table *table, size_t i);

static inline uint64_t permission_bit(enum permission permission)
{
    return (uint64_t)1 << permission;
}

static inline bool role_may(const struct role *role, enum permission permission)
{
    return permission == PERMIT_PUBLIC ||
           (role->permissions & permission_bit(permission)) != 0;
}

/* False: there is no such permission that can be given. */
bool permission_parse(struct sh_bytes name, enum permission *out);

#endif
