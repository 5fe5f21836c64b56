#include "libshared/src/metrics_series.h"

#include <math.h>
#include <string.h>

#include "libshared/src/number.h"

/* Backslash, newline and, in labels, the quote. */
static void escaped(struct sh_buffer *out, const char *text, bool quote)
{
    for (; *text != '\0'; text++) {
        if (*text == '\n')
            sh_buffer_text(out, "\\n");
        else if (*text == '\\' || (quote && *text == '"'))
            sh_buffer_append(out, (const char[]){'\\', *text}, 2);
        else
            sh_buffer_append(out, text, 1);
    }
}

void sh_metrics_value(struct sh_buffer *out, double value)
{
    char text[32];
    if (isnan(value))
        memcpy(text, "NaN", 4);
    else if (isinf(value))
        memcpy(text, value > 0 ? "+Inf" : "-Inf", 5);
    else
        sh_number_text(value, text);
    sh_buffer_text(out, text);
}

void sh_metrics_label(struct sh_buffer *out, const char *name, const char *value)
{
    sh_buffer_text(out, name);
    sh_buffer_text(out, "=\"");
    escaped(out, value, true);
    sh_buffer_text(out, "\"");
}

static bool ends_in_total(const char *name)
{
    size_t len = strlen(name);
    return len > 6 && strcmp(name + len - 6, "_total") == 0;
}

/* OpenMetrics names a counter's family without the _total of its sample. */
static void family_name(struct sh_buffer *out, const struct sh_metric_head *head,
                        bool openmetrics)
{
    size_t len = strlen(head->name);
    if (openmetrics && head->kind == SH_COUNTER && ends_in_total(head->name))
        len -= 6;
    sh_buffer_append(out, head->name, len);
}

static void sample_name(struct sh_buffer *out, const struct sh_family *family,
                        bool openmetrics)
{
    sh_buffer_text(out, family->name);
    if (openmetrics && family->kind == SH_COUNTER && !ends_in_total(family->name))
        sh_buffer_text(out, "_total");
}

void sh_metrics_head(struct sh_buffer *out, const struct sh_metric_head *head,
                     bool openmetrics)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};
    sh_buffer_text(out, "# HELP ");
    family_name(out, head, openmetrics);
    sh_buffer_text(out, " ");
    escaped(out, head->help, openmetrics);
    sh_buffer_text(out, "\n# TYPE ");
    family_name(out, head, openmetrics);
    sh_buffer_printf(out, " %s\n", kinds[head->kind]);
}

/* `le` is the bound of a bucket, or NULL. */
static void labels(struct sh_buffer *out, const struct sh_series *series, const char *le)
{
    size_t count = sh_family_labels(series->family);
    if (count == 0 && !le)
        return;
    sh_buffer_text(out, "{");
    for (size_t i = 0; i < count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        sh_metrics_label(out, series->family->labels[i], series->values[i]);
    }
    if (le) {
        if (count > 0)
            sh_buffer_text(out, ",");
        sh_metrics_label(out, "le", le);
    }
    sh_buffer_text(out, "}");
}

/* OpenMetrics wants "1.0" where the older format has always had "1". */
static void bound_text(double bound, bool openmetrics, char text[static 32])
{
    sh_number_text(bound, text);
    if (openmetrics && !strpbrk(text, ".e"))
        memcpy(text + strlen(text), ".0", 3); /* a whole number has at most 17 digits */
}

static void bucket(struct sh_buffer *out, const struct sh_series *series, const char *le,
                   uint64_t count)
{
    sh_buffer_text(out, series->family->name);
    sh_buffer_text(out, "_bucket");
    labels(out, series, le);
    sh_buffer_printf(out, " %llu\n", (unsigned long long)count);
}

/* The count is the sum of the buckets as read here, so that the lines always agree. */
static void histogram(struct sh_buffer *out, const struct sh_series *series,
                      bool openmetrics)
{
    const double *bounds = sh_family_buckets(series->family);
    uint64_t count = 0;
    char le[32];
    for (size_t i = 0; i < series->bucket_count; i++) {
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
        bound_text(bounds[i], openmetrics, le);
        bucket(out, series, le, count);
    }
    count += atomic_load_explicit(&series->buckets[series->bucket_count],
                                  memory_order_relaxed);
    bucket(out, series, "+Inf", count);

    sh_buffer_text(out, series->family->name);
    sh_buffer_text(out, "_sum");
    labels(out, series, NULL);
    sh_buffer_text(out, " ");
    sh_metrics_value(out, sh_series_value(series));
    sh_buffer_printf(out, "\n%s_count", series->family->name);
    labels(out, series, NULL);
    sh_buffer_printf(out, " %llu\n", (unsigned long long)count);
}

static void family(struct sh_buffer *out, struct sh_family *family, bool openmetrics)
{
    struct sh_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    if (!series)
        return;
    struct sh_metric_head head = {family->kind, family->name, family->help};
    sh_metrics_head(out, &head, openmetrics);
    for (; series; series = series->next) {
        if (family->kind == SH_HISTOGRAM) {
            histogram(out, series, openmetrics);
            continue;
        }
        sample_name(out, family, openmetrics);
        labels(out, series, NULL);
        sh_buffer_text(out, " ");
        sh_metrics_value(out, sh_series_value(series));
        sh_buffer_text(out, "\n");
    }
}

void sh_metrics_render(struct sh_buffer *out, bool openmetrics)
{
    sh_metrics_run_scrape_hooks();
    struct sh_family *at = sh_metrics_first();
    for (; at; at = atomic_load_explicit(&at->next, memory_order_acquire))
        family(out, at, openmetrics);
    sh_metrics_process(out, openmetrics);
    if (openmetrics)
        sh_buffer_text(out, "# EOF\n");
}
