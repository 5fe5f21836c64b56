/* From facts to the pages: who makes the whole what, and the exact shapes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "services/gateway/health/facts.h"

static struct facts facts;
static struct health_config config;
static struct board_set *set;

static void put_check(struct service_facts *service, const char *name, const char *text)
{
    json_t *check = json_loads(text, 0, NULL);
    assert_non_null(check);
    if (service->checks == NULL)
        service->checks = json_object();
    json_object_set_new(service->checks, name, check);
}

/* Everything in order. */
static int set_up(void **state)
{
    static const char good[] = "{\"healthy\":true,\"status\":\"healthy\"}";

    (void)state;
    facts = (struct facts){.probed = true,
                           .probe_ran = true,
                           .probe_time_s = 0.25,
                           .probe_results = 1,
                           .latest_backup = 1000000,
                           .started = 999000,
                           .now = 1003600,
                           .tables_known = true,
                           .tables_there = true};
    facts.own = (struct own_figures){true, 125.4, 50, true, 46.9, 100, 213};
    config = (struct health_config){.disk_min_free_percent = 10,
                                    .memory_max_used_percent = 90,
                                    .backup_max_age_h = 26,
                                    .max_response_ms = 1000,
                                    .index_max_lag_s = 30,
                                    .graph_enabled = true};
    for (int p = 0; p < PEER_COUNT; p++) {
        facts.services[p].known = facts.services[p].reached = true;
        (void)snprintf(facts.services[p].status, sizeof facts.services[p].status,
                       "healthy");
        facts.services[p].checks = json_object();
    }
    facts.gateway.checks = json_object();
    put_check(&facts.services[PEER_SEARCH], "database",
              "{\"healthy\":true,\"status\":\"healthy\",\"response_time\":0.0045,"
              "\"chunk_count\":25,\"pool_size\":20}");
    put_check(&facts.services[PEER_SEARCH], "index",
              "{\"healthy\":true,\"status\":\"healthy\",\"lag_seconds\":0}");
    put_check(&facts.services[PEER_EMBEDDER], "embedding_service",
              "{\"healthy\":true,\"status\":\"healthy\",\"response_time\":0.23,"
              "\"embedding_length\":1024}");
    put_check(&facts.gateway, "database", good);
    put_check(&facts.gateway, "cache",
              "{\"healthy\":true,\"status\":\"healthy\",\"response_time\":0.0012}");
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    facts_free(&facts);
    if (set != NULL) {
        for (int i = 0; i < PAGE_COUNT; i++)
            sh_buffer_free(&set->pages[i].body);
        sh_free(set);
        set = NULL;
    }
    return 0;
}

static json_t *page(enum board_page which, int status)
{
    struct verdict verdict;

    if (set == NULL) {
        assert_true(verdict_reach(&facts, &config, true, &verdict));
        set = pages_write(&facts, &verdict);
        verdict_free(&verdict);
        assert_non_null(set);
    }
    assert_int_equal(set->pages[which].status, status);
    json_t *json =
        json_loadb(set->pages[which].body.data, set->pages[which].body.len, 0, NULL);
    assert_non_null(json);
    return json;
}

/* The JSON at "a.b.c" as text; the page is given up. */
static void assert_page(enum board_page which, int status, const char *path,
                        const char *want)
{
    json_t *json = page(which, status), *at = json;
    char copy[128], *save = NULL;

    (void)snprintf(copy, sizeof copy, "%s", path);
    for (char *name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save))
        at = json_object_get(at, name);
    char *text = at != NULL ? json_dumps(at, JSON_ENCODE_ANY | JSON_COMPACT |
                                                 JSON_SORT_KEYS | JSON_REAL_PRECISION(6))
                            : strdup("nothing");
    if (strcmp(text, want) != 0)
        fail_msg("%s is %s, not %s", path, text, want);
    free(text);
    json_decref(json);
}

static void all_is_well(void **state)
{
    (void)state;
    assert_page(PAGE_UNION, 200, "status", "\"healthy\"");
    assert_page(PAGE_UNION, 200, "overall_healthy", "true");
    assert_page(PAGE_UNION, 200, "issues", "[]");
    assert_page(PAGE_UNION, 200, "components.database.chunk_count", "25");
    assert_page(PAGE_UNION, 200, "components.database.pool_size", "20");
    assert_page(PAGE_UNION, 200, "components.database.response_time", "0.0045");
    assert_page(PAGE_UNION, 200, "components.embedding_service",
                "{\"embedding_length\":1024,\"healthy\":true,\"response_time\":0.23,"
                "\"status\":\"healthy\"}");
    assert_page(PAGE_UNION, 200, "components.cache.connection_active", "true");
    assert_page(PAGE_UNION, 200, "components.search_functionality",
                "{\"end_to_end_functional\":true,\"healthy\":true,\"response_time\":0.25,"
                "\"results_returned\":1,\"status\":\"healthy\"}");
    assert_page(PAGE_UNION, 200, "components.backups.age_hours", "1.0");
    assert_page(PAGE_UNION, 200, "components.db", "\"ok\"");
    assert_page(PAGE_UNION, 200, "components.neo4j", "\"ok\"");
}

