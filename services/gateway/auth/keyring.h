/* keyring: the keys that tokens may be signed with at the moment: those of the settings,
 * and those of an identity provider, which change. A set is immutable and swapped whole;
 * whoever takes one must drop it. Any thread. */
#ifndef GATEWAY_KEYRING_H
#define GATEWAY_KEYRING_H

#include "services/gateway/auth/jwt_keys.h"
#include "services/gateway/auth/settings.h"

struct keyring;

struct keyset {
    struct jwt_keys *keys;
    uint64_t generation; /* another one for each set that differs */
    /* owned by the keyring */
    unsigned references;
};

/* With the keys of the settings. Errors: SH_INVALID (one of them is not good), SH_NOMEM.
 */
SH_CHECK enum sh_err keyring_create(const struct auth_config *config,
                                    struct keyring **out);
/* Every set was dropped. NULL is fine. */
void keyring_free(struct keyring **self);
/* The keys of the settings and those of this JWK set; an empty text: only the former. A
 * set that says what the last one said changes nothing. What was there stays on an error:
 * SH_MALFORMED (no set, or without a key of use), SH_TOOBIG, SH_NOMEM. */
SH_CHECK enum sh_err keyring_publish(struct keyring *self, struct sh_bytes jwks);

struct keyset *keyring_take(struct keyring *self);
void keyring_drop(struct keyring *self, struct keyset *set);
uint64_t keyring_generation(const struct keyring *self);

#endif
