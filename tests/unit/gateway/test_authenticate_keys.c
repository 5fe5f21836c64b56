/* The keys of an identity provider: fetched, changed, away. */
#include "tests/unit/gateway/authenticate_fixture.h"

static void a_new_key_is_fetched_when_it_is_met(void **state)
{
    struct fixture *f = *state;
    char old[HEADER_MOST];
    (void)snprintf(old, sizeof old, "%s", token_of("staff"));
    gets_in_as(f, old, "staff");
    publish(second_key, "two");
    gets_in_as(f, bearer(second_key, ES_TWO, claims_of("staff")), "staff");
    assert_int_equal(provider.fetches, 2);
    is_refused(f, old, " 401 ", "invalid_token"); /* its key was withdrawn */
}

static void keys_stay_while_the_provider_is_away(void **state)
{
    struct fixture *f = *state;
    int before = provider.fetches;
    provider.status = 500;
    is_refused(f, bearer(second_key, ES_TWO, claims_of("admin")), " 401 ",
               "invalid_token");
    assert_true(provider.fetches > before);
    gets_in_as(f, token_of("staff"), "staff");
    provider.status = 200;
    (void)snprintf(provider.set, sizeof provider.set, "{\"keys\":[]}");
    is_refused(f, bearer(second_key, ES_TWO, claims_of("admin")), " 401 ",
               "invalid_token");
    (void)snprintf(provider.set, sizeof provider.set, "<html>sorry</html>");
    is_refused(f, bearer(second_key, ES_TWO, claims_of("admin")), " 401 ",
               "invalid_token");
    gets_in_as(f, token_of("staff"), "staff");
}

static void cool_down(struct auth_config *config)
{
    config->jwks_cooldown_s = 3600;
}

static int set_up_cool(void **state)
{
    adjust_more = cool_down;
    return set_up_fetched(state);
}

static void made_up_keys_fetch_nothing_for_a_while(void **state)
{
    struct fixture *f = *state;
    char head[64];
    for (int i = 0; i < 20; i++) {
        (void)snprintf(head, sizeof head, "{\"alg\":\"ES256\",\"kid\":\"k%d\"}", i);
        is_refused(f, bearer(foreign_key, head, claims_of("admin")), " 401 ",
                   "invalid_token");
    }
    assert_int_equal(provider.fetches, 1);
}

static void age_soon(struct auth_config *config)
{
    config->jwks_max_age_s = 1;
    config->jwks_refresh_s = 1;
}

static int set_up_aging(void **state)
{
    adjust_more = age_soon;
    return set_up_fetched(state);
}

static void keys_that_nobody_confirms_count_no_more(void **state)
{
    struct fixture *f = *state;
    char header[HEADER_MOST];
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    (void)snprintf(header, sizeof header, "%s", token_of("staff"));
    provider.status = 503;
    while (strstr(search(f, header), " 200 ") != NULL)
        assert_true(sh_left_ms(deadline) > 0);
    assert_says(f->heard, " 503 ");
    assert_says(f->heard, "Retry-After: ");
    provider.status = 200; /* and are back with the provider */
    while (strstr(search(f, header), " 200 ") == NULL)
        assert_true(sh_left_ms(deadline) > 0);
}

static void be_away(struct auth_config *config)
{
    (void)config;
    sh_http_server_close(&provider.server);
}

static int set_up_away(void **state)
{
    adjust_more = be_away;
    return set_up(state);
}

static void without_a_provider_nobody_is_let_in_by_its_tokens(void **state)
{
    struct fixture *f = *state;
    is_refused(f, token_of("admin"), " 503 ", "dependency_unavailable");
    assert_says(f->heard, "Retry-After: 1");
    gets_in_as(f, "", "anonymous");
}

static void who_waits_for_keys_may_leave(void **state)
{
    struct fixture *f = *state;
    char request[HEADER_MOST + 256];
    provider.hold = true;
    int fd = dial(f);
    (void)snprintf(request, sizeof request,
                   "GET /api/search?q=x HTTP/1.1\r\nHost: x\r\n%s\r\n",
                   bearer(second_key, ES_TWO, claims_of("staff")));
    say(fd, request);
    pump_until(f, provider.waiting != NULL);
    hang_up(fd);
    pump_until(f, f->edge.auth->waiting == 0);
    publish(second_key, "two");
    provider.hold = false;
    provider_answer(provider.waiting);
    pump_until(f, keyring_generation(f->gateway.auth->keyring) == 2);
    gets_in_as(f, bearer(second_key, ES_TWO, claims_of("staff")), "staff");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_new_key_is_fetched_when_it_is_met),
        T(keys_stay_while_the_provider_is_away),
        cmocka_unit_test_setup_teardown(made_up_keys_fetch_nothing_for_a_while,
                                        set_up_cool, tear_down_all),
        cmocka_unit_test_setup_teardown(keys_that_nobody_confirms_count_no_more,
                                        set_up_aging, tear_down_all),
        cmocka_unit_test_setup_teardown(without_a_provider_nobody_is_let_in_by_its_tokens,
                                        set_up_away, tear_down_all),
        T(who_waits_for_keys_may_leave),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
