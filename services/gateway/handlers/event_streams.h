/* event_streams: how many watch something at the same time: a stream lasts as long as its
 * client likes, so everybody has but a few. Of the whole process; any thread. */
#ifndef GATEWAY_EVENT_STREAMS_H
#define GATEWAY_EVENT_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

enum { EVENT_STREAMS_PER_USER = 8, EVENT_STREAMS_MAX = 512 };

/* *ticket is what event_streams_leave() wants. False: there are as many as may be. */
bool event_streams_enter(struct sh_bytes user, uint64_t *ticket);
void event_streams_leave(uint64_t ticket);

#endif
