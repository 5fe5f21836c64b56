/* facts: what the gateway knows about the system, and its pages for the board. Main loop
 * only. */
#ifndef GATEWAY_FACTS_H
#define GATEWAY_FACTS_H

#include <jansson.h>

#include "proto/msg.h"
#include "services/gateway/edge.h"
#include "services/gateway/health/board.h"
#include "services/gateway/health/own.h"

struct service_facts {
    bool known;   /* asked at least once */
    bool reached; /* at the last time */
    bool late;    /* the last answer did not come in time; the one before had */
    double response_time_s;
    char status[16];
    char version[64];
    double uptime_s;
    uint64_t resident_bytes;
    char instance[65];
    double cpu_s;
    uint64_t requests; /* answered on the bus */
    uint32_t in_flight;
    uint32_t db_pool; /* connections to PostgreSQL that there may be; and those in use */
    uint32_t db_active;
    json_t *checks; /* by name; NULL: none */
};

struct facts {
    struct service_facts services[PEER_COUNT];
    struct service_facts gateway; /* this process: its own checks */
    bool tables_known;            /* PostgreSQL was asked for the table of accounts */
    bool tables_there;
    /* a real search, end to end */
    bool probed;
    bool probe_ran;
    bool probe_late; /* the last one did not come back in time; the one before had */
    bool probe_degraded;
    double probe_time_s;
    uint64_t probe_results;
    /* the newest backup set; 0: none, or not known */
    double latest_backup;
    struct own_figures own;
    double started; /* Unix seconds */
    double now;
    double check_duration_ms;
    double mean_search_ms;   /* of the last 15 minutes; 0: there were none */
    const char *maintenance; /* "restore", "by_hand"; NULL: none */
    bool draining;
};

/* Take over a service's answer to METHOD_RPC_HEALTH, NULL when it could not be reached.
 */
void facts_set_service(struct service_facts *service, const struct health_reply *reply,
                       double response_time_s);
/* The same for this process. */
void facts_set_own(struct service_facts *gateway, const struct sh_health *health);
void facts_free(struct facts *facts);
/* A number in the figures of any check of the service; `otherwise` when there is none. */
double facts_figure(const struct service_facts *service, const char *name,
                    double otherwise);

enum health_rank { RANK_HEALTHY, RANK_DEGRADED, RANK_UNHEALTHY };
const char *health_rank_text(enum health_rank rank);

/* The system part by part, as /health shows it. Owned by the caller. */
struct verdict {
    enum health_rank rank;
    json_t *components; /* {name: {"healthy","status",…}} */
    json_t *issues;     /* [sentence] */
};
/* False: out of memory, nothing is left. `wordy`: with the messages of the services. */
SH_CHECK bool verdict_reach(const struct facts *facts, const struct health_config *config,
                            bool wordy, struct verdict *out);
void verdict_free(struct verdict *verdict);
bool verdict_healthy(const struct verdict *verdict, const char *component);

/* Every page of the board. NULL when out of memory. */
struct board_set *pages_write(const struct facts *facts, const struct verdict *verdict);

#endif
