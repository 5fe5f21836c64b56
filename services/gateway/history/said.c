#include "services/gateway/history/said.h"

#include <math.h>

#include "services/gateway/health/census.h"
#include "services/gateway/history/ring.h"

/* What a figure is multiplied with to be kept as a whole number. */
static const double scales[SAID_COUNT] = {
    [SAID_RECALL] = 1e6,    [SAID_SEARCH_LAG] = 1e3, [SAID_GRAPH_LAG] = 1e3,
    [SAID_SEARCH_POOL] = 1, [SAID_SEARCH_USED] = 1,  [SAID_GRAPH_POOL] = 1,
    [SAID_GRAPH_USED] = 1,
};

/* fmin() and fmax() take the other one for NAN. */
static void take_search(const struct service_facts *facts, double *said)
{
    double unknown = (double)NAN;

    said[SAID_RECALL] = fmin(said[SAID_RECALL], facts_figure(facts, "recall", unknown));
    said[SAID_SEARCH_LAG] =
        fmax(said[SAID_SEARCH_LAG], facts_figure(facts, "lag_seconds", unknown));
}

static void add(double *sum, double more)
{
    *sum = isnan(*sum) ? more : *sum + more;
}

static void take(const struct census_replica *one, double *said)
{
    const struct service_facts *facts = &one->facts;

    if (!facts->reached)
        return;
    if (one->peer == PEER_SEARCH) {
        take_search(facts, said);
        add(&said[SAID_SEARCH_POOL], facts->db_pool);
        add(&said[SAID_SEARCH_USED], facts->db_active);
    } else if (one->peer == PEER_GRAPH) {
        said[SAID_GRAPH_LAG] =
            fmax(said[SAID_GRAPH_LAG], facts_figure(facts, "lag_seconds", (double)NAN));
        add(&said[SAID_GRAPH_POOL], facts->db_pool);
        add(&said[SAID_GRAPH_USED], facts->db_active);
    }
}

void said_read(const struct census_answer *census, double said[static SAID_COUNT])
{
    for (int i = 0; i < SAID_COUNT; i++)
        said[i] = (double)NAN;
    for (size_t i = 0; i < census->count; i++)
        take(&census->replicas[i], said);
}

void said_to_gauges(const double said[static SAID_COUNT],
                    uint64_t gauges[static SAID_COUNT])
{
    for (int i = 0; i < SAID_COUNT; i++) {
        double scaled = round(said[i] * scales[i]);
        if (!(scaled >= 0))
            gauges[i] = RING_UNKNOWN;
        else
            gauges[i] = scaled < UINT32_MAX ? (uint64_t)scaled : UINT32_MAX;
    }
}

void said_of_gauges(const uint64_t gauges[static SAID_COUNT],
                    double said[static SAID_COUNT])
{
    for (int i = 0; i < SAID_COUNT; i++)
        said[i] = gauges[i] == RING_UNKNOWN ? (double)NAN : (double)gauges[i] / scales[i];
}
