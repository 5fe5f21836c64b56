#include "libshared/src/metrics_series.h"

#include <assert.h>
#include <pthread.h>
#include <string.h>

#include "shared/mem.h"

/* A label with unbounded values shows as a count here instead of eating the memory. */
enum { SERIES_MAX = 1000, HOOKS_MAX = 64 };

static const double default_buckets[] = {0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1,
                                         0.25,  0.5,    1,     2.5,  5,     10,   0};

static pthread_mutex_t registry_lock = PTHREAD_MUTEX_INITIALIZER;
static _Atomic(struct sh_family *) first_family;
static struct sh_family *last_family;

static struct sh_family dropped = {
    .kind = SH_COUNTER,
    .name = "cairn_metrics_series_dropped_total",
    .help = "Updates lost because a family had too many series or memory ran out.",
};

static pthread_mutex_t hooks_lock = PTHREAD_MUTEX_INITIALIZER;
static struct {
    sh_scrape_fn *fn;
    void *arg;
} hooks[HOOKS_MAX];
static size_t hook_count;

/* --- registry --------------------------------------------------------------------- */

const double *sh_family_buckets(const struct sh_family *family)
{
    return family->buckets ? family->buckets : default_buckets;
}

size_t sh_family_labels(const struct sh_family *family)
{
    size_t count = 0;
    while (count < SH_LABELS_MAX && family->labels[count])
        count++;
    return count;
}

struct sh_family *sh_metrics_first(void)
{
    return atomic_load_explicit(&first_family, memory_order_acquire);
}

/* Under the lock. `next` of the last family is written before anybody can follow it: the
 * renderer walks without the lock, but `registered` and the head are published after. */
static void register_family(struct sh_family *family)
{
    if (atomic_load_explicit(&family->registered, memory_order_relaxed))
        return;
    if (last_family)
        atomic_store_explicit(&last_family->next, family, memory_order_release);
    else
        atomic_store_explicit(&first_family, family, memory_order_release);
    last_family = family;
    atomic_store_explicit(&family->registered, true, memory_order_release);
}

/* FNV-1a. */
static uint64_t hash_of(const char *const *values, size_t count)
{
    uint64_t hash = 0xcbf29ce484222325;
    for (size_t i = 0; i < count; i++) {
        for (const char *at = values[i]; *at != '\0'; at++)
            hash = (hash ^ (unsigned char)*at) * 0x100000001b3;
        hash *= 0x100000001b3; /* where one ends */
    }
    return hash;
}

static bool same_values(const struct sh_series *series, const char *const *values,
                        size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcmp(series->values[i], values[i]) != 0)
            return false;
    }
    return true;
}

/* `*seen` becomes the number of series passed. */
static struct sh_series *find(struct sh_family *family, const char *const *values,
                              size_t count, size_t *seen)
{
    struct sh_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    uint64_t hash = hash_of(values, count);
    *seen = 0;
    while (series && !(series->hash == hash && same_values(series, values, count))) {
        series = series->next;
        ++*seen;
    }
    return series;
}

static void free_series(struct sh_series *series, size_t labels)
{
    for (size_t i = 0; series->values && i < labels; i++)
        sh_free(series->values[i]);
    sh_free(series->values);
    sh_free(series->buckets);
    sh_free(series);
}

static bool fill_series(struct sh_series *series, const char *const *values, size_t count)
{
    series->values = sh_alloc_array(count, sizeof(char *));
    if (!series->values)
        return false;
    for (size_t i = 0; i < count; i++) {
        series->values[i] = sh_strdup(values[i]);
        if (!series->values[i])
            return false;
    }
    if (series->family->kind != SH_HISTOGRAM)
        return true;
    const double *bounds = sh_family_buckets(series->family);
    while (bounds[series->bucket_count] != 0)
        series->bucket_count++;
    series->buckets = sh_alloc_array(series->bucket_count + 1, sizeof(*series->buckets));
    return series->buckets != NULL;
}

static struct sh_series *new_series(struct sh_family *family, const char *const *values,
                                    size_t count)
{
    struct sh_series *series = sh_alloc(sizeof(*series));
    if (!series)
        return NULL;
    series->family = family;
    series->hash = hash_of(values, count);
    if (fill_series(series, values, count))
        return series;
    free_series(series, count);
    return NULL;
}

