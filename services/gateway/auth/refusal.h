/* refusal: the answer to a credential that is no good, and to its absence: 401 with
 * WWW-Authenticate (RFC 6750), counted. */
#ifndef GATEWAY_REFUSAL_H
#define GATEWAY_REFUSAL_H

#include "services/gateway/auth/jwt.h"
#include "services/gateway/exchange.h"

/* The exchange is answered. */
void refuse_token(struct exchange *x, enum jwt_fault fault);
void refuse_key(struct exchange *x);
void refuse_session(struct exchange *x);
/* A header that cannot be used as it is: 400 or 401. */
void refuse_header(struct exchange *x, bool many);
/* Nobody showed who they are where somebody must. */
void refuse_nobody(struct exchange *x);
/* Somebody is known, and it is not for them: 403. */
void refuse_permission(struct exchange *x, enum permission permission);
/* What would tell is away: nobody is let in meanwhile. 503. */
void refuse_unknown(struct exchange *x, enum sh_err err);

#endif
