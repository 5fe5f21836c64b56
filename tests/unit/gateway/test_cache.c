/* The result cache behind HTTP: what is given from it, to whom, and what never is. */
#include "cache_fixture.h"

static int start_without_ttl(void **state)
{
    settings.ttl_s = 0;
    with_redis = false;
    int failed = start(state);
    settings.ttl_s = 900;
    with_redis = true;
    return failed;
}

/* --- what is kept ----------------------------------------------------------------- */

static void the_same_again_comes_from_memory(void **state)
{
    static char first[8192];
    struct fixture *f = *state;
    double hits = counted("hit");

    (void)snprintf(first, sizeof first, "%s", search(f, walrus));
    assert_says(first, "\"from_cache\":false,\"request_id\":\"req_");
    const char *again =
        search(f, "{\"config\":{},\"filters\":{},\"query\":\"  walrus\\n\","
                  "\"user\":{\"role\":\"staff\",\"user_id\":\"u2\"}}");
    assert_int_equal(f->queries, 1);
    assert_says(again, "HTTP/1.1 200 OK");
    assert_says(again, "\"count\":1,\"total\":7,\"query\":\"walrus\"");
    assert_says(again, "\"from_cache\":true,\"request_id\":\"req_");
    assert_says(again, "\"user_id\":\"u2\"");
    assert_says(again, "\"mode\":\"hybrid\",\"degraded\":[],\"generation\":\"");
    assert_says(again, ",\"expanded\":[{");
    const char *results = strstr(first, "{\"results\"");
    assert_non_null(results);
    size_t len = (size_t)(strstr(results, "\"response_time\"") - results);
    assert_memory_equal(strstr(again, "{\"results\""), results, len);
    assert_null(strstr(again, strstr(first, "\"request_id\"")));
    assert_true(counted("hit") == hits + 1);
}

static void what_is_written_in_two_ways_is_one_question(void **state)
{
    struct fixture *f = *state;

    search(f, "{\"query\":\"caf\xc3\xa9\",\"filters\":{\"campus\":\"C\","
              "\"department\":\"IT\"}}");
    const char *again = search(f, "{\"query\":\"cafe\xcc\x81\",\"filters\":"
                                  "{\"department\":\"IT\",\"campus\":\"C\"}}");
    assert_says(again, "\"from_cache\":true");
    assert_says(again, "\"query\":\"cafe\xcc\x81\""); /* as it was asked */
    assert_int_equal(f->queries, 1);
    assert_says(get(f, "/api/search?q=caf%C3%A9&department=IT&campus=C"),
                "\"from_cache\":true");
}

static void a_change_makes_it_unreachable(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    assert_says(search(f, walrus), "\"from_cache\":true");
    in_state(f, 2);
    assert_says(search(f, walrus), "\"from_cache\":false");
    assert_int_equal(f->queries, 2);
    assert_says(search(f, walrus), "\"from_cache\":true");
}

/* Search may be further than it has told. */
static void an_answer_is_kept_under_its_own_state(void **state)
{
    struct fixture *f = *state;

    f->generation = 2;
    search(f, walrus);
    assert_says(search(f, walrus), "\"from_cache\":false"); /* nothing is kept under 1 */
    in_state(f, 2);
    assert_says(search(f, walrus), "\"from_cache\":true");
    assert_int_equal(f->queries, 2);
}

static const char *const roles[] = {"anonymous", "student", "staff", "academic", "admin"};
static const char *const places[] = {"", "IT", "HR"};
enum { PLACES = SH_COUNT(places), MEMBERS = SH_COUNT(roles) * PLACES * PLACES };

static void search_as(struct fixture *f, size_t member, bool from_cache)
{
    const char *role = roles[member / PLACES / PLACES];
    char body[256], text[64];

    (void)snprintf(body, sizeof body,
                   "{\"query\":\"x\",\"user\":{\"role\":\"%s\","
                   "\"department\":\"%s\",\"campus\":\"%s\"}}",
                   role, places[member / PLACES % PLACES], places[member % PLACES]);
    (void)snprintf(text, sizeof text, "\"text\":\"%s\"", role);
    const char *answer = search(f, body);
    assert_says(answer, text);
    assert_says(answer, from_cache ? "\"from_cache\":true" : "\"from_cache\":false");
}

