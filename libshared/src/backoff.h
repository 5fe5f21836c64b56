/* backoff: how long to wait before the next attempt to connect. Any thread. */
#ifndef SHARED_BACKOFF_H
#define SHARED_BACKOFF_H

#include <stdint.h>

/* 100 ms doubled for each failure before this one, at most 5 s; then a random part of the
 * upper half, so that clients that lost a server together do not come back together. */
uint64_t backoff_ms(unsigned failures);

#endif
