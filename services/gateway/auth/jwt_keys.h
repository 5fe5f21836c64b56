/* jwt_keys: what tokens may be signed with. A key is good for one algorithm, so that a
 * token cannot choose how it is checked (RFC 8725 section 3.1). Read-only once filled:
 * any thread. */
#ifndef GATEWAY_JWT_KEYS_H
#define GATEWAY_JWT_KEYS_H

#include "shared/bytes.h"
#include "shared/err.h"

struct jwt_keys;

enum jwt_alg { JWT_HS256, JWT_RS256, JWT_ES256, JWT_ALGS };

enum { JWT_KEYS_MAX = 64, JWT_SECRET_LEAST = 32 };

/* "HS256"; NULL for another number. */
const char *jwt_alg_name(enum jwt_alg alg);

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err jwt_keys_create(struct jwt_keys **out);
void jwt_keys_free(struct jwt_keys **keys);
size_t jwt_keys_count(const struct jwt_keys *keys);

/* A shared secret, for HS256. Errors: SH_INVALID (shorter than JWT_SECRET_LEAST bytes,
 * RFC 7518 section 3.2), SH_NOMEM, SH_TOOBIG (too many keys). */
SH_CHECK enum sh_err jwt_keys_add_secret(struct jwt_keys *keys, struct sh_bytes secret);
/* A public key in PEM: RSA of at least 2,048 bits for RS256, P-256 for ES256. Errors:
 * SH_INVALID (none of these), SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err jwt_keys_add_pem(struct jwt_keys *keys, struct sh_bytes pem,
                                      const char *id);
/* A JWK set (RFC 7517) as identity providers publish it: RSA and P-256 keys for signing.
 * Others are passed over; so are shared secrets, which nobody publishes. `added` counts
 * what was taken. Errors: SH_MALFORMED, SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err jwt_keys_add_set(struct jwt_keys *keys, struct sh_bytes json,
                                      size_t *added);

/* True when a key of this algorithm made the signature. With `id` (a token's `kid`) only
 * keys of that id are tried, and those that have none. */
bool jwt_keys_verify(const struct jwt_keys *keys, enum jwt_alg alg, struct sh_bytes id,
                     struct sh_bytes text, struct sh_bytes signature);
/* Whether a public key of this algorithm and id is there: a token that names one that is
 * not may have been signed with a newer one. */
bool jwt_keys_has(const struct jwt_keys *keys, enum jwt_alg alg, struct sh_bytes id);

#endif
