/* flight: one search for all who ask the same at the same time on one loop. The first
 * begins it, in Redis and then at the search service; who comes within the first quarter
 * of its time waits for the same answer, or the same error. It belongs to none of them:
 * it goes on while one is left, and is cancelled with the last. Loop thread only. */
#ifndef GATEWAY_CACHE_FLIGHT_H
#define GATEWAY_CACHE_FLIGHT_H

#include "services/gateway/cache/remote.h"
#include "services/gateway/edge.h"

struct exchange;
struct flight;
struct flights;

/* A place among those who wait; it lies in memory of the exchange. */
struct flight_seat {
    struct exchange *x;
    struct flight *flight; /* NULL: none */
    struct flight_seat *next;
    struct flight_seat *prev;
};

/* What one loop needs; `first`: it also looks after the epoch. `edge` must outlive it.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err flights_open(struct edge *edge, struct cache *cache, bool first,
                                  struct flights **out);
/* When nobody waits any more and Redis is closed. NULL is fine. */
void flights_close(struct flights **self);

/* Answers the exchange from the cache, or with others, or sets about it: then
 * x->abandoned is this module's. False: this one is to be asked alone; nothing has
 * happened, but that `question` holds it encoded (borrowed until the next call; empty: it
 * could not be). */
bool flight_search(struct exchange *x, struct flight_seat *seat,
                   const struct search_query *query, struct sh_bytes *question);

#endif
