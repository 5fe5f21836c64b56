/* refusal: the answer to a credential that is no good, and to its absence: 401 with
 * WWW-Authenticate (RFC 6750), counted. */
#ifndef GATEWAY_REFUSAL_H
#define GATEWAY_REFUSAL_H

#include "services/gateway/auth/jwt.h"
#include "services/gateway/exchange.h"

/* Each answers the exchange; `why` is what the comment says. */
typedef void refuse_fn(struct exchange *x, int why);
refuse_fn refuse_token;   /* an enum jwt_fault */
refuse_fn refuse_key;     /* nothing */
refuse_fn refuse_session; /* nothing */
refuse_fn refuse_header;  /* 0: one that cannot be used, 401; 1: one too many, 400 */
/* An enum sh_err: what would tell is away, and nobody is let in meanwhile. 503. */
refuse_fn refuse_unknown;
/* Nobody showed who they are where somebody must. */
void refuse_nobody(struct exchange *x);
/* Somebody is known, and it is not for them: 403. */
void refuse_permission(struct exchange *x, enum permission permission);

#endif
