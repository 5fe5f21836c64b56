#include "services/gateway/handlers/user_body.h"

#include "services/gateway/auth/password.h"
#include "services/gateway/auth/users.h"
#include "services/gateway/handlers/handlers.h"

#define AT(member) offsetof(struct user_body, member)
#define TEXTS_OF_A_USER                                                                  \
    {.name = "department",                                                               \
     .type = SCHEMA_TEXT,                                                                \
     .offset = AT(department),                                                           \
     .most = USER_NAME,                                                                  \
     .present = AT(has_department)},                                                     \
    {                                                                                    \
        .name = "campus", .type = SCHEMA_TEXT, .offset = AT(campus), .most = USER_NAME,  \
        .present = AT(has_campus)                                                        \
    }

static const struct schema_field new_fields[] = {
    {.name = "username",
     .type = SCHEMA_TEXT,
     .offset = AT(username),
     .least = 1,
     .most = USER_NAME,
     .required = true,
     .help = "letters, digits and . _ - @ +; compared without regard to case"},
    {.name = "password",
     .type = SCHEMA_TEXT,
     .offset = AT(password),
     .most = PASSWORD_MOST,
     .required = true},
    {.name = "role",
     .type = SCHEMA_TEXT,
     .offset = AT(role),
     .least = 1,
     .most = USER_NAME,
     .required = true},
    TEXTS_OF_A_USER,
    {.name = "active",
     .type = SCHEMA_BOOLEAN,
     .offset = AT(active),
     .fallback = "true",
     .help = "false: cannot log in"},
};
const struct schema user_new_schema = {"NewUser", "Somebody who may log in.",
                                       sizeof(struct user_body), new_fields,
                                       SH_COUNT(new_fields)};

static const struct schema_field change_fields[] = {
    {.name = "password",
     .type = SCHEMA_TEXT,
     .offset = AT(password),
     .most = PASSWORD_MOST,
     .present = AT(has_password)},
    {.name = "role",
     .type = SCHEMA_TEXT,
     .offset = AT(role),
     .least = 1,
     .most = USER_NAME,
     .present = AT(has_role)},
    TEXTS_OF_A_USER,
    {.name = "active",
     .type = SCHEMA_BOOLEAN,
     .offset = AT(active),
     .present = AT(has_active),
     .help = "false: cannot log in, and is logged out"},
    {.name = "locked",
     .type = SCHEMA_BOOLEAN,
     .offset = AT(locked),
     .present = AT(has_locked),
     .help = "false: end the lock that wrong passwords brought about"},
};
const struct schema user_change_schema = {"UserChange", "What is absent stays as it is.",
                                          sizeof(struct user_body), change_fields,
                                          SH_COUNT(change_fields)};
