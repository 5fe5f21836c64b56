/* timer: timers that count from the moment of the call. uv_timer_start() counts from the
 * loop's time, which stands still while callbacks run. uv_update_time() would move it,
 * and is not called anywhere: within a poll the loop's time is when that poll returned,
 * by which requests are judged to have waited for their loop. */
#ifndef SHARED_TIMER_H
#define SHARED_TIMER_H

#include <uv.h>

/* Once, in wait_ms; as uv_timer_start() otherwise, for a timer that is not closing.
 * The loop's thread. */
void sh_timer_once(uv_timer_t *timer, uv_timer_cb fired, uint64_t wait_ms);

#endif
