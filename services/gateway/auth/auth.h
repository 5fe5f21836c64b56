/* auth: who may do what, as far as the process shares it: roles, keys of tokens, the map
 * of claims; and each loop's part: what was checked a moment ago. */
#ifndef GATEWAY_AUTH_H
#define GATEWAY_AUTH_H

#include <stdatomic.h>
#include <uv.h>

#include "services/gateway/auth/claims.h"
#include "services/gateway/auth/jwks.h"
#include "services/gateway/auth/jwt.h"
#include "services/gateway/auth/key_use.h"
#include "services/gateway/auth/keyring.h"
#include "services/gateway/auth/roles.h"
#include "services/gateway/auth/seen.h"
#include "shared/pg.h"

struct edge;

struct auth {
    const struct auth_config *config;
    bool jwt_mode; /* AUTH_MODE=jwt; else who shows nothing is the operator */
    struct roles *roles;
    struct keyring *keyring;
    struct claims_map *claims;
    struct jwks *jwks; /* NULL without JWT_JWKS_URL */
    struct sh_pg_listener *listener;
    _Atomic uint64_t key_epoch; /* counts revocations of API keys */
};

/* The settings' roles and keys; `config` must outlive it. `health` NULL: no check.
 * Errors: SH_INVALID (a setting, named in the log), SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err auth_open(const struct auth_config *config, bool jwt_mode,
                               uv_loop_t *loop, struct sh_health *health,
                               struct auth **out);
/* Hear of API keys that were revoked by other gateways. Errors: those of sh_pg_listen().
 */
SH_CHECK enum sh_err auth_listen(struct auth *self, uv_loop_t *loop,
                                 const struct sh_pg_config *config);
/* SIGHUP: read ROLES_FILE again; a bad one changes nothing and is logged. */
void auth_reload(struct auth *self);
/* No edge uses it any more. NULL is fine. */
void auth_close(struct auth **self);

/* --- of a loop -------------------------------------------------------------------- */

struct auth_edge {
    struct seen *tokens;
    struct seen *keys;
    struct key_use *use; /* of API keys, not written yet */
    unsigned waiting;    /* requests that await keys */
};

/* Errors: SH_NOMEM, SH_INTERNAL. */
SH_CHECK enum sh_err auth_edge_open(struct edge *edge, struct auth_edge **out);
/* NULL is fine. */
void auth_edge_close(struct auth_edge **self);

#endif
