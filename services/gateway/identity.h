/* identity: from who asks to what the services are told of them. With AUTH_MODE=trusted a
 * search says itself who it is for, and everything else is asked by the operator of the
 * machine; otherwise the credential decides. */
#ifndef GATEWAY_IDENTITY_H
#define GATEWAY_IDENTITY_H

#include "proto/msg.h"
#include "services/gateway/auth/principal.h"
#include "services/gateway/auth/roles.h"
#include "services/gateway/schema.h"

/* The `user` member of a request. */
struct identity_user {
    struct sh_bytes user_id;
    struct sh_bytes username;
    struct sh_bytes role;
    struct sh_bytes department;
    struct sh_bytes campus;
};
extern const struct schema identity_user_schema;

/* The caller of a trusted search; texts borrow from `user`, which may be NULL
 * (anonymous). Errors: SH_INVALID: no such role. */
SH_CHECK enum sh_err identity_of_user(const struct role_table *table,
                                      const struct identity_user *user,
                                      struct caller *caller, const struct role **role);
/* A caller who may impersonate asks on behalf of `user`: `*caller` and `*role` become
 * theirs. Errors, nothing is changed: SH_INVALID: no such role; SH_FORBIDDEN: they may
 * see more than the caller does. */
SH_CHECK enum sh_err identity_narrow(const struct role_table *table,
                                     const struct identity_user *user,
                                     struct caller *caller, const struct role **role);
/* Whether `theirs`, in that department, sees anything that the caller with the role `own`
 * does not. */
bool identity_is_wider(struct sh_bytes department, const struct role *theirs,
                       const struct caller *caller, const struct role *own);
/* Texts borrow from the principal. */
void identity_of_principal(const struct principal *principal, const struct role *role,
                           struct caller *caller);
void identity_of_nobody(const struct role *anonymous, struct caller *caller);
/* The operator of the machine: may do everything. */
void identity_of_operator(struct caller *caller);

#endif
