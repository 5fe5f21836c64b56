/* backoff: how long to wait before the next attempt to connect. Any thread. */
#ifndef SHARED_BACKOFF_H
#define SHARED_BACKOFF_H

#include <stdint.h>

/* 100 ms doubled for each failure before this one, at most 1 s; then a random part of the
 * upper half, so that clients that lost a server together do not come back together. How
 * long a server was away says nothing about how soon it is missed: everything waits for
 * this, and for what is connected only then, and must be well within 5 s of its return.
 */
uint64_t backoff_ms(unsigned failures);

#endif
