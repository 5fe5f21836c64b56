#include "gateway_fixture.h"

static void search_asks_and_shapes_the_answer(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/search", "",
             "{\"query\":\" \\u00a0reset  it\\n\",\"filters\":{\"department\":\"IT\"},"
             "\"user\":{\"user_id\":\"u7\",\"role\":\"student\"},"
             "\"config\":{\"max_results\":500,\"mode\":\"text\"}}");
    assert_string_equal(f->seen,
                        "[reset  it] max 20 filters {\"department\":\"IT\"} mode 2 "
                        "role student/2");
    assert_says(answer, "HTTP/1.1 200 OK");
    assert_says(answer, "{\"results\":[{\"chunk_id\":\"d#0\",\"document_id\":\"d\","
                        "\"document_title\":\"A \\\"title\\\"\"");
    assert_says(answer, "\"metadata\":{\"priority\":4},\"similarity\":0.867,");
    assert_says(answer, "\"count\":1,\"total\":7,\"query\":\"reset  it\"");
    assert_says(answer, "\"from_cache\":false,\"request_id\":\"req_");
    assert_says(answer, "\"user_id\":\"u7\"");
    assert_says(answer, "\"mode\":\"text\",\"degraded\":[\"embedding\"],"
                        "\"generation\":\"");
    assert_says(answer, ",\"expanded\":[{\"term\":\"AB\","
                        "\"added\":[\"a \\\"b\\\"\",\"c\"],"
                        "\"kind\":\"acronym\"}]}");
    assert_string_equal(f->flags, "expand 1 complete 0 merge 0 per 0");
    assert_null(strstr(answer, "\"plan\""));
    assert_null(strstr(answer, "\"merged\""));
}

static void search_by_get_is_anonymous(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        get(f, "/api/v1/search?q=caf%C3%A9+x&max_results=3&min_priority=2&campus=C");
    assert_says(answer, "HTTP/1.1 200 OK");
    assert_string_equal(f->seen, "[caf\xc3\xa9 x] max 3 filters {\"campus\":\"C\","
                                 "\"min_priority\":2} mode 0 role anonymous/1");
}

static void what_the_config_says_goes_to_search(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/search", "",
             "{\"query\":\"x\",\"config\":{\"expand\":false,\"require_complete\":true,"
             "\"merge\":true,\"per_document\":3}}");
    assert_string_equal(f->flags, "expand 0 complete 1 merge 1 per 3");
    assert_says(answer, "\"merged\":[\"a \\\"b\\\"\",\"c\"]}");
    post(f, "/api/search", "", "{\"query\":\"x\",\"config\":{\"expand\":null}}");
    assert_string_equal(f->flags, "expand 1 complete 0 merge 0 per 0");
    get(f, "/api/search?q=x");
    assert_string_equal(f->flags, "expand 1 complete 0 merge 0 per 0");
}

static void errors_for_clients_are_passed_on(void **state)
{
    struct fixture *f = *state;
    f->fail_with = SH_INVALID;
    const char *answer = post(f, "/api/search", "", "{\"query\":\"x\"}");
    assert_says(answer, "HTTP/1.1 400 ");
    assert_says(answer, "\"field\":\"filters.colour\"");
    assert_says(answer, "secret sentence");
    f->fail_with = SH_FORBIDDEN;
    assert_says(post(f, "/api/search", "", "{\"query\":\"x\"}"), "HTTP/1.1 403 ");
}

static void errors_of_the_inside_are_not(void **state)
{
    struct fixture *f = *state;
    f->fail_with = SH_INTERNAL;
    const char *answer = post(f, "/api/search", "", "{\"query\":\"x\"}");
    assert_says(answer, "HTTP/1.1 500 ");
    assert_says(answer, "\"code\":\"internal_error\"");
    assert_null(strstr(answer, "secret"));
    assert_null(strstr(answer, "colour"));
}

static void what_is_away_is_503(void **state)
{
    struct fixture *f = *state;
    const char *answer = get(f, "/api/graph/schema");
    assert_says(answer, "HTTP/1.1 503 ");
    assert_says(answer, "Retry-After: ");
    assert_says(answer, "application/problem+json");
}

