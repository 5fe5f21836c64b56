/* jwks: the keys of an identity provider, fetched in the background and kept current. A
 * fetch that fails leaves the keys that are there, until they are too old to be believed;
 * it is tried again after 1 s, 2 s, 4 s … 30 s. Main loop's thread but for jwks_ask() and
 * jwks_is_answered(), which any thread may call. */
#ifndef GATEWAY_JWKS_H
#define GATEWAY_JWKS_H

#include <uv.h>

#include "services/gateway/auth/keyring.h"
#include "shared/health.h"

struct jwks;

/* Begins to fetch config->jwks_url, which is not empty. `check` may be NULL. Errors:
 * SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err jwks_open(uv_loop_t *loop, const struct auth_config *config,
                               struct keyring *keyring, struct sh_health_check *check,
                               struct jwks **out);
/* *self becomes NULL, memory goes on a later turn; nobody asks any more. NULL is fine. */
void jwks_close(struct jwks **self);

/* A token names a key that is not known: fetch the set now. A ticket for
 * jwks_is_answered(); 0 when the last fetch is too short ago for another one. */
uint64_t jwks_ask(struct jwks *self);
/* The fetch of that ticket has come to its end, good or bad. */
bool jwks_is_answered(struct jwks *self, uint64_t ticket);
/* The keys are there, or were and are not too old. */
bool jwks_is_known(struct jwks *self);

#endif
