/* cookies: the one that bears a session, read strictly and written with every guard that
 * browsers know (RFC 6265bis). Pure: any thread. */
#ifndef GATEWAY_COOKIES_H
#define GATEWAY_COOKIES_H

#include "shared/bytes.h"
#include "shared/err.h"

enum cookie_found {
    COOKIE_ABSENT,
    COOKIE_FOUND,
    /* The header is no list of cookies, or has two of that name: one of them may have
     * been planted by a neighbouring host, and nobody can tell which. */
    COOKIE_BAD,
};

/* The value of a cookie in a Cookie header, as it stands there. */
enum cookie_found cookie_get(struct sh_bytes header, const char *name,
                             struct sh_bytes *value);

struct cookie {
    const char *name;
    struct sh_bytes value;
    bool secure;
    const char *same_site; /* "Lax", "Strict" */
    int64_t max_age_s;     /* negative: as long as the browser is open */
};
/* The text of a Set-Cookie header: HttpOnly, for every path, for this host alone. Errors:
 * SH_TOOBIG (over `size` bytes), SH_INVALID (a value that is not a cookie's). */
SH_CHECK enum sh_err cookie_write(const struct cookie *cookie, char *into, size_t size);

#endif
