/* claims: from the claims of a token, or the groups of a directory, to whom they stand
 * for: which claims are read and which role they mean is set from outside. What is not
 * understood gives less, never more. Read-only once made: any thread. */
#ifndef GATEWAY_CLAIMS_H
#define GATEWAY_CLAIMS_H

#include <jansson.h>

#include "services/gateway/auth/jwt.h"
#include "services/gateway/auth/principal.h"
#include "services/gateway/auth/settings.h"

enum { CLAIM_TEXT_MAX = 256 }; /* bytes of a text that is taken */

struct claims_map;

/* `config` must outlive it. Errors: SH_NOMEM; SH_INVALID: JWT_ROLE_MAP is not
 * claim=role,…. */
SH_CHECK enum sh_err claims_map_create(const struct auth_config *config,
                                       struct claims_map **out);
void claims_map_free(struct claims_map **self);

/* A new principal in *out. Tokens that were signed with our own secret may also use the
 * names that ours have (sub, username, role, department, campus), whatever is set for an
 * outside provider. Errors: SH_NOMEM; SH_INVALID: no user id, a text that is too
 * long, or a role that is refused. */
SH_CHECK enum sh_err claims_read(const struct claims_map *map, const struct jwt *jwt,
                                 const struct role_table *table, struct principal **out);

#endif
