/* tokens: bearer tokens at the edge: a token that was checked is known until it expires,
 * its keys change or the roles do; others are checked whole.
 * Loop thread. */
#ifndef GATEWAY_TOKENS_H
#define GATEWAY_TOKENS_H

#include "services/gateway/auth/auth.h"

/* On JWT_GOOD *out is a reference that the caller drops. */
enum jwt_fault tokens_check(struct auth *auth, struct auth_edge *own,
                            struct sh_bytes token, struct principal **out);

/* Three parts between two dots: what only a token looks like. */
bool tokens_looks_like_one(struct sh_bytes text);

#endif
