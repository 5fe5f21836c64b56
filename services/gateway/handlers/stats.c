/* GET /api/admin/stats: the figures of the whole system, asked for now: every replica of
 * every service over the bus, and Redis. What cannot be had is null, and holds nobody up
 * for longer than READ_TIMEOUT_MS. Of the gateways this one alone is known. */
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/health/census.h"
#include "shared/clock.h"
#include "shared/metrics.h"

#ifndef CAIRN_VERSION
#define CAIRN_VERSION "unknown"
#endif

/* Outlives the exchange when the client leaves: a command to Redis cannot be taken back.
 */
struct stats {
    struct exchange *x; /* NULL: nobody waits any more */
    struct census *census;
    bool asking_redis;
    json_t *services;
    json_t *cache;
    size_t db_pool;
    size_t db_active;
};

static void set_integer(json_t *object, const char *name, double value)
{
    json_object_set_new(object, name,
                        json_integer(value > 0 ? (json_int_t)value : (json_int_t)0));
}

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_string(text));
}

/* --- the answer ------------------------------------------------------------------- */

static json_t *system_of(void)
{
    json_t *json = json_object();

    json_object_set_new(json, "uptime", json_real(sh_wall_time() - sh_process_started()));
    set_integer(json, "requests_total", (double)meter_requests());
    json_object_set_new(json, "avg_response_time", json_real(meter_mean_ms() / 1000));
    return json;
}

static json_t *pool_of(double size, double active)
{
    json_t *json = json_object();

    set_integer(json, "pool_size", size);
    set_integer(json, "active_connections", active);
    return json;
}

/* Answers to searches that are kept; null: none are. */
static json_t *answers_of(const struct cache *cache)
{
    if (cache == NULL)
        return json_null();
    struct cache_figures figures = cache_figures(cache);
    json_t *json = json_object();

    set_integer(json, "entries", (double)figures.entries);
    set_integer(json, "bytes", (double)figures.bytes);
    set_integer(json, "hits", (double)figures.hits);
    set_integer(json, "misses", (double)figures.misses);
    return json;
}

static json_t *self_of(const struct gateway *gateway, json_t *pool)
{
    struct service_facts facts = {0};
    json_t *json = json_object();

    facts_set_own(&facts, gateway->health);
    set_text(json, "status", facts.status);
    set_text(json, "version", CAIRN_VERSION);
    json_object_set_new(json, "uptime", json_real(sh_wall_time() - sh_process_started()));
    json_object_set_new(json, "cpu_seconds", json_real(sh_cpu_seconds()));
    set_integer(json, "resident_bytes", sh_resident_bytes());
    set_integer(json, "requests_total", (double)meter_requests());
    json_object_set_new(json, "database", pool);
    json_object_set_new(json, "answers", answers_of(gateway->answers));
    json_object_set_new(json, "checks", facts.checks);
    return json;
}

/* Those of the services are there; this process adds its own. */
static json_t *page_of(const struct gateway *gateway, struct stats *stats)
{
    double pool = sh_metrics_sum("cairn_pg_pool_size");
    double active = sh_metrics_sum("vector_search_active_connections");
    json_t *page = json_object();
    json_t *self = self_of(gateway, pool_of(pool, active));

    json_object_set_new(stats->services, "gateway",
                        json_pack("{s:[o],s:i}", "replicas", self, "absent", 0));
    json_object_set_new(
        page, "database",
        pool_of(pool + (double)stats->db_pool, active + (double)stats->db_active));
    json_object_set(page, "cache", stats->cache);
    json_object_set_new(page, "system", system_of());
    json_object_set(page, "services", stats->services);
    return page;
}

