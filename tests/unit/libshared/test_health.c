#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <jansson.h>
#include <string.h>

#include "shared/health.h"
#include "shared/metrics.h"

static int set_up(void **state)
{
    struct sh_health *health = NULL;
    assert_int_equal(sh_health_create(&health), SH_OK);
    *state = health;
    return 0;
}

static int tear_down(void **state)
{
    struct sh_health *health = *state;
    sh_health_close(&health);
    assert_null(health);
    return 0;
}

static void required_checks_decide_readiness(void **state)
{
    struct sh_health *health = *state;
    assert_true(sh_health_ready(health));
    struct sh_health_check *db = sh_health_add(health, "database", true);
    assert_false(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_UNHEALTHY);
    sh_health_set(db, SH_HEALTHY, 0.1, "", NULL);
    assert_true(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_HEALTHY);
    sh_health_set(db, SH_DEGRADED, 0.1, "slow", NULL);
    assert_true(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_DEGRADED);
    sh_health_set(db, SH_UNHEALTHY, -1, "gone", NULL);
    assert_false(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_UNHEALTHY);
}

static bool metrics_say(const char *line)
{
    struct sh_buffer text = {0};
    sh_metrics_render(&text, false);
    bool found = memmem(text.data, text.len, line, strlen(line)) != NULL;
    sh_buffer_free(&text);
    return found;
}

static void every_check_is_a_metric(void **state)
{
    struct sh_health *health = *state;
    struct sh_health_check *disk = sh_health_add(health, "disk", true);
    const char *const series = "cairn_health_check{check=\"disk\",required=\"true\"} ";
    const struct {
        enum sh_health_state state;
        const char *value;
    } all[] = {{SH_HEALTHY, "1"}, {SH_DEGRADED, "0.5"}, {SH_UNHEALTHY, "0"}};
    char line[128];

    (void)snprintf(line, sizeof line, "%s0\n", series);
    assert_true(metrics_say(line)); /* not known yet */
    for (size_t i = 0; i < SH_COUNT(all); i++) {
        sh_health_set(disk, all[i].state, -1, "", NULL);
        (void)snprintf(line, sizeof line, "%s%s\n", series, all[i].value);
        assert_true(metrics_say(line));
    }
}

static void optional_checks_only_degrade(void **state)
{
    struct sh_health *health = *state;
    struct sh_health_check *cache = sh_health_add(health, "cache", false);
    assert_true(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_DEGRADED);
    sh_health_set(cache, SH_UNHEALTHY, -1, "gone", NULL);
    assert_true(sh_health_ready(health));
    assert_int_equal(sh_health_overall(health), SH_DEGRADED);
    sh_health_set(cache, SH_HEALTHY, -1, "", NULL);
    assert_int_equal(sh_health_overall(health), SH_HEALTHY);
}

static json_t *render(const struct sh_health *health)
{
    struct sh_buffer out = {0};
    sh_health_json(health, &out);
    json_t *json = json_loadb(out.data, out.len, 0, NULL);
    assert_non_null(json);
    sh_buffer_free(&out);
    return json;
}

static void json_holds_checks_and_details(void **state)
{
    struct sh_health *health = *state;
    struct sh_health_check *db = sh_health_add(health, "database", true);
    sh_health_set(db, SH_HEALTHY, 0.25, "",
                  "{\"pool_size\":20,\"status\":\"overridden?\"}");
    sh_health_add(health, "cache", false);
    json_t *json = render(health);
    const char *status = NULL;
    const char *db_status = NULL;
    const char *cache_status = NULL;
    double took = 0;
    int ready = 0;
    int healthy = 0;
    json_int_t pool = 0;
    assert_int_equal(json_unpack(json, "{s:s,s:b,s:{s:{s:b,s:s,s:f,s:I},s:{s:s}}}",
                                 "status", &status, "ready", &ready, "checks", "database",
                                 "healthy", &healthy, "status", &db_status,
                                 "response_time", &took, "pool_size", &pool, "cache",
                                 "status", &cache_status),
                     0);
    assert_string_equal(status, "degraded");
    assert_true(ready);
    assert_true(healthy);
    assert_string_equal(db_status, "healthy");
    assert_string_equal(cache_status, "unknown");
    assert_int_equal(pool, 20);
    assert_true(took == 0.25);
    json_decref(json);
}

static void hostile_messages_and_details_stay_json(void **state)
{
    struct sh_health *health = *state;
    struct sh_health_check *check = sh_health_add(health, "peer", false);
    char text[2000];
    sh_health_set(check, SH_UNHEALTHY, -1, "a\"b\n\xff", "[1,2]");
    json_decref(render(health));
    sh_health_set(check, SH_UNHEALTHY, -1, "", "{\"a\":");
    json_decref(render(health));
    for (size_t i = 0; i + 2 < sizeof(text); i += 2)
        memcpy(text + i, "\xc3\xa4", 2);
    text[1998] = '\0';
    sh_health_set(check, SH_UNHEALTHY, -1, text, NULL);
    json_t *json = render(health);
    const json_t *of_check = json_object_get(json_object_get(json, "checks"), "peer");
    const char *message = json_string_value(json_object_get(of_check, "message"));
    assert_memory_equal(message, text, 500);
    json_decref(json);
}

static void list_copies_everything(void **state)
{
    struct sh_health *health = *state;
    struct sh_arena arena = {0};
    struct sh_health_status *list = NULL;
    size_t count = 0;
    struct sh_health_check *db = sh_health_add(health, "database", true);
    sh_health_add(health, "cache", false);
    sh_health_set(db, SH_DEGRADED, 0.5, "slow", "{\"n\":1}");
    assert_int_equal(sh_health_list(health, &arena, &list, &count), SH_OK);
    sh_health_set(db, SH_HEALTHY, 0, "", NULL);
    assert_int_equal(count, 2);
    assert_string_equal(list[0].name, "database");
    assert_int_equal(list[0].state, SH_DEGRADED);
    assert_true(list[0].required);
    assert_true(sh_bytes_is(list[0].message, "slow"));
    assert_true(sh_bytes_is(list[0].detail, "{\"n\":1}"));
    assert_int_equal(list[1].state, SH_UNKNOWN);
    assert_int_equal(list[1].detail.len, 0);
    sh_arena_free(&arena);
}

static void allocation_failures_are_reported(void **state)
{
    struct sh_health *health = *state;
    struct sh_health *none = NULL;
    struct sh_arena arena = {0};
    struct sh_health_status *list = NULL;
    size_t count = 0;
    sh_mem_fail_after(0);
    assert_int_equal(sh_health_create(&none), SH_NOMEM);
    sh_mem_fail_after(0);
    assert_null(sh_health_add(health, "x", true));
    sh_mem_fail_after(0);
    assert_int_equal(sh_health_list(health, &arena, &list, &count), SH_NOMEM);
    sh_mem_fail_after(-1);
    assert_true(sh_health_ready(health));
}

#define FIXTURE_TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        FIXTURE_TEST(required_checks_decide_readiness),
        FIXTURE_TEST(every_check_is_a_metric),
        FIXTURE_TEST(optional_checks_only_degrade),
        FIXTURE_TEST(json_holds_checks_and_details),
        FIXTURE_TEST(hostile_messages_and_details_stay_json),
        FIXTURE_TEST(list_copies_everything),
        FIXTURE_TEST(allocation_failures_are_reported),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
