#include "services/gateway/identity.h"

enum { CALLER_SCHEMA = 1, ROLE_ANONYMOUS = 0, ROLE_ADMIN = 4 };

/* clang-format off */
static const struct role roles[] = {
    /* name, clearance, requests a minute and an hour, results, all departments */
    [ROLE_ANONYMOUS] =
    {"anonymous", 1,  30,  300,  10, false},
    {"student",   2,  30,  500,  20, false},
    {"staff",     3,  60, 1000,  50, false},
    {"academic",  4, 100, 2000, 100, true},
    [ROLE_ADMIN] =
    {"admin",     5, 200, 5000, 200, true},
};
/* clang-format on */

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

const struct role *role_find(struct sh_bytes name)
{
    for (size_t i = 0; i < SH_COUNT(roles); i++)
        if (sh_bytes_is(name, roles[i].name))
            return &roles[i];
    return NULL;
}

const struct role *role_anonymous(void)
{
    return &roles[ROLE_ANONYMOUS];
}

const struct role *role_operator(void)
{
    return &roles[ROLE_ADMIN];
}

static void grant(struct caller *caller, const struct role *role)
{
    caller->schema = CALLER_SCHEMA;
    caller->role = sh_bytes_of(role->name);
    caller->clearance = role->clearance;
    caller->all_departments = role->all_departments;
}

enum sh_err identity_of_user(const struct identity_user *user, struct caller *caller,
                             const struct role **role)
{
    *caller = (struct caller){0};
    *role = role_anonymous();
    if (user != NULL) {
        caller->user_id = user->user_id;
        caller->username = user->username;
        caller->department = user->department;
        caller->campus = user->campus;
        if (user->role.len > 0)
            *role = role_find(user->role);
    }
    if (*role == NULL)
        return SH_INVALID;
    grant(caller, *role);
    return SH_OK;
}

void identity_of_operator(struct caller *caller)
{
    *caller = (struct caller){.user_id = sh_bytes_of("operator"),
                              .username = sh_bytes_of("operator")};
    grant(caller, role_operator());
}
