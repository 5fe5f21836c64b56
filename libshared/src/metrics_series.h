/* metrics_series: the registry as the renderer sees it. */
#ifndef LIBSHARED_METRICS_SERIES_H
#define LIBSHARED_METRICS_SERIES_H

#include "shared/metrics.h"

struct sh_series {
    struct sh_series *next; /* set before it is published, then never changed */
    const struct sh_family *family;
    uint64_t hash; /* of the values: most others differ in it */
    char **values; /* as many as labels */
    _Atomic double value;
    size_t bucket_count;
    atomic_uint_fast64_t *buckets; /* one a bound, and one above; not cumulated */
};

/* The families in the order of their first use; walk by `next` until NULL. */
struct sh_family *sh_metrics_first(void);
void sh_metrics_run_scrape_hooks(void);
const double *sh_family_buckets(const struct sh_family *family);
size_t sh_family_labels(const struct sh_family *family);

/* process_* and cairn_build_info. */
void sh_metrics_process(struct sh_buffer *out, bool openmetrics);

struct sh_metric_head {
    enum sh_metric_kind kind;
    const char *name;
    const char *help;
};
/* # HELP and # TYPE, then samples without labels or with literal ones. */
void sh_metrics_head(struct sh_buffer *out, const struct sh_metric_head *head,
                     bool openmetrics);
void sh_metrics_value(struct sh_buffer *out, double value);
void sh_metrics_label(struct sh_buffer *out, const char *name, const char *value);

#endif
