/* access_token: what a login gives to clients that keep no cookies: a token by HS256 for
 * JWT_ACCESS_TOKEN_EXPIRES. It needs nothing but the secret to be checked, so it holds
 * without Redis and PostgreSQL, and cannot be taken back before it expires. Any thread.
 */
#ifndef GATEWAY_ACCESS_TOKEN_H
#define GATEWAY_ACCESS_TOKEN_H

#include "services/gateway/auth/sessions.h"
#include "shared/mem.h"

/* For whom, as a session says it. The text is in the arena. Errors: SH_NOTFOUND
 * (JWT_SECRET_KEY is not set), SH_NOMEM, SH_INVALID, SH_TOOBIG. */
SH_CHECK enum sh_err access_token_make(const struct gateway *gateway,
                                       const struct session *session,
                                       struct sh_arena *arena, struct sh_bytes *token);

#endif
