/* redis_url: where Redis is and how to greet it, from REDIS_URL or the parts. */
#ifndef SHARED_REDIS_URL_H
#define SHARED_REDIS_URL_H

#include "shared/redis.h"

struct redis_address { /* all texts owned; NULL where there is none */
    char *path;        /* of a Unix socket; else host and port */
    char *host;
    uint16_t port;
    char *user;
    char *password;
    unsigned database;
};

/* Errors: SH_NOMEM; SH_INVALID, with the reason in *why (static). */
SH_CHECK enum sh_err redis_address_read(const struct sh_redis_config *config,
                                        struct redis_address *out, const char **why);
void redis_address_free(struct redis_address *address);

#endif
