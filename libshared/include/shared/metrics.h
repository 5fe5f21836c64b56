/* metrics: Prometheus counters, gauges and histograms. A family is declared once, static,
 * and registers itself at its first use; a series is found by its label values and then
 * updated without a lock. Label values must be bounded: routes, peers, states; never user
 * input. Any thread. */
#ifndef SHARED_METRICS_H
#define SHARED_METRICS_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shared/buffer.h"

enum sh_metric_kind { SH_COUNTER, SH_GAUGE, SH_HISTOGRAM };
enum { SH_LABELS_MAX = 6 };

struct sh_series; /* one set of label values of a family */

struct sh_family {
    enum sh_metric_kind kind;
    const char *name;
    const char *help;
    const char *labels[SH_LABELS_MAX]; /* unused ones NULL */
    const double *buckets;             /* histograms: ascending upper bounds, ended by 0;
                                          NULL: 1 ms … 10 s */
    /* filled in by the registry */
    _Atomic(struct sh_series *) first;
    _Atomic(struct sh_family *) next;
    atomic_bool registered;
};

/* Find or make the series for these label values (as many as labels; the array may be
 * NULL when there are none). The pointer stays valid for the life of the process, so hot
 * paths keep it. Never NULL: out of memory, or the 1,001st set of values, gives a series
 * that nobody sees and counts in cairn_metrics_series_dropped_total. */
struct sh_series *sh_series(struct sh_family *family, const char *const *values);

void sh_series_add(struct sh_series *series, double amount);    /* counter, gauge */
void sh_series_set(struct sh_series *series, double value);     /* gauge */
void sh_series_observe(struct sh_series *series, double value); /* histogram */
double sh_series_value(const struct sh_series *series);         /* counter, gauge; the sum
                                                                   of a histogram */
uint64_t sh_series_count(const struct sh_series *series);       /* histogram */

/* Histogram: what fell between the bound before and this one, by the bound's place in
 * `buckets`; one past the last: what is above all. 0 of what has no such bucket. */
uint64_t sh_series_bucket(const struct sh_series *series, size_t bound);

/* Shorthand: sh_count(&requests, "GET", "200"); the label count must match. */
#define sh_count(family, ...)                                                            \
    sh_series_add(sh_series(family, (const char *[]){__VA_ARGS__}), 1)

/* Called on the rendering thread before each scrape, to bring gauges up to date; must not
 * add or remove hooks. Errors: SH_TOOBIG (64 are there). */
typedef void sh_scrape_fn(void *arg);
SH_CHECK enum sh_err sh_metrics_on_scrape(sh_scrape_fn *fn, void *arg);
void sh_metrics_off_scrape(sh_scrape_fn *fn, void *arg);

/* All series of a family together (of a histogram, what was observed); 0 when nobody has
 * counted there yet. For pages about the process, not for hot paths. */
double sh_metrics_sum(const char *name);

/* Each series of a family with its label values, as many as labels. Not for hot paths. */
typedef void sh_series_fn(void *arg, const char *const *values, double value);
void sh_metrics_each(const char *name, sh_series_fn *fn, void *arg);

/* Of this process now; 0 when unknown. */
double sh_resident_bytes(void);
double sh_cpu_seconds(void);
/* Its start in Unix seconds. */
double sh_process_started(void);

/* Text format 0.0.4, or OpenMetrics 1.0; process_*, build info included. */
void sh_metrics_render(struct sh_buffer *out, bool openmetrics);

#endif
