/* cors: which origins' pages may read the answers. An origin is compared as a whole; what
 * is not listed gets no header at all, and neither does `null`. Read only after
 * cors_open(): any thread. */
#ifndef GATEWAY_SHELL_CORS_H
#define GATEWAY_SHELL_CORS_H

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/http_server.h"

enum { CORS_ORIGINS_MAX = 64, CORS_ORIGIN_BYTES = 280 };

struct cors {
    char (*origins)[CORS_ORIGIN_BYTES]; /* as browsers write them */
    size_t count;
    bool any;
    bool credentials;
    char max_age[16];
};

/* `origins` as CORS_ORIGINS has them. Errors: SH_INVALID with a sentence in `why`,
 * SH_NOMEM. Ended by cors_close(). */
SH_CHECK enum sh_err cors_open(struct cors *cors, const char *origins, bool credentials,
                               uint32_t max_age_s, char *why, size_t size);
void cors_close(struct cors *cors);
static inline bool cors_is_on(const struct cors *cors)
{
    return cors->any || cors->count > 0;
}

bool cors_allows(const struct cors *cors, struct sh_bytes origin);
/* The headers for a request that has an Origin; true when it is a preflight request of an
 * origin that is listed, which the caller answers with 204. `methods` is what the path
 * answers to, NULL: nothing. */
bool cors_apply(const struct cors *cors, struct sh_http_request *request,
                const char *methods);

#endif
