/* jwt: JSON Web Tokens (RFC 7519) in the compact form, signed by HS256, RS256 or ES256.
 * Follows RFC 8725: the key chooses the algorithm, `none` does not exist, everything that
 * is not understood refuses the token. Pure: any thread. */
#ifndef GATEWAY_JWT_H
#define GATEWAY_JWT_H

#include <jansson.h>

#include "services/gateway/auth/jwt_keys.h"
#include "shared/mem.h"

enum { JWT_MAX = 8192 }; /* bytes of a token */

struct jwt_rules {
    const struct jwt_keys *keys;
    const char *issuer;   /* must be the `iss`; "": any */
    const char *audience; /* must be among `aud`; "": any */
    uint32_t skew_s;      /* that clocks may differ by */
    uint64_t now_s;       /* seconds since 1970 */
};

/* What a token is refused for; also the label of a metric. */
enum jwt_fault {
    JWT_GOOD,
    JWT_FORMAT,    /* not a token */
    JWT_ALGORITHM, /* one that we do not take */
    JWT_SIGNATURE,
    JWT_UNKNOWN_KEY, /* it names a public key that is not there, and no other fits */
    JWT_EXPIRED,
    JWT_NOT_YET,
    JWT_ISSUER,
    JWT_AUDIENCE,
    JWT_CLAIMS, /* a time is missing or no number, `crit` is there */
    JWT_NOMEM,
    JWT_FAULTS
};

const char *jwt_fault_name(enum jwt_fault fault);

struct jwt {
    json_t *claims;     /* the payload; owned */
    uint64_t expires_s; /* seconds since 1970; never beyond year 9999 */
    enum jwt_alg alg;   /* JWT_HS256: signed with our own secret */
};

/* On JWT_GOOD `out` is filled; release with jwt_free(). A token without `exp` is refused.
 */
enum jwt_fault jwt_verify(struct sh_bytes token, const struct jwt_rules *rules,
                          struct jwt *out);
void jwt_free(struct jwt *jwt);

/* A token with these claims, signed by HS256, in `arena`. Errors: SH_NOMEM, SH_INVALID
 * (the secret is too short), SH_TOOBIG. */
SH_CHECK enum sh_err jwt_sign(const json_t *claims, struct sh_bytes secret,
                              struct sh_arena *arena, struct sh_bytes *token);

#endif
