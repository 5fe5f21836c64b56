/* Who gets in with AUTH_MODE=jwt: the whole gate, and an identity provider that changes
 * its keys, breaks and goes away. */
#include "tests/unit/gateway/authenticate_fixture.h"

/* --- who is let in ---------------------------------------------------------------- */

static void nobody_is_anonymous_whatever_the_body_says(void **state)
{
    struct fixture *f = *state;
    gets_in_as(f, "", "anonymous");
    assert_says(post(f, "/api/search", "",
                     "{\"query\":\"x\",\"user\":{\"user_id\":\"root\",\"role\":\"admin\","
                     "\"department\":\"IT Services\"}}"),
                " 200 ");
    assert_says(f->seen, "role anonymous/1");
    assert_says(
        post(f, "/api/search", "", "{\"query\":\"x\",\"config\":{\"max_results\":500}}"),
        " 200 ");
    assert_says(f->seen, "max 10 ");
}

static void nobody_may_change_anything(void **state)
{
    struct fixture *f = *state;
    const char *answer =
        post(f, "/api/documents", "", "{\"title\":\"t\",\"text\":\"words\"}");
    assert_says(answer, " 401 ");
    assert_says(answer, "WWW-Authenticate: Bearer realm=\"cairn\"");
    assert_says(answer, "\"code\":\"authentication_required\"");
    assert_int_equal(f->puts, 0);
    assert_says(post(f, "/api/documents/batch?wait=true",
                     "Content-Type: application/x-ndjson\r\n",
                     "{\"title\":\"t\",\"text\":\"words\"}\n"),
                " 401 ");
    assert_int_equal(f->puts, 0);
    assert_says(get(f, "/api/backups"), " 401 ");
    assert_says(get(f, "/api/admin/keys"), " 401 ");
    assert_says(get(f, "/api/admin/users"), " 401 ");
    assert_says(post(f, "/api/embed", "", "{\"input\":\"x\"}"), " 401 ");
}

static void a_token_says_who_asks(void **state)
{
    struct fixture *f = *state;
    gets_in_as(f, token_of("staff"), "staff");
    gets_in_as(f, token_of("academic_staff"), "academic");
    gets_in_as(f, token_of("it_administrator"), "admin");
    gets_in_as(f, token_of("janitor"), "anonymous");
}

static void our_own_tokens_do_too(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *mac = EVP_PKEY_new_raw_private_key(
        EVP_PKEY_HMAC, NULL, (const unsigned char *)secret, strlen(secret));
    gets_in_as(f, bearer(mac, "{\"alg\":\"HS256\"}", claims_of("staff")), "staff");
    EVP_PKEY_free(mac);
}

static void a_body_cannot_widen_a_token(void **state)
{
    struct fixture *f = *state;
    assert_says(post(f, "/api/search", token_of("student"),
                     "{\"query\":\"x\",\"user\":{\"user_id\":\"x\",\"role\":\"admin\"}}"),
                " 200 ");
    assert_says(f->seen, "role student/2");
}

static void roles_decide_what_is_done(void **state)
{
    struct fixture *f = *state;
    const char *answer = post(f, "/api/documents", token_of("student"),
                              "{\"title\":\"t\",\"text\":\"words\"}");
    assert_says(answer, " 403 ");
    assert_says(answer, "\"code\":\"forbidden\"");
    assert_int_equal(f->puts, 0);
    assert_says(post(f, "/api/documents", token_of("staff"),
                     "{\"title\":\"t\",\"text\":\"words\"}"),
                " 20");
    assert_int_equal(f->puts, 1);
}

/* --- forgeries -------------------------------------------------------------------- */

static void forged_tokens_are_refused(void **state)
{
    struct fixture *f = *state;
    char jwk[512], head[700];
    const char *answer;
    is_refused(f, bearer(foreign_key, ES_ONE, claims_of("admin")), " 401 ",
               "invalid_token");
    is_refused(f, bearer(foreign_key, "{\"alg\":\"ES256\"}", claims_of("admin")), " 401 ",
               "invalid_token");
    is_refused(f, bearer(NULL, "{\"alg\":\"none\"}", claims_of("admin")), " 401 ",
               "invalid_token");
    is_refused(f, bearer(first_key, "{\"alg\":\"none\"}", claims_of("admin")), " 401 ",
               "invalid_token");
    jwk_of(foreign_key, "one", jwk, sizeof jwk); /* it brings its own key along */
    (void)snprintf(head, sizeof head, "{\"alg\":\"ES256\",\"kid\":\"one\",\"jwk\":%s}",
                   jwk);
    is_refused(f, bearer(foreign_key, head, claims_of("admin")), " 401 ",
               "invalid_token");
    answer = search(f, "Authorization: Bearer a.b.c\r\n");
    assert_says(answer, "error=\"invalid_token\"");
}

