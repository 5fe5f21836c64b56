/* crowd: how many connections each address has, over all loops of the process. Counted by
 * the peer itself, before anything is read of it. Any thread. */
#ifndef GATEWAY_LIMITS_CROWD_H
#define GATEWAY_LIMITS_CROWD_H

#include "services/gateway/limits/address.h"

struct crowd;

struct crowd_options {
    uint32_t most;                  /* connections of one address; 0: any number */
    const struct networks *trusted; /* not counted: they stand for many */
    bool loopback;                  /* counted, too */
};

/* Errors: SH_NOMEM, SH_IO (no randomness). */
SH_CHECK enum sh_err crowd_create(const struct crowd_options *options,
                                  struct crowd **out);
void crowd_free(struct crowd **self);

/* For struct sh_http_server_options: `arg` is the crowd. Out of memory lets in. */
bool crowd_admit(void *arg, const char *peer);
void crowd_left(void *arg, const char *peer);

#endif
