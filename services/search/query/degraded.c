#include "services/search/query/degraded.h"

#include "shared/bytes.h"
#include "shared/metrics.h"

static struct sh_family degraded_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_degraded_total",
    .help = "Searches answered without a leg, or cut short, by what was missing.",
    .labels = {"reason"},
};

static const char *const reasons[] = {"embedding", "deadline", "rerank", "other"};

static const char *reason_of(struct sh_bytes name)
{
    size_t last = SH_COUNT(reasons) - 1;

    for (size_t i = 0; i < last; i++)
        if (sh_bytes_is(name, reasons[i]))
            return reasons[i];
    return reasons[last];
}

void degraded_open(void)
{
    for (size_t i = 0; i < SH_COUNT(reasons); i++)
        (void)sh_series(&degraded_total, &reasons[i]);
}

void degraded_count(const struct search_results *results)
{
    for (size_t i = 0; i < results->degraded_count; i++)
        sh_count(&degraded_total, reason_of(results->degraded[i]));
}
