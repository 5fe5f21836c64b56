#include "shared/timer.h"

#include "shared/clock.h"

void sh_timer_once(uv_timer_t *timer, uv_timer_cb fired, uint64_t wait_ms)
{
    uint64_t loop_ms = uv_now(timer->loop); /* of the same clock */
    uint64_t now_ms = sh_now_ms();
    uint64_t late_ms = now_ms > loop_ms ? now_ms - loop_ms : 0;

    (void)uv_timer_start(timer, fired, wait_ms + late_ms, 0); /* not closing */
}
