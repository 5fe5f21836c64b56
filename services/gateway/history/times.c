/* Sums of a histogram: how many, their mean, and the bound that most stayed within. */
#include "services/gateway/history/history.h"

uint64_t history_requests(const struct history_times *times)
{
    uint64_t requests = 0;

    for (size_t i = 0; i < SH_COUNT(times->counts); i++)
        requests += times->counts[i];
    return requests;
}

double history_mean(const struct history_times *times)
{
    uint64_t requests = history_requests(times);
    return requests > 0 ? (double)times->milliseconds / 1000 / (double)requests : 0;
}

double history_within(const struct history_times *times, double share)
{
    double wanted = share * (double)history_requests(times);
    uint64_t seen = 0;

    if (wanted <= 0)
        return 0;
    for (size_t i = 0; i < METER_BOUNDS; i++) {
        seen += times->counts[i];
        if ((double)seen >= wanted)
            return meter_bounds[i];
    }
    return meter_bounds[METER_BOUNDS - 1];
}
