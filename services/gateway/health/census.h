/* census: asks every replica of every service how it is, once. Those that take no work at
 * the moment, or do not answer in time, are counted, not waited for. Loop thread only. */
#ifndef GATEWAY_CENSUS_H
#define GATEWAY_CENSUS_H

#include "services/gateway/health/facts.h"

enum { CENSUS_REPLICAS_MAX = 64 }; /* of a service; more are not asked */

struct census_replica {
    enum peer peer;
    struct service_facts facts; /* `reached` false: it did not answer */
};

struct census_answer {
    const struct census_replica *replicas; /* service by service */
    size_t count;
    size_t absent[PEER_COUNT]; /* connected, but taking no work */
};
/* Borrowed until it returns. */
typedef void census_done_fn(void *arg, const struct census_answer *answer);

struct census;

/* `done` once, never from inside, even when there is nobody to ask. Errors: SH_NOMEM. */
SH_CHECK enum sh_err census_ask(struct edge *edge, uint32_t timeout_ms,
                                census_done_fn *done, void *arg, struct census **out);
/* `done` is not called any more. NULL is fine. */
void census_cancel(struct census **census);

#endif
