/* csrf: whether a request that bears a cookie was meant by the person, or made up by
 * another site in their browser. Two proofs are wanted of each one that changes
 * something: its Origin (and Sec-Fetch-Site) is ours, where the browser says so, and
 * X-CSRF-Token holds the token of the session, which other sites cannot read.
 * The token is HMAC-SHA256 by the cookie's value: bound to the session, kept nowhere.
 * Any thread. */
#ifndef GATEWAY_CSRF_H
#define GATEWAY_CSRF_H

#include "services/gateway/gateway.h"
#include "shared/http_server.h"

enum { CSRF_TOKEN = 43 }; /* letters: base64url of 32 bytes */

enum csrf_fault {
    CSRF_GOOD,
    CSRF_ORIGIN,  /* another site's page sent it */
    CSRF_MISSING, /* no token */
    CSRF_WRONG,   /* not this session's */
    CSRF_FAULTS
};

/* The token of the session with this cookie, with a NUL. */
void csrf_token(struct sh_bytes cookie, char into[CSRF_TOKEN + 1]);

/* False for a page of another site, unless CORS_ORIGINS lists it and lets it send
 * cookies. Requests that do not say where they come from pass: no browser sends them. For
 * login, where there is no session yet. */
bool csrf_same_origin(const struct gateway *gateway,
                      const struct sh_http_request *request);
/* For requests whose identity came from a cookie. GET, HEAD and OPTIONS change nothing
 * and are always good. */
enum csrf_fault csrf_check(const struct gateway *gateway,
                           const struct sh_http_request *request, struct sh_bytes cookie);
/* What it is answered with: 403. */
struct sh_problem csrf_problem(enum csrf_fault fault);

#endif
