/* credentials: what a request shows of who sends it, read from its headers; nothing is
 * believed yet. */
#ifndef GATEWAY_CREDENTIALS_H
#define GATEWAY_CREDENTIALS_H

#include "services/gateway/gateway.h"
#include "shared/http_server.h"

enum offer {
    OFFER_NONE,
    OFFER_TOKEN,   /* Authorization: Bearer … */
    OFFER_KEY,     /* X-API-Key: …, or Authorization: Bearer with one of our keys */
    OFFER_SESSION, /* our cookie */
    OFFER_BAD,     /* a scheme that we do not know, a header that holds nothing */
    OFFER_MANY,    /* a token and a key: which of them counts is not for us to guess */
};

struct credentials {
    enum offer offer;
    struct sh_bytes text; /* valid until the request is answered */
};

/* A cookie counts only where there is no header, so that a page's script can be somebody
 * else than its browser. */
struct credentials credentials_read(const struct gateway *gateway,
                                    const struct sh_http_request *request);

#endif
