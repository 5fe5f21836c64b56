/* forwarded: who the client is when there are proxies in between. What they say counts
 * only as far as they are trusted: X-Forwarded-For is read from its right end, where the
 * nearest proxy wrote, until an address that is no trusted proxy; what stands left of
 * that one anybody may have written. Any thread. */
#ifndef GATEWAY_LIMITS_FORWARDED_H
#define GATEWAY_LIMITS_FORWARDED_H

#include "services/gateway/limits/address.h"

enum { FORWARDED_LINES = 64 }; /* as many as a request may have headers */

/* Borrowed from the request. */
struct forwarded_headers {
    struct sh_bytes chain[FORWARDED_LINES]; /* X-Forwarded-For, line by line */
    size_t lines;
    struct sh_bytes real;  /* X-Real-IP: used without X-Forwarded-For */
    struct sh_bytes proto; /* X-Forwarded-Proto */
};

struct forwarded {
    struct address client;
    bool https; /* as the nearest proxy says */
};

/* A hop that cannot be read hides what is behind it: the client is then the last hop that
 * could be read. */
struct forwarded forwarded_resolve(const struct networks *trusted,
                                   const struct address *peer,
                                   const struct forwarded_headers *headers);

#endif