static struct sh_series *find_or_add(struct sh_family *family, const char *const *values,
                                     size_t count)
{
    size_t seen;
    struct sh_series *series = find(family, values, count, &seen);
    if (series || seen >= SERIES_MAX)
        return series;
    series = new_series(family, values, count);
    if (!series)
        return NULL;
    series->next = atomic_load_explicit(&family->first, memory_order_relaxed);
    atomic_store_explicit(&family->first, series, memory_order_release);
    return series;
}

/* What is measured here goes nowhere, but shows as a count. */
static struct sh_series *nowhere(const struct sh_family *family)
{
    static struct sh_series sink;
    if (family != &dropped)
        sh_series_add(sh_series(&dropped, NULL), 1);
    return &sink;
}

struct sh_series *sh_series(struct sh_family *family, const char *const *values)
{
    size_t count = sh_family_labels(family);
    size_t seen;
    assert(values || count == 0);
    struct sh_series *series = find(family, values, count, &seen);
    if (series)
        return series;

    pthread_mutex_lock(&registry_lock);
    register_family(family);
    series = find_or_add(family, values, count);
    pthread_mutex_unlock(&registry_lock);
    return series ? series : nowhere(family);
}

/* --- updates ---------------------------------------------------------------------- */

void sh_series_add(struct sh_series *series, double amount)
{
    double old = atomic_load_explicit(&series->value, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(
        &series->value, &old, old + amount, memory_order_relaxed, memory_order_relaxed))
        ;
}

void sh_series_set(struct sh_series *series, double value)
{
    atomic_store_explicit(&series->value, value, memory_order_relaxed);
}

void sh_series_observe(struct sh_series *series, double value)
{
    if (!series->buckets)
        return;
    const double *bounds = sh_family_buckets(series->family);
    size_t i = 0;
    while (i < series->bucket_count && value > bounds[i])
        i++;
    atomic_fetch_add_explicit(&series->buckets[i], 1, memory_order_relaxed);
    sh_series_add(series, value);
}

double sh_series_value(const struct sh_series *series)
{
    return atomic_load_explicit(&series->value, memory_order_relaxed);
}

uint64_t sh_series_count(const struct sh_series *series)
{
    uint64_t count = 0;
    for (size_t i = 0; series->buckets && i <= series->bucket_count; i++)
        count += atomic_load_explicit(&series->buckets[i], memory_order_relaxed);
    return count;
}

uint64_t sh_series_bucket(const struct sh_series *series, size_t bound)
{
    if (!series->buckets || bound > series->bucket_count)
        return 0;
    return atomic_load_explicit(&series->buckets[bound], memory_order_relaxed);
}

/* --- hooks ------------------------------------------------------------------------ */

enum sh_err sh_metrics_on_scrape(sh_scrape_fn *fn, void *arg)
{
    enum sh_err err = SH_TOOBIG;
    pthread_mutex_lock(&hooks_lock);
    if (hook_count < HOOKS_MAX) {
        hooks[hook_count].fn = fn;
        hooks[hook_count].arg = arg;
        hook_count++;
        err = SH_OK;
    }
    pthread_mutex_unlock(&hooks_lock);
    return err;
}

void sh_metrics_off_scrape(sh_scrape_fn *fn, void *arg)
{
    pthread_mutex_lock(&hooks_lock);
    for (size_t i = 0; i < hook_count; i++) {
        if (hooks[i].fn == fn && hooks[i].arg == arg) {
            hooks[i] = hooks[--hook_count];
            break;
        }
    }
    pthread_mutex_unlock(&hooks_lock);
}

/* With the lock held, so that what a hook uses cannot go away meanwhile. */
void sh_metrics_run_scrape_hooks(void)
{
    pthread_mutex_lock(&hooks_lock);
    for (size_t i = 0; i < hook_count; i++)
        hooks[i].fn(hooks[i].arg);
    pthread_mutex_unlock(&hooks_lock);
}

/* --- families --------------------------------------------------------------------- */

void sh_metrics_each(const char *name, sh_series_fn *fn, void *arg)
{
    struct sh_family *family = sh_metrics_first();
    while (family && strcmp(family->name, name) != 0)
        family = atomic_load_explicit(&family->next, memory_order_acquire);
    if (!family)
        return;
    struct sh_series *series = atomic_load_explicit(&family->first, memory_order_acquire);
    for (; series; series = series->next)
        fn(arg, (const char *const *)series->values, sh_series_value(series));
}

static void add_up(void *arg, const char *const *values, double value)
{
    (void)values;
    *(double *)arg += value;
}

double sh_metrics_sum(const char *name)
{
    double sum = 0;
    sh_metrics_each(name, add_up, &sum);
    return sum;
}
