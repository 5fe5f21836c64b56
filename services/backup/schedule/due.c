#include "services/backup/schedule/due.h"

#include <math.h>
#include <string.h>
#include <xxhash.h>

enum { RETRY_S = 60, RETRY_DOUBLINGS = 5, LATE_S = 3600 };

double due_next(const struct cron *cron, double last, double started)
{
    return (double)cron_next(cron, (time_t)(last > 0 ? last : started));
}

double due_jitter(const char *replica, double due, unsigned jitter_s)
{
    uint64_t hash =
        XXH3_64bits_withSeed(replica, strlen(replica), due > 0 ? (uint64_t)due : 0);

    return (double)(hash % ((uint64_t)jitter_s + 1));
}

bool due_now(const struct due *self, double due, double jitter, double started,
             double now)
{
    return due > 0 && now >= fmax(due, started) + jitter && now >= self->not_before;
}

bool due_late(double due, unsigned jitter_s, double now)
{
    return due > 0 && now - due > LATE_S + (double)jitter_s;
}

void due_failed(struct due *self, double now)
{
    self->not_before = now + RETRY_S * pow(2, self->failures);
    if (self->failures < RETRY_DOUBLINGS)
        self->failures++;
}

void due_succeeded(struct due *self)
{
    *self = (struct due){0};
}
