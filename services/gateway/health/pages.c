/* The pages of the board: the union shape, the detailed one, and the exact shape of each
 * original monitor. */
#include <stdlib.h>

#include "services/gateway/health/facts.h"
#include "shared/clock.h"

#ifndef CAIRN_VERSION
#define CAIRN_VERSION "unknown"
#endif

struct writer {
    const struct facts *facts;
    const struct verdict *verdict;
    struct board_set *set;
};

static void set_text(json_t *object, const char *name, const char *text)
{
    json_object_set_new(object, name, json_string(text));
}

static void set_bool(json_t *object, const char *name, bool value)
{
    json_object_set_new(object, name, json_boolean(value));
}

/* What would change something is refused, and for what. */
static void set_maintenance(const struct writer *w, json_t *page)
{
    const char *why = w->facts->maintenance;
    json_object_set_new(page, "maintenance", why ? json_string(why) : json_null());
}

static void set_time(json_t *object, double unix_seconds)
{
    char text[32];
    sh_wall_text(unix_seconds, text);
    set_text(object, "timestamp", text);
}

static json_t *component(const struct writer *w, const char *name)
{
    return json_object_get(w->verdict->components, name);
}

static const char *word(const struct writer *w, const char *name)
{
    const char *status = json_string_value(json_object_get(component(w, name), "status"));

    if (status != NULL && strcmp(status, "not_configured") == 0)
        return status;
    return verdict_healthy(w->verdict, name) ? "ok" : "error";
}

/* There the database is in order when accounts can be read from it. */
static const char *word_of_database(const struct writer *w)
{
    bool tables = !w->facts->tables_known || w->facts->tables_there;
    return tables ? word(w, "database") : "error";
}

/* Write the page and give up the object. */
static void write_page(struct writer *w, enum board_page page, int status, json_t *json)
{
    struct sh_buffer *body = &w->set->pages[page].body;
    char *text = json_dumps(json, JSON_COMPACT | JSON_REAL_PRECISION(13));

    w->set->pages[page].status = status;
    if (text != NULL)
        sh_buffer_text(body, text);
    else
        body->err = SH_NOMEM;
    free(text);
    json_decref(json);
}

/* 503 when unhealthy, in every shape but the Explorer's. */
static int status_of(const struct writer *w)
{
    return w->verdict->rank == RANK_UNHEALTHY ? 503 : 200;
}

static json_t *checks_of(const struct writer *w)
{
    json_t *checks = json_object();
    const char *name;
    json_t *part;

    json_object_foreach(w->verdict->components, name, part)
        set_bool(checks, name, json_is_true(json_object_get(part, "healthy")));
    set_bool(checks, "neo4j", verdict_healthy(w->verdict, "graph"));
    set_bool(checks, "disk_space", verdict_healthy(w->verdict, "disk"));
    return checks;
}

/* The parts under the names of the glossary's monitor, with the others beside them. */
static json_t *subsystems_of(const struct writer *w)
{
    const struct service_facts *search = &w->facts->services[PEER_SEARCH];
    json_t *all = json_deep_copy(w->verdict->components);
    double entries = facts_figure(search, "chunk_count", 0);

    json_object_set_new(json_object_get(all, "database"), "entry_count",
                        json_integer((json_int_t)entries));
    return all;
}

/* Those that it has, and no others. */
static json_t *six_of(const struct writer *w)
{
    static const char *const names[] = {"database", "fts_search", "disk",
                                        "memory",   "backups",    "performance"};
    json_t *all = subsystems_of(w);
    json_t *six = json_object();

    for (size_t i = 0; i < SH_COUNT(names); i++)
        json_object_set(six, names[i], json_object_get(all, names[i]));
    json_decref(all);
    return six;
}

static json_t *services_of(const struct writer *w)
{
    json_t *all = json_object();

    for (int p = 0; p < PEER_COUNT; p++) {
        const struct service_facts *service = &w->facts->services[p];
        json_t *one = json_object();
        set_text(one, "status", service->reached ? service->status : "unreachable");
        if (service->reached) {
            set_text(one, "version", service->version);
            json_object_set_new(one, "response_time",
                                json_real(service->response_time_s));
            json_object_set_new(one, "uptime", json_real(service->uptime_s));
            json_object_set_new(one, "resident_bytes",
                                json_integer((json_int_t)service->resident_bytes));
            json_object_set(one, "checks", service->checks);
        }
        json_object_set_new(all, peer_name((enum peer)p), one);
    }
    return all;
}