static void bad_requests_never_reach_a_service(void **state)
{
    static const struct {
        const char *path, *type, *body, *says;
    } cases[] = {
        {"/api/search", "", "{\"query\":", "malformed_json"},
        {"/api/search", "", "{\"query\":\"\"}", "\"field\":\"query\""},
        {"/api/search", "", "{\"query\":\"x\",\"config\":{\"mode\":\"best\"}}",
         "\"field\":\"config.mode\""},
        {"/api/search", "", "{\"query\":\"x\",\"user\":{\"role\":\"root\"}}",
         "\"field\":\"user.role\""},
        {"/api/search", "Content-Type: text/xml\r\n", "{\"query\":\"x\"}",
         "HTTP/1.1 415 "},
        {"/api/search", "Content-Type: application/x-www-form-urlencoded\r\n", "query=x",
         "HTTP/1.1 415 "},
        {"/api/search", "Content-Encoding: gzip\r\n", "{\"query\":\"x\"}",
         "unsupported_encoding"},
        {"/api/documents/batch?wait=true", "Content-Encoding: gzip\r\n", "{}",
         "unsupported_encoding"},
        {"/api/documents", "", "{\"title\":\"t\"}", "\"field\":\"text\""},
        {"/api/documents", "",
         "{\"title\":\"t\",\"text\":\"x\",\"sections\":[{\"text\":\"y\"}]}",
         "\"field\":\"text\""},
        {"/api/documents", "", "{\"title\":\"t\",\"sections\":[{\"title\":\"only\"}]}",
         "\"field\":\"sections\""},
        {"/api/documents", "", "{\"id\":\"a\\u0001\",\"title\":\"t\",\"text\":\"x\"}",
         "\"field\":\"id\""},
        {"/api/documents/batch?wait=perhaps", "", "{}", "\"field\":\"wait\""},
        {"/api/embed", "", "{\"input\":7}", "{\"error\":\"input must be a text"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(cases); i++)
        assert_says(post(f, cases[i].path, cases[i].type, cases[i].body), cases[i].says);
    assert_int_equal(f->puts, 0);
    assert_string_equal(f->seen, "");
}

static void routing_answers_what_is_not_there(void **state)
{
    struct fixture *f = *state;
    assert_says(get(f, "/nothing"), "HTTP/1.1 404 ");
    assert_says(get(f, "/api/documents/batch"), "Allow: POST, OPTIONS");
    assert_says(
        ask(f, "OPTIONS /api/search HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n"),
        "Allow: GET, HEAD, POST, OPTIONS");
    const char *head =
        ask(f, "HEAD /health/ping HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n");
    assert_says(head, "Content-Length: 32");
    assert_null(strstr(head, "pong"));
    f->gateway.config.metrics_public = false;
    assert_says(get(f, "/metrics"), "HTTP/1.1 404 ");
    f->gateway.config.docs_enabled = false;
    assert_says(get(f, "/openapi.json"), "HTTP/1.1 404 ");
}

static void documents_are_stored(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/documents", "Idempotency-Key: k-1\r\n",
             "{\"id\":\"d1\",\"title\":\"t\",\"text\":\"x\",\"metadata\":{\"a\":1}}");
    uint8_t key[16];
    assert_says(answer, "HTTP/1.1 201 ");
    assert_says(answer, "{\"document_id\":\"d1\",\"chunks\":2,\"visible\":true}");
    assert_true(f->keyed);
    memcpy(key, f->key, sizeof key);
    answer = post(f, "/api/documents", "",
                  "{\"id\":\"d1\",\"title\":\"same\",\"text\":\"x\"}");
    assert_says(answer, "HTTP/1.1 201 ");
    assert_says(answer, "\"unchanged\":true");
    assert_false(f->keyed);
    (void)post(f, "/api/documents", "Idempotency-Key: k-1\r\n",
               "{\"title\":\"t\",\"sections\":[{\"title\":\"h\"},{\"text\":\"x\"}]}");
    assert_memory_equal(key, f->key, sizeof key);
    (void)post(f, "/api/documents", "Idempotency-Key: k-2\r\n",
               "{\"title\":\"t\",\"text\":\"x\"}");
    assert_memory_not_equal(key, f->key, sizeof key);
    assert_says(get(f, "/api/documents/a%2Fb%20c"), "HTTP/1.1 404 ");
    assert_string_equal(f->seen, "get a/b c");
    assert_says(get(f, "/api/documents/%ff"), "HTTP/1.1 400 ");
}

static void vectors_are_numbers(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/embed", "", "{\"input\":[\"a\",\"b\"]}");
    assert_says(answer,
                "{\"model\":\"tiny\",\"embeddings\":[[0.5,-0.25],[0.100000001,1]],"
                "\"total_duration\":");
    assert_says(answer, "\"load_duration\":3000,\"prompt_eval_count\":9}");
}

static void a_client_that_leaves_cancels_its_call(void **state)
{
    struct fixture *f = *state;
    f->hold = true;
    int fd = dial(f);
    say(fd, "GET /api/search?q=x HTTP/1.1\r\nHost: x\r\n\r\n");
    pump_until(f, f->held_count == 1);
    hang_up(fd);
    pump_until(f, f->canceled == 1);
    sh_rpc_fail(f->held[0], SH_CANCELED, NULL, NULL, "nobody waits");
}

int main(void)
{
#define WITH(test) cmocka_unit_test_setup_teardown(test, set_up, tear_down)
    sh_log_set_level(SH_CRITICAL);
    const struct CMUnitTest tests[] = {
        WITH(search_asks_and_shapes_the_answer),
        WITH(search_by_get_is_anonymous),
        WITH(what_the_config_says_goes_to_search),
        WITH(errors_for_clients_are_passed_on),
        WITH(errors_of_the_inside_are_not),
        WITH(what_is_away_is_503),
        WITH(bad_requests_never_reach_a_service),
        WITH(routing_answers_what_is_not_there),
        WITH(documents_are_stored),
        WITH(vectors_are_numbers),
        WITH(a_client_that_leaves_cancels_its_call),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