/* One thing is out; what the whole becomes, and what the issue is about. */
static void assert_whole(int status, const char *rank, const char *issue)
{
    json_t *json = page(PAGE_UNION, status);
    json_t *issues = json_object_get(json, "issues");
    const char *first = json_string_value(json_array_get(issues, 0));

    assert_string_equal(json_string_value(json_object_get(json, "status")), rank);
    assert_int_equal(json_is_true(json_object_get(json, "healthy")),
                     strcmp(rank, "unhealthy") != 0);
    if (issue == NULL)
        assert_null(first);
    else if (first == NULL || strncmp(first, issue, strlen(issue)) != 0)
        fail_msg("%s, not %s", first != NULL ? first : "nothing", issue);
    json_decref(json);
}

static void away(enum peer peer)
{
    facts_set_service(&facts.services[peer], NULL, 0);
}

static void without_search_nothing_works(void **state)
{
    (void)state;
    away(PEER_SEARCH);
    facts.probe_ran = false;
    assert_whole(503, "unhealthy", "fts_search: search is away");
    assert_page(PAGE_UNION, 503, "components.database.healthy", "true"); /* its own */
    assert_page(PAGE_UNION, 503, "components.search_functionality.end_to_end_functional",
                "false");
    assert_page(PAGE_GARDEN, 200, "status", "\"ok\"");
}

static void without_the_database_it_is_unhealthy(void **state)
{
    (void)state;
    put_check(&facts.services[PEER_SEARCH], "database",
              "{\"status\":\"unhealthy\",\"message\":\"no connection\"}");
    assert_whole(503, "unhealthy", "database: no connection");
    assert_page(PAGE_CHECKS, 503, "checks.database", "false");
    assert_page(PAGE_GARDEN, 200, "components.db", "\"error\"");
    assert_page(PAGE_GLOSSARY, 503, "healthy", "false");
}

static void the_gateways_own_database_only_degrades(void **state)
{
    (void)state;
    put_check(&facts.gateway, "database", "{\"status\":\"unhealthy\"}");
    assert_whole(200, "degraded", "database: the gateway's own connections are down");
}

static void without_its_tables_the_explorer_has_no_database(void **state)
{
    (void)state;
    facts.tables_there = false;
    assert_whole(200, "degraded", "database: the table of accounts is not there");
    assert_page(PAGE_GARDEN, 200, "components.db", "\"error\"");
}

static void optional_parts_degrade(void **state)
{
    static const struct {
        enum peer peer;
        const char *issue;
    } cases[] = {{PEER_EMBEDDER, "embedding_service: "},
                 {PEER_GRAPH, "graph: graph is away"},
                 {PEER_BACKUP, "backups: backup is away"}};

    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        away(cases[i].peer);
        assert_whole(200, "degraded", cases[i].issue);
        tear_down(state);
        set_up(state);
    }
}

static void what_is_wrong_with_backups_is_named(void **state)
{
    struct service_facts *backup = &facts.services[PEER_BACKUP];

    (void)snprintf(backup->status, sizeof(backup->status), "degraded");
    assert_whole(200, "degraded", "backups: backup is not well");
    tear_down(state);
    set_up(state);
    (void)snprintf(backup->status, sizeof(backup->status), "degraded");
    put_check(backup, "backups",
              "{\"status\":\"degraded\",\"message\":\"a backup is late\"}");
    assert_whole(200, "degraded", "backups: a backup is late");
}

static void without_redis_it_is_degraded(void **state)
{
    (void)state;
    put_check(&facts.gateway, "cache", "{\"status\":\"unhealthy\"}");
    assert_whole(200, "degraded", "cache: the cache is away");
    assert_page(PAGE_UNION, 200, "components.cache.connection_active", "false");
    assert_page(PAGE_VECTOR, 200, "components.cache.healthy", "false");
    assert_page(PAGE_VECTOR, 200, "overall_healthy", "true");
}

static void thresholds_are_settings(void **state)
{
    static const struct {
        size_t at;
        double value;
        const char *issue;
    } cases[] = {
        {offsetof(struct health_config, disk_min_free_percent), 101, "disk: "},
        {offsetof(struct health_config, memory_max_used_percent), 10, "memory: "},
        {offsetof(struct health_config, backup_max_age_h), 0.5, "backups: the newest"},
        {offsetof(struct health_config, max_response_ms), 1,
         "performance: searches of the last 15 minutes took 2 ms"},
        {offsetof(struct health_config, index_max_lag_s), 5, "fts_search: it does not"},
    };

    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        facts.mean_search_ms = 2;
        put_check(&facts.services[PEER_SEARCH], "index", "{\"lag_seconds\":6.5}");
        memcpy((char *)&config + cases[i].at, &cases[i].value, sizeof cases[i].value);
        assert_whole(200, "degraded", cases[i].issue);
        tear_down(state);
        set_up(state);
    }
}