static json_t *union_of(const struct writer *w)
{
    const struct facts *facts = w->facts;
    bool healthy = w->verdict->rank != RANK_UNHEALTHY;
    json_t *page = json_object();
    json_t *components = json_copy(w->verdict->components);

    set_text(components, "db", word_of_database(w));
    set_text(components, "neo4j", word(w, "graph"));
    set_text(page, "status", health_rank_text(w->verdict->rank));
    set_bool(page, "healthy", healthy);
    set_bool(page, "overall_healthy", healthy);
    set_text(page, "version", CAIRN_VERSION);
    json_object_set_new(page, "timestamp", json_real(facts->now));
    json_object_set_new(page, "check_duration_ms", json_real(facts->check_duration_ms));
    json_object_set(page, "issues", w->verdict->issues);
    json_object_set_new(page, "components", components);
    json_object_set_new(page, "subsystems", subsystems_of(w));
    json_object_set_new(page, "checks", checks_of(w));
    set_maintenance(w, page);
    return page;
}

/* 001: three states, ISO time; a summary, or with every subsystem. */
static json_t *glossary_of(const struct writer *w, bool detailed)
{
    json_t *page = json_object();

    set_text(page, "status", health_rank_text(w->verdict->rank));
    set_bool(page, "healthy", w->verdict->rank != RANK_UNHEALTHY);
    set_time(page, w->facts->now);
    json_object_set_new(page, "check_duration_ms",
                        json_real(w->facts->check_duration_ms));
    json_object_set(page, "issues", w->verdict->issues);
    json_object_set_new(page, "subsystems", detailed ? subsystems_of(w) : six_of(w));
    if (detailed) {
        set_text(page, "version", CAIRN_VERSION);
        set_maintenance(w, page);
        json_object_set_new(page, "services", services_of(w));
    }
    return page;
}

/* 000: strings; a fault of the database or the graph stays inside the page. */
static json_t *garden_of(const struct writer *w)
{
    json_t *page = json_object();
    json_t *components = json_object();

    set_text(components, "app", word(w, "app"));
    const char *graph = word(w, "graph");
    set_text(components, "db", word_of_database(w));
    set_text(components, "neo4j",
             strcmp(graph, "error") == 0 ? "error: not reachable" : graph);
    set_text(page, "status", "ok");
    json_object_set_new(page, "components", components);
    set_text(page, "version", CAIRN_VERSION);
    set_time(page, w->facts->now);
    return page;
}

/* 002: booleans; any that is false makes it 503. */
static void write_checks(struct writer *w)
{
    static const char *const parts[][2] = {{"database", "database"},
                                           {"neo4j", "graph"},
                                           {"disk_space", "disk"},
                                           {"memory", "memory"}};
    json_t *page = json_object();
    json_t *checks = json_object();
    bool all = true;

    for (size_t i = 0; i < SH_COUNT(parts); i++) {
        bool healthy = verdict_healthy(w->verdict, parts[i][1]);
        set_bool(checks, parts[i][0], healthy);
        all = all && healthy;
    }
    set_text(page, "status", all ? "healthy" : "unhealthy");
    json_object_set_new(page, "checks", checks);
    set_time(page, w->facts->now);
    write_page(w, PAGE_CHECKS, all ? 200 : 503, page);
}

/* 004: four components as objects, time as a number. */
static json_t *vector_of(const struct writer *w)
{
    static const char *const parts[] = {"database", "embedding_service", "cache",
                                        "search_functionality"};
    json_t *page = json_object();
    json_t *components = json_object();

    for (size_t i = 0; i < SH_COUNT(parts); i++)
        json_object_set(components, parts[i], component(w, parts[i]));
    set_bool(page, "overall_healthy", w->verdict->rank != RANK_UNHEALTHY);
    json_object_set_new(page, "timestamp", json_real(w->facts->now));
    json_object_set_new(page, "components", components);
    return page;
}

struct board_set *pages_write(const struct facts *facts, const struct verdict *verdict)
{
    struct writer w = {facts, verdict, board_set_new()};

    if (w.set == NULL)
        return NULL;
    write_page(&w, PAGE_UNION, status_of(&w), union_of(&w));
    write_page(&w, PAGE_GARDEN, 200, garden_of(&w));
    write_page(&w, PAGE_GLOSSARY, status_of(&w), glossary_of(&w, false));
    write_page(&w, PAGE_VECTOR, status_of(&w), vector_of(&w));
    write_page(&w, PAGE_DETAILED, status_of(&w), glossary_of(&w, true));
    write_checks(&w);
    return w.set;
}
