#include "shared/clock.h"

#include <math.h>
#include <string.h>
#include <time.h>

uint64_t sh_now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t sh_now_ms(void)
{
    return sh_now_us() / 1000;
}

uint64_t sh_left_ms(uint64_t deadline_ms)
{
    uint64_t now = sh_now_ms();
    return deadline_ms > now ? deadline_ms - now : 0;
}

double sh_wall_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

/* Every log line needs a time: snprintf() would be a good part of what a line costs. */
static void digits(char *out, int width, int value)
{
    while (width-- > 0) {
        out[width] = (char)('0' + value % 10);
        value /= 10;
    }
}

/* Of the second that was asked for last, most often the same again. */
static const char *second_text(time_t seconds)
{
    static _Thread_local char text[] = "1970-01-01T00:00:00.000Z";
    static _Thread_local time_t of;
    struct tm t;

    if (seconds == of)
        return text;
    of = seconds;
    gmtime_r(&seconds, &t);
    digits(text, 4, t.tm_year + 1900);
    digits(text + 5, 2, t.tm_mon + 1);
    digits(text + 8, 2, t.tm_mday);
    digits(text + 11, 2, t.tm_hour);
    digits(text + 14, 2, t.tm_min);
    digits(text + 17, 2, t.tm_sec);
    return text;
}

void sh_wall_text(double unix_seconds, char out[static 32])
{
    /* Year 1 to 9999: what RFC 3339 can say. */
    if (!(unix_seconds >= -62135596800.0 && unix_seconds < 253402300800.0))
        unix_seconds = 0;
    /* Rounded down: 12.9999 s must not become a 13th second's 000, nor .1000. */
    int64_t ms = (int64_t)floor(unix_seconds * 1000.0 + 1e-3);
    int64_t rest = ms % 1000;
    if (rest < 0)
        rest += 1000;
    memcpy(out, second_text((time_t)((ms - rest) / 1000)), 25);
    digits(out + 20, 3, (int)rest);
}
