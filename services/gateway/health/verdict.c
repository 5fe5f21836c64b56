/* From facts to a verdict: each part of the system, and the whole. What everything rests
 * on (search, and the database as search sees it) makes the whole unhealthy; anything
 * else degrades it. */
#include <math.h>
#include <stdio.h>

#include "services/gateway/health/facts.h"
#include "shared/clock.h"

struct judge {
    const struct facts *facts;
    const struct health_config *config;
    bool wordy;
    struct verdict *verdict;
};

const char *health_rank_text(enum health_rank rank)
{
    static const char *const texts[] = {"healthy", "degraded", "unhealthy"};
    return texts[rank];
}

static void add_number(json_t *part, const char *name, double value)
{
    json_object_set_new(part, name, isfinite(value) ? json_real(value) : json_null());
}

/* Count the part in: `worst` is what the whole becomes at most because of it. */
static void settle(struct judge *judge, const char *name, json_t *part,
                   enum health_rank rank, enum health_rank worst, const char *why)
{
    struct verdict *verdict = judge->verdict;
    enum health_rank counts = rank < worst ? rank : worst;
    char issue[640];

    json_object_set_new(part, "healthy", json_boolean(rank != RANK_UNHEALTHY));
    json_object_set_new(part, "status", json_string(health_rank_text(rank)));
    json_object_set_new(verdict->components, name, part);
    if (rank == RANK_HEALTHY)
        return;
    if (counts > verdict->rank)
        verdict->rank = counts;
    (void)snprintf(issue, sizeof issue, "%s: %s", name, why);
    json_array_append_new(verdict->issues, json_string(issue));
}

static enum health_rank rank_of(const char *status)
{
    if (strcmp(status, "healthy") == 0)
        return RANK_HEALTHY;
    return strcmp(status, "degraded") == 0 ? RANK_DEGRADED : RANK_UNHEALTHY;
}

/* A copy of the figures of one check of a service; {} when it has no such check. */
static json_t *copy_check(const struct judge *judge, const struct service_facts *service,
                          const char *name)
{
    json_t *check = json_object_get(service->checks, name);
    json_t *copy = check != NULL ? json_deep_copy(check) : json_object();

    if (!judge->wordy)
        json_object_del(copy, "message");
    return copy;
}

static const char *reason(const struct judge *judge, const json_t *part,
                          const char *otherwise)
{
    const char *message = json_string_value(json_object_get(part, "message"));
    return judge->wordy && message != NULL ? message : otherwise;
}

static void judge_app(struct judge *judge)
{
    json_t *part = json_object();

    add_number(part, "uptime", judge->facts->now - judge->facts->started);
    settle(judge, "app", part, judge->facts->draining ? RANK_UNHEALTHY : RANK_HEALTHY,
           RANK_UNHEALTHY, "the gateway is stopping");
}

/* What a check says; `otherwise` when there is no such check. */
static enum health_rank rank_of_check(const json_t *check, enum health_rank otherwise)
{
    const char *status = json_string_value(json_object_get(check, "status"));
    return status != NULL ? rank_of(status) : otherwise;
}

static void add_count(json_t *part, const char *name, double count)
{
    if (count >= 0)
        json_object_set_new(part, name, json_integer((json_int_t)count));
}

/* Search and the gateway each have their own connections. Without search's there are no
 * writes and no fresh data; without the gateway's no accounts and no audit. */
static void judge_database(struct judge *judge)
{
    const struct facts *facts = judge->facts;
    const struct service_facts *search = &facts->services[PEER_SEARCH];
    const json_t *own = json_object_get(facts->gateway.checks, "database");
    json_t *part =
        copy_check(judge, search->reached ? search : &facts->gateway, "database");
    enum health_rank rank = rank_of_check(part, RANK_UNHEALTHY);
    const char *why = "not known to answer";

    if (rank == RANK_HEALTHY && rank_of_check(own, RANK_HEALTHY) != RANK_HEALTHY) {
        rank = RANK_DEGRADED;
        why = "the gateway's own connections are down";
    } else if (rank == RANK_HEALTHY && facts->tables_known && !facts->tables_there) {
        rank = RANK_DEGRADED;
        why = "the table of accounts is not there: run cairn-migrate";
    }
    add_count(part, "chunk_count", facts_figure(search, "chunk_count", -1));
    add_count(part, "pool_size",
              facts_figure(search->reached ? search : &facts->gateway, "pool_size", -1));
    settle(judge, "database", part, rank, RANK_UNHEALTHY, reason(judge, part, why));
}

