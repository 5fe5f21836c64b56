/* principal: whom a credential stands for. Made when a credential was checked, shared by
 * the cache of such and the exchanges that it lets in, and counted: the last to drop it
 * frees it. Belongs to one loop. */
#ifndef GATEWAY_PRINCIPAL_H
#define GATEWAY_PRINCIPAL_H

#include "proto/msg.h"
#include "services/gateway/auth/roles.h"

enum credential { CREDENTIAL_TOKEN, CREDENTIAL_KEY, CREDENTIAL_SESSION, CREDENTIALS };

/* "token", "key", "session". */
const char *credential_name(enum credential credential);

struct principal {
    enum credential credential;
    struct sh_bytes user_id;
    struct sh_bytes username;
    struct sh_bytes department;
    struct sh_bytes campus;
    struct sh_bytes role;
    struct sh_bytes id;  /* of the credential: an API key's, a session's; may be empty */
    uint64_t scopes;     /* what the credential is good for: bits of enum permission */
    uint64_t expires_s;  /* seconds since 1970; UINT64_MAX: never */
    bool lasting;        /* a session whose cookie survives the end of the browser */
    unsigned references; /* owned by the functions below, like what follows */
    const struct role_table *table; /* that `found` is of */
    const struct role *found;
};

/* A copy with all its texts and one reference; NULL when out of memory. */
struct principal *principal_create(const struct principal *from);
struct principal *principal_hold(struct principal *self);
/* NULL is fine. */
void principal_drop(struct principal *self);
/* The role as the table in force has it: anonymous when it is not there. */
const struct role *principal_role(struct principal *self, const struct role_table *table);

#endif