/* The public key is known to all: as a secret it is worth nothing. */
static void a_public_key_is_no_secret(void **state)
{
    struct fixture *f = *state;
    char jwk[512];
    jwk_of(first_key, "one", jwk, sizeof jwk);
    const char *const texts[] = {jwk, provider.set};
    for (size_t i = 0; i < SH_COUNT(texts); i++) {
        EVP_PKEY *mac = EVP_PKEY_new_raw_private_key(
            EVP_PKEY_HMAC, NULL, (const unsigned char *)texts[i], strlen(texts[i]));
        is_refused(f,
                   bearer(mac, "{\"alg\":\"HS256\",\"kid\":\"one\"}", claims_of("admin")),
                   " 401 ", "invalid_token");
        EVP_PKEY_free(mac);
    }
}

static void key_ids_are_only_names(void **state)
{
    static const char *const heads[] = {
        "{\"alg\":\"ES256\",\"kid\":\"../../../dev/null\"}",
        "{\"alg\":\"ES256\",\"kid\":\"' OR 1=1 --\"}",
        "{\"alg\":\"ES256\",\"kid\":\"http://evil.example/keys\"}",
        "{\"alg\":\"ES256\",\"kid\":\"one\",\"jku\":\"http://evil.example/keys\"}",
        "{\"alg\":\"ES256\",\"kid\":[\"one\"]}",
        "{\"alg\":\"ES256\",\"kid\":\"one\",\"crit\":[\"x\"]}",
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < SH_COUNT(heads); i++)
        is_refused(f, bearer(foreign_key, heads[i], claims_of("admin")), " 401 ",
                   "invalid_token");
}

static void tokens_for_others_are_refused(void **state)
{
    static const char *const claims[] = {
        "\"iss\":\"https://evil.example\",\"aud\":\"cairn\"",
        "\"aud\":\"cairn\"",
        "\"iss\":\"https://sso.example.org\",\"aud\":\"another\"",
        "\"iss\":\"https://sso.example.org\",\"aud\":[\"cairn2\"]",
        "\"iss\":\"https://sso.example.org\"",
        "\"iss\":[\"https://sso.example.org\"],\"aud\":\"cairn\"",
    };
    struct fixture *f = *state;
    char text[512];
    for (size_t i = 0; i < SH_COUNT(claims); i++) {
        (void)snprintf(text, sizeof text,
                       "{\"sub\":\"ada\",\"role\":\"admin\",\"exp\":4000000000,%s}",
                       claims[i]);
        is_refused(f, bearer(first_key, ES_ONE, text), " 401 ", "invalid_token");
    }
}

static void times_are_kept(void **state)
{
    struct fixture *f = *state;
    int64_t now = (int64_t)sh_wall_time();
    char text[512];
    is_refused(f, bearer(first_key, ES_ONE, claims_until("admin", now - 1)), " 401 ",
               "token_expired");
    (void)snprintf(text, sizeof text,
                   "{\"sub\":\"ada\",\"iss\":\"https://sso.example.org\",\"aud\":"
                   "\"cairn\",\"exp\":%lld,\"nbf\":%lld}",
                   (long long)now + 9000, (long long)now + 3600);
    is_refused(f, bearer(first_key, ES_ONE, text), " 401 ", "invalid_token");
    is_refused(f,
               bearer(first_key, ES_ONE,
                      "{\"sub\":\"ada\",\"iss\":\"https://sso.example.org\","
                      "\"aud\":\"cairn\"}"),
               " 401 ", "invalid_token");
}

/* The same token, until it is over: what is known of it ends with it. */
static void what_is_known_of_a_token_ends_with_it(void **state)
{
    struct fixture *f = *state;
    int64_t exp = (int64_t)sh_wall_time() + 3;
    char header[HEADER_MOST];
    uint64_t deadline = sh_now_ms() + PATIENCE_MS;
    (void)snprintf(header, sizeof header, "%s",
                   bearer(first_key, ES_ONE, claims_until("admin", exp)));
    while (strstr(search(f, header), " 200 ") != NULL)
        assert_true(sh_left_ms(deadline) > 0);
    assert_says(f->heard, "\"code\":\"token_expired\"");
    assert_true(sh_wall_time() >= (double)exp);
}

static void odd_headers_are_refused(void **state)
{
    struct fixture *f = *state;
    static const char *const headers[] = {
        "Authorization: Basic YWRtaW46YWRtaW4=\r\n",
        "Authorization: Bearer\r\n",
        "Authorization: Bearer \r\n",
        "Authorization: Bearera.b.c\r\n",
        "Authorization: Bearer a.b.c d\r\n",
        "Authorization:\r\n",
        "X-API-Key:\r\n",
    };
    for (size_t i = 0; i < SH_COUNT(headers); i++)
        is_refused(f, headers[i], " 401 ", "invalid_token");
    is_refused(f, "X-API-Key: a\r\nAuthorization: Bearer a.b.c\r\n", " 400 ",
               "invalid_request");
    is_refused(f, "Authorization: Bearer ollama\r\n", " 401 ", "invalid_token");
    is_refused(f, "X-API-Key: nonsense\r\n", " 401 ", "invalid_api_key");
    is_refused(f, "Authorization: Bearer cairn_short\r\n", " 401 ", "invalid_api_key");
}