/* Who has other rights never gets it, whoever asked before. */
static void nobody_gets_what_was_found_for_others(void **state)
{
    struct fixture *f = *state;

    f->tell_role = true;
    for (size_t i = 0; i < MEMBERS; i++)
        search_as(f, i, false);
    assert_int_equal(f->queries, MEMBERS);
    for (size_t i = 0; i < MEMBERS; i++)
        search_as(f, i, true);
    assert_int_equal(f->queries, MEMBERS);
}

static void search_known(struct fixture *f, int times)
{
    static const char body[] =
        "{\"query\":\"caf\\u00e9\",\"user\":{\"user_id\":\"u9\",\"role\":"
        "\"student\",\"department\":\"IT\"},\"filters\":{\"campus\":\"C\"},"
        "\"config\":{\"explain\":true,\"max_results\":7}}";

    f->seen[0] = '\0';
    const char *answer = search(f, body);
    assert_says(answer, "\"query\":\"caf\xc3\xa9\"");
    assert_says(answer, "\"user_id\":\"u9\"");
    assert_string_equal(f->seen, "[caf\xc3\xa9] max 7 filters {\"campus\":\"C\"} "
                                 "mode 0 role student/2");
    assert_int_equal(f->queries, times);
    assert_says(search(f, "{\"query\":7}"), "\"field\":\"query\"");
}

/* Bodies are not parsed again; what they say is the same nevertheless. */
static void a_body_that_comes_again_says_the_same(void **state)
{
    for (int times = 1; times <= 3; times++)
        search_known(*state, times);
}

/* --- what is not ------------------------------------------------------------------ */

static void twice(struct fixture *f, const char *body, const char *says)
{
    int before = f->queries;

    assert_says(search(f, body), says);
    assert_says(search(f, body), says);
    assert_int_equal(f->queries, before + 2);
}

static void what_is_not_whole_is_not_kept(void **state)
{
    struct fixture *f = *state;

    f->whole = false;
    twice(f, walrus, "\"degraded\":[\"embedding\"]");
    f->fail_with = SH_UNAVAILABLE;
    twice(f, walrus, "HTTP/1.1 503 ");
    f->fail_with = SH_INVALID;
    twice(f, walrus, "HTTP/1.1 400 ");
    f->fail_with = SH_OK;
    f->whole = true;
    f->generation = 0; /* it does not say what it was found in */
    twice(f, walrus, "\"from_cache\":false");
    assert_int_equal(redis_number("DBSIZE"), 1); /* the epoch */
}

static void explanations_are_of_the_moment(void **state)
{
    struct fixture *f = *state;

    twice(f, "{\"query\":\"x\",\"config\":{\"explain\":true}}", "\"from_cache\":false");
}

static void nothing_is_kept_while_the_state_is_not_known(void **state)
{
    struct fixture *f = *state;

    search(f, walrus);
    sh_rpc_server_set_state(f->search, 0);
    pump_until(f, sh_rpc_client_state(f->edge.peers[PEER_SEARCH]) == 0);
    twice(f, walrus, "\"from_cache\":false");
}

static void nothing_is_kept_without_a_time_to_live(void **state)
{
    twice(*state, walrus, "\"from_cache\":false");
}

static void long_questions_are_only_asked(void **state)
{
    static char body[20000];

    (void)snprintf(body, sizeof body,
                   "{\"query\":\"x\",\"filters\":{\"metadata\":{\"a\":\"%*s\"}}}", 10000,
                   "");
    twice(*state, body, "HTTP/1.1 200 ");
}

int main(int argc, char **argv)
{
    (void)argc;
    servers_ensure(argv);
#define TEST(name) cmocka_unit_test_setup_teardown(name, start, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(the_same_again_comes_from_memory),
        TEST(what_is_written_in_two_ways_is_one_question),
        TEST(a_change_makes_it_unreachable),
        TEST(an_answer_is_kept_under_its_own_state),
        TEST(nobody_gets_what_was_found_for_others),
        TEST(a_body_that_comes_again_says_the_same),
        TEST(what_is_not_whole_is_not_kept),
        TEST(explanations_are_of_the_moment),
        TEST(nothing_is_kept_while_the_state_is_not_known),
        cmocka_unit_test_setup_teardown(nothing_is_kept_without_a_time_to_live,
                                        start_without_ttl, tear_down),
        TEST(long_questions_are_only_asked),
    };
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
