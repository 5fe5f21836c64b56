/* tokens: bearer tokens at the edge: a token that was checked is known until it expires,
 * its keys change or the roles do; others are checked whole. Also where our own are made.
 * Loop thread. */
#ifndef GATEWAY_TOKENS_H
#define GATEWAY_TOKENS_H

#include "services/gateway/auth/auth.h"

/* On JWT_GOOD *out is a reference that the caller drops. */
enum jwt_fault tokens_check(struct auth *auth, struct auth_edge *own,
                            struct sh_bytes token, struct principal **out);

/* A token of ours for this principal, good for that many seconds, in `arena`. Its id
 * becomes the `jti`; may be empty. Any thread. Errors: SH_UNAVAILABLE
 * without JWT_SECRET_KEY, SH_NOMEM, SH_TOOBIG. */
SH_CHECK enum sh_err tokens_issue(const struct auth_config *config,
                                  const struct principal *principal, uint32_t lifetime_s,
                                  struct sh_arena *arena, struct sh_bytes *token);

/* Three parts between two dots: what only a token looks like. */
bool tokens_looks_like_one(struct sh_bytes text);

#endif
