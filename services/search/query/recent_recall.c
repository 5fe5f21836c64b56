#include "services/search/query/recent_recall.h"

#include <math.h>

static uint64_t minute_of(uint64_t now_us)
{
    return now_us / (60 * UINT64_C(1000000));
}

void recent_recall_add(struct recent_recall *self, uint64_t now_us, double ratio)
{
    uint64_t minute = minute_of(now_us);
    struct recent_recall_minute *one = &self->minutes[minute % RECENT_RECALL_MINUTES];

    if (one->begun_min != minute)
        *one = (struct recent_recall_minute){.begun_min = minute};
    one->count++;
    one->sum += ratio;
}

double recent_recall_mean(const struct recent_recall *self, uint64_t now_us,
                          uint64_t *count)
{
    uint64_t minute = minute_of(now_us);
    double sum = 0;

    *count = 0;
    for (int i = 0; i < RECENT_RECALL_MINUTES; i++) {
        const struct recent_recall_minute *one = &self->minutes[i];
        if (one->begun_min + RECENT_RECALL_MINUTES <= minute)
            continue;
        *count += one->count;
        sum += one->sum;
    }
    return *count > 0 ? sum / (double)*count : (double)NAN;
}
