/* identity: who asks and what the role allows. With AUTH_MODE=trusted, the only way while
 * the gateway listens on loopback, a search says itself who it is for, and everything
 * else is asked by the operator of the machine. */
#ifndef GATEWAY_IDENTITY_H
#define GATEWAY_IDENTITY_H

#include "proto/msg.h"
#include "services/gateway/schema.h"

struct role {
    const char *name;
    uint32_t clearance;
    uint32_t requests_per_minute;
    uint32_t requests_per_hour;
    uint32_t max_results;
    bool all_departments;
};

/* The `user` member of a request. */
struct identity_user {
    struct sh_bytes user_id;
    struct sh_bytes username;
    struct sh_bytes role;
    struct sh_bytes department;
    struct sh_bytes campus;
};
extern const struct schema identity_user_schema;

/* NULL when there is no such role. */
const struct role *role_find(struct sh_bytes name);
const struct role *role_anonymous(void);
const struct role *role_operator(void);

/* The caller for a search; texts borrow from `user`, which may be NULL (anonymous).
 * Errors: SH_INVALID: no such role. */
SH_CHECK enum sh_err identity_of_user(const struct identity_user *user,
                                      struct caller *caller, const struct role **role);
/* The operator of the machine: may do everything. */
void identity_of_operator(struct caller *caller);

#endif