/* The text index shows what PostgreSQL holds but for what was committed since `lag`. */
static void judge_text(struct judge *judge)
{
    const struct service_facts *search = &judge->facts->services[PEER_SEARCH];
    double lag = facts_figure(search, "lag_seconds", (double)NAN);
    bool behind = lag > judge->config->index_max_lag_s;
    enum health_rank rank = behind ? RANK_DEGRADED : RANK_HEALTHY;
    json_t *part = json_object();

    if (!search->reached)
        rank = RANK_UNHEALTHY;
    add_count(part, "indexed_entries", facts_figure(search, "chunk_count", -1));
    add_number(part, "lag_seconds", search->reached ? lag : (double)NAN);
    settle(judge, "fts_search", part, rank, RANK_DEGRADED,
           behind ? "it does not show what was stored a while ago" : "search is away");
}

/* How long the last text took; when there was none, how long the service takes to answer.
 */
static double embedding_time(const struct service_facts *embedder)
{
    const json_t *check = json_object_get(embedder->checks, "embedding_service");
    const json_t *seconds = json_object_get(check, "response_time");
    return json_is_number(seconds) ? json_number_value(seconds)
                                   : embedder->response_time_s;
}

static void judge_embedder(struct judge *judge)
{
    const struct service_facts *embedder = &judge->facts->services[PEER_EMBEDDER];
    json_t *part = json_object();
    double length = facts_figure(embedder, "embedding_length", -1);
    double seconds = embedding_time(embedder);

    if (length < 0)
        length = facts_figure(embedder, "dimension", -1);
    if (length >= 0)
        json_object_set_new(part, "embedding_length", json_integer((json_int_t)length));
    add_number(part, "response_time", embedder->reached ? seconds : (double)NAN);
    settle(judge, "embedding_service", part,
           embedder->reached ? rank_of(embedder->status) : RANK_UNHEALTHY, RANK_DEGRADED,
           embedder->reached ? "it cannot embed at the moment" : "the embedder is away");
}

static void judge_cache(struct judge *judge)
{
    json_t *part = copy_check(judge, &judge->facts->gateway, "cache");
    enum health_rank rank = rank_of_check(part, RANK_UNHEALTHY);

    json_object_set_new(part, "connection_active", json_boolean(rank == RANK_HEALTHY));
    if (json_object_get(part, "response_time") == NULL)
        json_object_set_new(part, "response_time", json_null());
    settle(judge, "cache", part, rank, RANK_DEGRADED,
           reason(judge, part, "the cache is away"));
}

static void judge_search(struct judge *judge)
{
    const struct facts *facts = judge->facts;
    bool reached = facts->services[PEER_SEARCH].reached;
    bool works = reached && facts->probe_ran;
    enum health_rank rank = works ? RANK_HEALTHY : RANK_UNHEALTHY;
    json_t *part = json_object();

    if (works && facts->probe_degraded)
        rank = RANK_DEGRADED;
    add_number(part, "response_time", works ? facts->probe_time_s : (double)NAN);
    json_object_set_new(part, "results_returned",
                        json_integer(works ? (json_int_t)facts->probe_results : 0));
    json_object_set_new(part, "end_to_end_functional", json_boolean(works));
    settle(judge, "search_functionality", part, rank, RANK_UNHEALTHY,
           works     ? "it answers from the text index alone"
           : reached ? "a search does not come back"
                     : "search is away");
}

static void judge_graph(struct judge *judge)
{
    const struct service_facts *graph = &judge->facts->services[PEER_GRAPH];
    json_t *part = json_object();

    if (!judge->config->graph_enabled) {
        settle(judge, "graph", part, RANK_HEALTHY, RANK_HEALTHY, "");
        json_object_set_new(part, "status", json_string("not_configured"));
        return;
    }
    add_number(part, "response_time",
               graph->reached ? graph->response_time_s : (double)NAN);
    settle(judge, "graph", part, graph->reached ? rank_of(graph->status) : RANK_UNHEALTHY,
           RANK_DEGRADED, graph->reached ? "the graph is not complete" : "graph is away");
}