static void open_routes_stay_open_to_bad_credentials(void **state)
{
    struct fixture *f = *state;
    assert_says(ask(f, "GET /openapi.json HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
                       "Authorization: Bearer a.b.c\r\n\r\n"),
                " 200 ");
    assert_says(get(f, "/health/ready"), "HTTP/1.1 ");
    assert_says(get(f, "/nowhere"), " 404 ");
}

/* --- on behalf of others ---------------------------------------------------------- */

#define HELPER                                                                           \
    "{\"roles\":{\"anonymous\":{\"clearance\":1,\"requests_per_minute\":30,"             \
    "\"requests_per_hour\":300,\"max_results\":10,\"departments\":\"public\","           \
    "\"permissions\":[\"search\"]},"                                                     \
    "\"staff\":{\"clearance\":3,\"requests_per_minute\":60,\"requests_per_hour\":1000,"  \
    "\"max_results\":50,\"departments\":\"own\",\"permissions\":[\"search\"]},"          \
    "\"dean\":{\"clearance\":3,\"requests_per_minute\":60,\"requests_per_hour\":1000,"   \
    "\"max_results\":50,\"departments\":\"all\",\"permissions\":[\"search\"]},"          \
    "\"admin\":{\"clearance\":5,\"requests_per_minute\":60,\"requests_per_hour\":1000,"  \
    "\"max_results\":200,\"departments\":\"all\",\"permissions\":[\"search\"]},"         \
    "\"helper\":{\"clearance\":3,\"requests_per_minute\":60,"                            \
    "\"requests_per_hour\":1000,\"max_results\":50,\"departments\":\"own\","             \
    "\"permissions\":[\"search\",\"impersonate\"]}}}"

static void on_behalf(struct fixture *f, const char *user, const char *part)
{
    char body[512];
    (void)snprintf(body, sizeof body, "{\"query\":\"x\",\"user\":%s}", user);
    const char *answer = post(f, "/api/search", token_of("helper"), body);
    assert_says(strstr(part, "role") != NULL ? f->seen : answer, part);
}

static void impersonation_only_narrows(void **state)
{
    struct fixture *f = *state;
    char why[256];
    assert_int_equal(
        roles_load(f->gateway.auth->roles, sh_bytes_of(HELPER), why, sizeof why), SH_OK);
    on_behalf(f, "{\"user_id\":\"v\"}", "role anonymous/1");
    on_behalf(f, "{\"user_id\":\"s\",\"role\":\"staff\",\"department\":\"IT Services\"}",
              "role staff/3");
    on_behalf(f, "{\"user_id\":\"s\",\"role\":\"staff\",\"department\":\"Library\"}",
              " 403 ");
    on_behalf(f, "{\"user_id\":\"s\",\"role\":\"staff\"}", " 403 ");
    on_behalf(f, "{\"user_id\":\"d\",\"role\":\"dean\",\"department\":\"IT Services\"}",
              " 403 ");
    on_behalf(f, "{\"user_id\":\"r\",\"role\":\"admin\"}", " 403 ");
    on_behalf(f, "{\"user_id\":\"r\",\"role\":\"nobody\"}", " 400 ");
}

static void roles_that_change_count_at_once(void **state)
{
    struct fixture *f = *state;
    char header[HEADER_MOST], why[256];
    (void)snprintf(header, sizeof header, "%s", token_of("academic"));
    gets_in_as(f, header, "academic");
    assert_int_equal(
        roles_load(f->gateway.auth->roles, sh_bytes_of(HELPER), why, sizeof why), SH_OK);
    gets_in_as(f, header, "anonymous"); /* there is no such role any more */
}

/* --- keys of programs ------------------------------------------------------------- */

static void without_postgresql_no_key_is_believed(void **state)
{
    struct fixture *f = *state;
    is_refused(f,
               "X-API-Key: cairn_0123456789ab_"
               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
               " 503 ", "dependency_unavailable");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nobody_is_anonymous_whatever_the_body_says),
        T(nobody_may_change_anything),
        T(a_token_says_who_asks),
        T(our_own_tokens_do_too),
        T(a_body_cannot_widen_a_token),
        T(roles_decide_what_is_done),
        T(forged_tokens_are_refused),
        T(a_public_key_is_no_secret),
        T(key_ids_are_only_names),
        T(tokens_for_others_are_refused),
        T(times_are_kept),
        T(what_is_known_of_a_token_ends_with_it),
        T(odd_headers_are_refused),
        T(open_routes_stay_open_to_bad_credentials),
        T(impersonation_only_narrows),
        T(roles_that_change_count_at_once),
        T(without_postgresql_no_key_is_believed),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
