/* job_streams: how many watch jobs at the same time: a stream lasts as long as its client
 * likes, so everybody has but a few. Of the whole process; any thread. */
#ifndef GATEWAY_JOB_STREAMS_H
#define GATEWAY_JOB_STREAMS_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/bytes.h"

enum { JOB_STREAMS_PER_USER = 8, JOB_STREAMS_MAX = 512 };

/* *ticket is what job_streams_leave() wants. False: there are as many as may be. */
bool job_streams_enter(struct sh_bytes user, uint64_t *ticket);
void job_streams_leave(uint64_t ticket);

#endif