static void answer(struct exchange *x, struct stats *stats)
{
    json_t *page = page_of(x->edge->gateway, stats);
    char *text = json_dumps(page, JSON_COMPACT | JSON_REAL_PRECISION(12));

    json_decref(page);
    x->state = NULL;
    x->abandoned = NULL;
    if (text == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    sh_buffer_text(exchange_out(x), text);
    free(text); /* jansson's */
    exchange_answer(x, 200);
}

/* Answer and go, as soon as nothing is awaited any more. */
static void settle(struct stats *stats)
{
    struct exchange *x = stats->x;

    if (stats->census != NULL || stats->asking_redis)
        return;
    if (x != NULL)
        answer(x, stats);
    json_decref(stats->services);
    json_decref(stats->cache);
    sh_free(stats);
}

static void on_left(struct exchange *x)
{
    struct stats *stats = x->state;

    stats->x = NULL;
    census_cancel(&stats->census);
    settle(stats);
}

/* --- the services ----------------------------------------------------------------- */

static json_t *replica_of(const struct service_facts *facts)
{
    json_t *json = json_object();

    set_text(json, "status", facts->reached ? facts->status : "unreachable");
    if (!facts->reached)
        return json;
    set_text(json, "instance", facts->instance);
    set_text(json, "version", facts->version);
    json_object_set_new(json, "response_time", json_real(facts->response_time_s));
    json_object_set_new(json, "uptime", json_real(facts->uptime_s));
    json_object_set_new(json, "cpu_seconds", json_real(facts->cpu_s));
    set_integer(json, "resident_bytes", (double)facts->resident_bytes);
    set_integer(json, "requests_total", (double)facts->requests);
    set_integer(json, "in_flight", facts->in_flight);
    json_object_set_new(json, "database", pool_of(facts->db_pool, facts->db_active));
    json_object_set(json, "checks", facts->checks);
    return json;
}

static void on_census(void *arg, const struct census_answer *census)
{
    struct stats *stats = arg;
    json_t *replicas[PEER_COUNT];

    stats->census = NULL;
    for (int p = 0; p < PEER_COUNT; p++) {
        json_t *service = json_object();
        replicas[p] = json_array();
        json_object_set_new(service, "replicas", replicas[p]);
        set_integer(service, "absent", (double)census->absent[p]);
        json_object_set_new(stats->services, peer_name((enum peer)p), service);
    }
    for (size_t i = 0; i < census->count; i++) {
        const struct census_replica *one = &census->replicas[i];
        json_array_append_new(replicas[one->peer], replica_of(&one->facts));
        stats->db_pool += one->facts.db_pool;
        stats->db_active += one->facts.db_active;
    }
    settle(stats);
}

/* --- Redis ------------------------------------------------------------------------ */

static const char *const redis_figures[] = {"connected_clients", "keyspace_hits",
                                            "keyspace_misses"};

/* A line "name:12345" of INFO. False: there is none. */
static bool info_figure(struct sh_bytes info, const char *name, double *value)
{
    size_t len = strlen(name);
    const char *at = info.data, *end = at + info.len;

    while (at != NULL && at < end) {
        size_t left = (size_t)(end - at);
        if (left > len + 1 && memcmp(at, name, len) == 0 && at[len] == ':' &&
            at[len + 1] >= '0' && at[len + 1] <= '9') {
            *value = strtod(at + len + 1, NULL); /* hiredis ends texts with a NUL */
            return true;
        }
        at = memchr(at, '\n', left);
        at = at != NULL ? at + 1 : NULL;
    }
    return false;
}

static void read_info(json_t *cache, struct sh_bytes info)
{
    char text[32];
    double value;

    if (info_figure(info, "used_memory", &value)) {
        (void)snprintf(text, sizeof text, "%.1fMB", value / 1048576);
        set_text(cache, "used_memory", text);
    }
    for (size_t i = 0; i < SH_COUNT(redis_figures); i++)
        if (info_figure(info, redis_figures[i], &value))
            set_integer(cache, redis_figures[i], value);
}

static void on_info(void *arg, enum sh_err err, const redisReply *reply)
{
    struct stats *stats = arg;

    stats->asking_redis = false;
    if (err == SH_OK && reply->type == REDIS_REPLY_STRING)
        read_info(stats->cache, (struct sh_bytes){reply->str, reply->len});
    settle(stats);
}

static void ask_redis(struct stats *stats, struct sh_redis *redis)
{
    static const struct sh_bytes info = {"INFO", 4};

    json_object_set_new(stats->cache, "used_memory", json_null());
    for (size_t i = 0; i < SH_COUNT(redis_figures); i++)
        json_object_set_new(stats->cache, redis_figures[i], json_null());
    stats->asking_redis = sh_redis_command(redis, 1, &info, on_info, stats) == SH_OK;
}

void admin_stats(struct exchange *x, void *unused)
{
    struct stats *stats = sh_alloc(sizeof *stats);

    (void)unused;
    if (stats == NULL || census_ask(x->edge, x->edge->gateway->config.read_timeout_ms,
                                    on_census, stats, &stats->census) != SH_OK) {
        sh_free(stats);
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    stats->x = x;
    stats->services = json_object();
    stats->cache = json_object();
    x->state = stats;
    x->abandoned = on_left;
    ask_redis(stats, x->edge->redis);
}
