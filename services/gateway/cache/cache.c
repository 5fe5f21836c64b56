#include "services/gateway/cache/cache.h"

#include "shared/clock.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { REDIS_MS = 50 };

SH_SETTINGS_DEFINE(cache, "Result cache", CACHE_SETTINGS)

static struct sh_family operations = {
    .kind = SH_COUNTER,
    .name = "cache_operations_total",
    .help = "What became of searches at the result cache, and what it asked of Redis.",
    .labels = {"operation", "status"},
};
static struct sh_family entries = {
    .kind = SH_GAUGE,
    .name = "cairn_gateway_cache_entries",
    .help = "Answers to searches that are kept in memory.",
};
static struct sh_family held_bytes = {
    .kind = SH_GAUGE,
    .name = "cairn_gateway_cache_bytes",
    .help = "Memory that they take.",
};

static struct sh_series *series_of(enum cache_operation operation, bool good)
{
    static const char *const names[CACHE_OPERATIONS] = {"hit", "miss", "shared", "bypass",
                                                        "set", "get",  "clear"};
    static _Atomic(struct sh_series *) kept[CACHE_OPERATIONS][2];
    struct sh_series *series = atomic_load(&kept[operation][good]);

    if (series == NULL) {
        series = sh_series(
            &operations, (const char *[]){names[operation], good ? "success" : "error"});
        atomic_store(&kept[operation][good], series);
    }
    return series;
}

void cache_count(enum cache_operation operation, bool good)
{
    sh_series_add(series_of(operation, good), 1);
}

struct cache_figures cache_figures(const struct cache *self)
{
    struct cache_figures figures = {
        .hits = (uint64_t)(sh_series_value(series_of(CACHE_HIT, true)) +
                           sh_series_value(series_of(CACHE_SHARED, true))),
        .misses = (uint64_t)sh_series_value(series_of(CACHE_MISS, true))};

    shelf_figures(self->shelf, &figures.entries, &figures.bytes);
    return figures;
}

static void on_scrape(void *arg)
{
    struct cache *self = arg;
    size_t items = 0, bytes = 0;

    shelf_figures(self->shelf, &items, &bytes);
    sh_series_set(sh_series(&entries, NULL), (double)items);
    sh_series_set(sh_series(&held_bytes, NULL), (double)bytes);
}

enum sh_err cache_create(const struct cache_config *config, struct cache **out)
{
    struct cache *self = sh_alloc(sizeof *self);
    enum sh_err err = SH_NOMEM;

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    self->ttl_s = config->ttl_s;
    self->redis_ms = REDIS_MS;
    err = shelf_create((size_t)config->memory_mb << 20, &self->shelf);
    if (err == SH_OK)
        err = sh_metrics_on_scrape(on_scrape, self);
    if (err != SH_OK) {
        shelf_free(&self->shelf);
        sh_free(self);
        return err;
    }
    *out = self;
    return SH_OK;
}

void cache_free(struct cache **self_in)
{
    struct cache *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    sh_metrics_off_scrape(on_scrape, self);
    shelf_free(&self->shelf);
    sh_free(self);
}

size_t cache_clear(struct cache *self)
{
    atomic_fetch_add(&self->clears, 1);
    return shelf_clear(self->shelf);
}

uint64_t cache_now_ms(void)
{
    return (uint64_t)(sh_wall_time() * 1000);
}
