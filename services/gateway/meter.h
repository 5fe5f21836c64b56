/* meter: what is counted and logged about each request. The series that a route needs are
 * looked up once and kept, one meter per route and loop. */
#ifndef GATEWAY_METER_H
#define GATEWAY_METER_H

#include "services/gateway/router.h"
#include "shared/http_server.h"
#include "shared/metrics.h"

struct edge;

enum { METER_KEPT = 8, METER_BOUNDS = 11 };

/* Seconds: the histograms' upper bounds, ascending, ended by 0. */
extern const double meter_bounds[METER_BOUNDS + 1];

struct meter {
    struct edge *edge;
    const struct route *route; /* NULL: unknown paths */
    struct sh_series *all_seconds;
    struct sh_series *seconds;
    struct {
        int status;
        int method;
        struct sh_series *search_total; /* the names of two of the original systems */
        struct sh_series *http_total;
    } kept[METER_KEPT];
};

/* One a route in the order of the table, then the one for unknown paths. NULL when out of
 * memory; ended by sh_free(). */
struct meter *meters_create(struct edge *edge, const struct route *routes, size_t count);
/* sh_http_finished_fn, `arg` is the meter: counts and logs the request. */
void meter_finished(void *arg, struct sh_http_request *request, int status,
                    uint64_t bytes, uint64_t duration_us);
/* What metrics call it: its operation. */
const char *meter_endpoint(const struct route *route);
/* How long its requests took, on all loops; NULL: those of unknown paths. */
struct sh_series *meter_seconds(const struct route *route);
/* Do so when it is finished. */
void meter_watch(struct meter *meter, struct sh_http_request *request);

/* A search by this role; departments beyond the first fifty count as "other". Any thread.
 */
void meter_query(const char *role, struct sh_bytes department);
/* All requests so far, and their mean time in milliseconds. Any thread. */
uint64_t meter_requests(void);
double meter_mean_ms(void);

#endif
