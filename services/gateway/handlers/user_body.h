/* user_body: a user as admins send it, new or changed. */
#ifndef GATEWAY_USER_BODY_H
#define GATEWAY_USER_BODY_H

#include "services/gateway/schema.h"

struct user_body {
    struct sh_bytes username, password, role, department, campus;
    bool active, locked;
    bool has_password, has_role, has_department, has_campus, has_active, has_locked;
};

#endif
