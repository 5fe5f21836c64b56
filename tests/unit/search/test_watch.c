/* What the service says of itself, by a backend's own figures and searches. */
#include "services/search/pgvector/pg_watch.h"
#include "services/search/query/watch_memory.h"
#include "tests/unit/search/service_fixture.h"

static struct service service;
static struct sh_health *health;
static struct watch_memory memory;
static struct recent_recall recall;
static struct watch *watch;

/* A backend of the test's own: refuses, or keeps the search. */
static struct {
    enum sh_err refuses;
    struct search_job *kept;
    char query[64];
} backend;

static enum sh_err backend_start(void *self, struct search_job *job)
{
    struct sh_bytes query = job->ask.query->query;

    (void)self;
    if (backend.refuses != SH_OK)
        return backend.refuses;
    backend.kept = job;
    (void)snprintf(backend.query, sizeof(backend.query), "%.*s", (int)query.len,
                   (const char *)query.data);
    return SH_OK;
}

static void answer_kept(enum sh_err err)
{
    if (backend.kept != NULL)
        backend.kept->done(backend.kept, err);
}

static const struct search_backend ours = {backend_start, NULL};

static int set_up(void **state)
{
    (void)state;
    service_start(&service);
    assert_int_equal(sh_health_create(&health), SH_OK);
    memset(&backend, 0, sizeof(backend));
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    watch_close(&watch);
    service_stop(&service);
    sh_health_close(&health);
    return 0;
}

static void begin(struct search_backend searches)
{
    struct watch_options options = {.health = health,
                                    .pg = service.pg,
                                    .embedder = service.to_embedder,
                                    .model = service.model,
                                    .backend = searches};

    recall = (struct recent_recall){0};
    memory = (struct watch_memory){.feed = service.feed, .recall = &recall};
    options.source = watch_memory(&memory);
    assert_int_equal(watch_create(&service.loop, &options, &watch), SH_OK);
}

/* True when the check is in this state and has this in its message and detail. */
static bool is(const char *name, enum sh_health_state state, const char *message,
               const char *detail)
{
    struct sh_arena arena = {0};
    struct sh_health_status *all;
    size_t count;
    bool found = false;

    assert_int_equal(sh_health_list(health, &arena, &all, &count), SH_OK);
    for (size_t i = 0; i < count; i++)
        if (strcmp(all[i].name, name) == 0)
            found = all[i].state == state &&
                    sh_bytes_equal(all[i].message, sh_bytes_of(message)) &&
                    (*detail == '\0' || memmem(all[i].detail.data, all[i].detail.len,
                                               detail, strlen(detail)) != NULL);
    sh_arena_free(&arena);
    return found;
}

static void all_is_well(void **state)
{
    (void)state;
    begin(backend_memory(&service.memory));
    PUMP(&service, is("index", SH_HEALTHY, "", "\"snapshot\""));
    PUMP(&service, is("database", SH_HEALTHY, "", "\"pool_size\""));
    PUMP(&service, is("embedding_service", SH_HEALTHY, "", "\"embedding_length\""));
    PUMP(&service, is("search_functionality", SH_HEALTHY, "", "\"results_returned\""));
}

static void what_is_not_known_is_null(void **state)
{
    (void)state;
    begin(backend_memory(&service.memory));
    watch_refresh(watch); /* nobody was asked yet */
    assert_true(is("index", SH_HEALTHY, "",
                   "\"lag_seconds\":null,\"recall\":null,\"recall_checks\":0,"));
    recent_recall_add(&recall, sh_now_us(), 0.875);
    PUMP(&service, is("index", SH_HEALTHY, "",
                      "\"lag_seconds\":0.0,\"recall\":0.875,\"recall_checks\":1,"));
    struct watch_source source = watch_memory(&memory);
    source.forget(source.self); /* as when the record does not answer */
    watch_refresh(watch);
    assert_true(is("index", SH_HEALTHY, "", "\"lag_seconds\":null,\"recall\":0.875,"));
}

static void a_search_that_fails_is_told(void **state)
{
    (void)state;
    begin(ours);
    PUMP(&service, backend.kept != NULL);
    assert_string_equal(backend.query, "cairn"); /* no document has a title */
    answer_kept(SH_TIMEOUT);
    assert_true(is("search_functionality", SH_UNHEALTHY, sh_err_text(SH_TIMEOUT), ""));
}

static void a_search_that_is_refused_is_told(void **state)
{
    (void)state;
    backend.refuses = SH_BUSY;
    begin(ours);
    PUMP(&service,
         is("search_functionality", SH_DEGRADED, "too busy to test itself", ""));
    backend.refuses = SH_DRAINING;
    watch_refresh(watch);
    PUMP(&service, is("search_functionality", SH_UNKNOWN, "", ""));
}

/* The loop could not be closed, or memory would be lost, if it did not end. */
static void it_ends_with_a_search_under_way(void **state)
{
    (void)state;
    begin(ours);
    PUMP(&service, backend.kept != NULL);
    watch_close(&watch);
    answer_kept(SH_OK);
    assert_true(is("search_functionality", SH_UNKNOWN, "", ""));
}

static void pgvector_is_not_asked_before_it_is_ready(void **state)
{
    struct model model = {.fingerprint = "fp"};
    struct backend_pgvector pgvector = {.model = &model};
    struct pg_watch parts = {.backend = &pgvector};
    struct watch_source source = pg_watch(&parts);
    struct sh_pg_param params[WATCH_PARAMETERS] = {0};
    const char *why = "";

    (void)state;
    assert_int_equal(source.ask(source.self, params), 0);
    pgvector.ready = true;
    assert_int_equal(source.ask(source.self, params), 1);
    assert_true(sh_bytes_equal(params[0].value, sh_bytes_of("fp")));
    assert_int_equal(source.refused(SH_BUSY, &why), SH_DEGRADED);
    assert_int_equal(source.refused(SH_DRAINING, &why), SH_UNHEALTHY);
    assert_string_equal(why, sh_err_text(SH_DRAINING));
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(all_is_well),
        TEST(what_is_not_known_is_null),
        TEST(a_search_that_fails_is_told),
        TEST(a_search_that_is_refused_is_told),
        TEST(it_ends_with_a_search_under_way),
        cmocka_unit_test(pgvector_is_not_asked_before_it_is_ready),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
