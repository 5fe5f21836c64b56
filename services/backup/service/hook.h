/* hook: tells BACKUP_HOOK_URL of runs that failed, one after the other in their order.
 * Who does not take one (no connection, 408, 429, 5xx) is asked again after 1, 2, 4 and 8
 * seconds, then it is given up; so is one that is refused (other answers), and so are
 * those that find too many waiting. Loop thread only. */
#ifndef BACKUP_HOOK_H
#define BACKUP_HOOK_H

#include <uv.h>

#include "shared/err.h"

struct hook;

struct hook_options {
    uv_loop_t *loop;
    const char *url;         /* lives longer */
    uint64_t first_pause_ms; /* 0: a second; doubled after each further attempt */
};

enum { HOOK_WAITING = 8, HOOK_TRIES = 5 };

/* Errors: SH_NOMEM, and those of sh_http_client_create(). */
SH_CHECK enum sh_err hook_create(const struct hook_options *options, struct hook **out);
/* `body` is JSON, and copied. */
void hook_tell(struct hook *hook, const char *body);
/* What waits is dropped. */
void hook_close(struct hook **at);

#endif