/* What the service has against its backups is one of its own fixed sentences. */
static const char *backups_trouble(const struct service_facts *backup)
{
    const json_t *check = json_object_get(backup->checks, "backups");
    const char *said = json_string_value(json_object_get(check, "message"));

    return said != NULL && said[0] != '\0' ? said : "backup is not well";
}

static void judge_backups(struct judge *judge)
{
    const struct facts *facts = judge->facts;
    const struct service_facts *backup = &facts->services[PEER_BACKUP];
    double age_h = (facts->now - facts->latest_backup) / 3600;
    bool late = facts->latest_backup > 0 && age_h >= judge->config->backup_max_age_h;
    bool troubled = backup->reached && rank_of(backup->status) != RANK_HEALTHY;
    enum health_rank rank = late || troubled ? RANK_DEGRADED : RANK_HEALTHY;
    json_t *part = json_object();
    char text[32];

    if (!backup->reached)
        rank = RANK_UNHEALTHY;
    if (facts->latest_backup > 0)
        sh_wall_text(facts->latest_backup, text);
    json_object_set_new(part, "latest_backup",
                        facts->latest_backup > 0 ? json_string(text) : json_null());
    add_number(part, "age_hours", facts->latest_backup > 0 ? age_h : (double)NAN);
    settle(judge, "backups", part, rank, RANK_DEGRADED,
           !backup->reached ? "backup is away"
           : late           ? "the newest backup is too old"
                            : backups_trouble(backup));
}

static void judge_machine(struct judge *judge)
{
    const struct own_figures *own = &judge->facts->own;
    bool full =
        own->disk_known && own->disk_free_percent < judge->config->disk_min_free_percent;
    bool short_of = own->memory_known &&
                    own->memory_used_percent > judge->config->memory_max_used_percent;
    json_t *disk = json_object(), *memory = json_object();

    add_number(disk, "free_gb", own->disk_known ? own->disk_free_gb : (double)NAN);
    add_number(disk, "free_percent",
               own->disk_known ? own->disk_free_percent : (double)NAN);
    add_number(memory, "used_percent",
               own->memory_known ? own->memory_used_percent : (double)NAN);
    settle(judge, "disk", disk, full ? RANK_UNHEALTHY : RANK_HEALTHY, RANK_DEGRADED,
           "little free space");
    settle(judge, "memory", memory, short_of ? RANK_UNHEALTHY : RANK_HEALTHY,
           RANK_DEGRADED, "little free memory");
}

static void judge_speed(struct judge *judge)
{
    double mean = judge->facts->mean_search_ms;
    double most = judge->config->max_response_ms;
    json_t *part = json_object();
    char why[160];

    (void)snprintf(
        why, sizeof why,
        "searches of the last 15 minutes took %.0f ms in the mean, more than the %.0f "
        "of HEALTH_MAX_RESPONSE_MS",
        mean, most);
    add_number(part, "avg_response_time_ms", mean);
    settle(judge, "performance", part, mean > most ? RANK_DEGRADED : RANK_HEALTHY,
           RANK_DEGRADED, why);
}

bool verdict_reach(const struct facts *facts, const struct health_config *config,
                   bool wordy, struct verdict *out)
{
    struct judge judge = {facts, config, wordy, out};

    *out = (struct verdict){.components = json_object(), .issues = json_array()};
    if (out->components == NULL || out->issues == NULL) {
        verdict_free(out);
        return false;
    }
    judge_app(&judge);
    judge_database(&judge);
    judge_text(&judge);
    judge_embedder(&judge);
    judge_cache(&judge);
    judge_search(&judge);
    judge_graph(&judge);
    judge_backups(&judge);
    judge_machine(&judge);
    judge_speed(&judge);
    return true;
}

void verdict_free(struct verdict *verdict)
{
    json_decref(verdict->components);
    json_decref(verdict->issues);
    *verdict = (struct verdict){0};
}

bool verdict_healthy(const struct verdict *verdict, const char *component)
{
    json_t *part = json_object_get(verdict->components, component);
    return json_is_true(json_object_get(part, "healthy"));
}