static void full_disks_fail_the_boolean_checks(void **state)
{
    (void)state;
    facts.own.disk_free_percent = 9;
    facts.own.memory_used_percent = 91;
    assert_page(PAGE_CHECKS, 503, "checks",
                "{\"database\":true,\"disk_space\":false,\"memory\":false,"
                "\"neo4j\":true}");
    assert_page(PAGE_CHECKS, 503, "status", "\"unhealthy\"");
}

static void a_graph_that_is_switched_off_is_missed_by_nobody(void **state)
{
    (void)state;
    config.graph_enabled = false;
    away(PEER_GRAPH);
    assert_whole(200, "healthy", NULL);
    assert_page(PAGE_GARDEN, 200, "components.neo4j", "\"not_configured\"");
    assert_page(PAGE_UNION, 200, "components.neo4j", "\"not_configured\"");
    assert_page(PAGE_CHECKS, 200, "checks.neo4j", "true");
}

static void a_dead_graph_stays_in_the_explorers_page(void **state)
{
    (void)state;
    away(PEER_GRAPH);
    assert_page(PAGE_GARDEN, 200, "status", "\"ok\"");
    assert_page(PAGE_GARDEN, 200, "components.neo4j", "\"error: not reachable\"");
    assert_page(PAGE_CHECKS, 503, "checks.neo4j", "false");
}

static void assert_keys(enum board_page which, const char *path, const char *want)
{
    json_t *json = page(which, 200);
    json_t *at = *path != '\0' ? json_object_get(json, path) : json;
    struct sh_buffer list = {0};
    const char *name;
    json_t *value;

    json_object_foreach(at, name, value)
    {
        sh_buffer_printf(&list, "%s ", name);
    }
    sh_buffer_append(&list, "", 1);
    assert_string_equal(list.data, want);
    sh_buffer_free(&list);
    json_decref(json);
}

static void the_profiles_have_what_the_originals_had(void **state)
{
    (void)state;
    assert_keys(PAGE_GARDEN, "", "status components version timestamp ");
    assert_keys(PAGE_GARDEN, "components", "app db neo4j ");
    assert_keys(PAGE_GLOSSARY, "",
                "status healthy timestamp check_duration_ms issues subsystems ");
    assert_keys(PAGE_GLOSSARY, "subsystems",
                "database fts_search disk memory backups performance ");
    assert_keys(PAGE_CHECKS, "", "status checks timestamp ");
    assert_keys(PAGE_CHECKS, "checks", "database neo4j disk_space memory ");
    assert_keys(PAGE_VECTOR, "", "overall_healthy timestamp components ");
    assert_keys(PAGE_VECTOR, "components",
                "database embedding_service cache search_functionality ");
    assert_page(PAGE_GLOSSARY, 200, "subsystems.database.entry_count", "25");
    assert_page(PAGE_GLOSSARY, 200, "subsystems.fts_search.indexed_entries", "25");
    assert_page(PAGE_GLOSSARY, 200, "timestamp", "\"1970-01-12T14:46:40.000Z\"");
    assert_page(PAGE_VECTOR, 200, "timestamp", "1.0036e6");
}

static void production_says_nothing_of_the_inside(void **state)
{
    struct verdict verdict;

    (void)state;
    put_check(&facts.services[PEER_SEARCH], "database",
              "{\"status\":\"unhealthy\",\"message\":\"host db-7.inside refused\"}");
    assert_true(verdict_reach(&facts, &config, false, &verdict));
    set = pages_write(&facts, &verdict);
    verdict_free(&verdict);
    for (int i = 0; i < PAGE_DETAILED; i++) {
        struct sh_buffer *body = &set->pages[i].body;
        assert_null(memmem(body->data, body->len, "inside", 6));
    }
}

static void what_the_gateway_checks_itself_becomes_facts(void **state)
{
    struct sh_health *health;
    struct service_facts own = {0};

    (void)state;
    assert_int_equal(sh_health_create(&health), SH_OK);
    struct sh_health_check *cache = sh_health_add(health, "cache", false);
    sh_health_set(cache, SH_DEGRADED, 0.5, "slow", "{\"connection_active\":true}");
    facts_set_own(&own, health);
    assert_string_equal(own.status, "degraded");
    json_t *check = json_object_get(own.checks, "cache");
    assert_true(json_is_true(json_object_get(check, "connection_active")));
    assert_string_equal(json_string_value(json_object_get(check, "message")), "slow");
    json_decref(own.checks);
    sh_health_close(&health);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(all_is_well),
        TEST(without_search_nothing_works),
        TEST(without_the_database_it_is_unhealthy),
        TEST(the_gateways_own_database_only_degrades),
        TEST(without_its_tables_the_explorer_has_no_database),
        TEST(optional_parts_degrade),
        TEST(what_is_wrong_with_backups_is_named),
        TEST(without_redis_it_is_degraded),
        TEST(thresholds_are_settings),
        TEST(full_disks_fail_the_boolean_checks),
        TEST(a_graph_that_is_switched_off_is_missed_by_nobody),
        TEST(a_dead_graph_stays_in_the_explorers_page),
        TEST(the_profiles_have_what_the_originals_had),
        TEST(production_says_nothing_of_the_inside),
        TEST(what_the_gateway_checks_itself_becomes_facts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
