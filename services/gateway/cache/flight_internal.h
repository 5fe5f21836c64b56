/* flight_internal: the inside of flights, for their own files only: flight.c begins them,
 * flight_end.c asks search and answers. */
#ifndef GATEWAY_CACHE_FLIGHT_INTERNAL_H
#define GATEWAY_CACHE_FLIGHT_INTERNAL_H

#include "services/gateway/cache/flight.h"
#include "services/gateway/exchange.h"
#include "services/gateway/handlers/handlers.h"

enum { FLIGHT_BUCKETS = 256 };

struct flight {
    struct flights *of;
    struct flight *next; /* of the bucket */
    struct kept_key key; /* its bytes stand behind */
    struct flight_seat *first;
    struct flight_seat *last;
    struct remote_get *get; /* NULL: Redis is not being asked */
    uint64_t call;          /* to search, if it is being asked */
    bool calling;
    uint64_t started_ms;
    uint64_t clears;
};

struct flights {
    struct edge *edge;
    struct cache *cache;
    struct flight *buckets[FLIGHT_BUCKETS];
    size_t asking;     /* Redis */
    uint64_t avoid_ms; /* Redis, until then */
    struct sh_buffer key;
    struct sh_buffer answer; /* as it will be kept */
    uv_timer_t tick;
    uv_timer_t look;
    unsigned timers;
};

struct flight **flight_bucket(struct flights *self, const struct kept_key *key);
/* Nobody joins it any more. */
void flight_unlist(struct flight *flight);
/* It is not waited for any more. */
void flight_forget_redis(struct flight *flight);
void flight_sit_down(struct flight *flight, struct flight_seat *seat, struct exchange *x);
/* In the name of the first who waits. */
void flight_ask_search(struct flight *flight);
/* All who wait; it is over. */
void flight_answer(struct flight *flight, struct sh_bytes bytes, bool from_cache);

#endif
