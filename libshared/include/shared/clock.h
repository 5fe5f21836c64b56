/* clock: one monotonic clock for deadlines everywhere in a process, and wall time for
 * what people read. Any thread. */
#ifndef SHARED_CLOCK_H
#define SHARED_CLOCK_H

#include <stddef.h>
#include <stdint.h>

#define SH_NO_DEADLINE UINT64_MAX

/* Monotonic time; a deadline is a value of this clock. */
uint64_t sh_now_ms(void);
uint64_t sh_now_us(void);
/* What is left until a deadline: 0 when it has passed. */
uint64_t sh_left_ms(uint64_t deadline_ms);
/* Seconds since 1970; a double holds microseconds of them. */
double sh_wall_time(void);
/* RFC 3339 in UTC with milliseconds, "2026-01-31T12:00:00.000Z" (25 bytes with NUL). */
void sh_wall_text(double unix_seconds, char out[static 32]);

#endif
