#include "services/gateway/identity.h"

enum { CALLER_SCHEMA = 1 };

#define AT(member) offsetof(struct identity_user, member)
static const struct schema_field user_fields[] = {
    {.name = "user_id", .type = SCHEMA_TEXT, .offset = AT(user_id), .most = 64},
    {.name = "username", .type = SCHEMA_TEXT, .offset = AT(username), .most = 64},
    {.name = "role",
     .type = SCHEMA_TEXT,
     .offset = AT(role),
     .most = 64,
     .bytes = 64,
     .help = "anonymous, student, staff, academic or admin"},
    {.name = "department", .type = SCHEMA_TEXT, .offset = AT(department), .most = 64},
    {.name = "campus", .type = SCHEMA_TEXT, .offset = AT(campus), .most = 64},
};

const struct schema identity_user_schema = {
    "User", "Who the search is for; nobody in particular when absent.",
    sizeof(struct identity_user), user_fields, SH_COUNT(user_fields)};

static void grant(struct caller *caller, const struct role *role)
{
    caller->schema = CALLER_SCHEMA;
    caller->role = sh_bytes_of(role->name);
    caller->clearance = role->clearance;
    caller->all_departments = role->departments == REACH_ALL;
}

static void name(struct caller *caller, const struct identity_user *user)
{
    caller->user_id = user->user_id;
    caller->username = user->username;
    caller->department = user->department;
    caller->campus = user->campus;
}

/* Who says nothing of their role has the least. */
static const struct role *role_of(const struct role_table *table,
                                  const struct identity_user *user)
{
    return user->role.len > 0 ? role_find(table, user->role) : role_anonymous(table);
}

enum sh_err identity_of_user(const struct role_table *table,
                             const struct identity_user *user, struct caller *caller,
                             const struct role **role)
{
    static const struct identity_user nobody;

    if (user == NULL)
        user = &nobody;
    *caller = (struct caller){0};
    *role = role_of(table, user);
    if (*role == NULL)
        return SH_INVALID;
    name(caller, user);
    grant(caller, *role);
    return SH_OK;
}

/* What is above level 2 is seen by department. */
bool identity_is_wider(struct sh_bytes department, const struct role *theirs,
                       const struct caller *caller, const struct role *own)
{
    if (theirs->clearance > own->clearance || theirs->departments > own->departments ||
        theirs->max_results > own->max_results)
        return true;
    return theirs->departments == REACH_OWN && own->departments == REACH_OWN &&
           !sh_bytes_equal(department, caller->department);
}

enum sh_err identity_narrow(const struct role_table *table,
                            const struct identity_user *user, struct caller *caller,
                            const struct role **role)
{
    const struct role *theirs = role_of(table, user);

    if (theirs == NULL)
        return SH_INVALID;
    if (identity_is_wider(user->department, theirs, caller, *role))
        return SH_FORBIDDEN;
    *caller = (struct caller){0};
    *role = theirs;
    name(caller, user);
    grant(caller, theirs);
    return SH_OK;
}

void identity_of_principal(const struct principal *principal, const struct role *role,
                           struct caller *caller)
{
    *caller = (struct caller){.user_id = principal->user_id,
                              .username = principal->username,
                              .department = principal->department,
                              .campus = principal->campus};
    grant(caller, role);
}

void identity_of_nobody(const struct role *anonymous, struct caller *caller)
{
    *caller = (struct caller){0};
    grant(caller, anonymous);
}

void identity_of_operator(struct caller *caller)
{
    *caller = (struct caller){.user_id = sh_bytes_of("operator"),
                              .username = sh_bytes_of("operator")};
    grant(caller, role_operator());
}
