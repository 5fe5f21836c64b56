/* Who gets in with AUTH_MODE=jwt: the whole gate, and an identity provider that changes
 * its keys, breaks and goes away. */
#include <stdbool.h>

struct fixture;
static void adjust(struct fixture *f);
#define FIXTURE_ADJUST adjust
#include "tests/unit/gateway/gateway_fixture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "services/gateway/auth/base64url.h"
#include "shared/metrics.h"

static const char secret[] = "a shared secret of thirty-two byt";

enum { P256 = 32, TOKEN_MOST = 4096 };

/* --- an identity provider ----------------------------------------------------------- */

static struct {
    struct sh_http_server *server;
    char url[64];
    char set[4096]; /* the answer */
    int status;
    bool hold;                       /* keeps requests until told */
    struct sh_http_request *waiting; /* such a one */
    int fetches;
} provider;

static EVP_PKEY *first_key, *second_key, *foreign_key;

static void provider_answer(struct sh_http_request *request)
{
    sh_http_respond(request, provider.status, "application/json",
                    sh_bytes_of(provider.set));
}

static void on_gone(void *arg)
{
    (void)arg;
    provider.waiting = NULL;
}

static void on_fetch(void *arg, struct sh_http_request *request)
{
    (void)arg;
    provider.fetches++;
    if (!provider.hold) {
        provider_answer(request);
        return;
    }
    sh_http_on_abort(request, on_gone, NULL);
    provider.waiting = request;
}

static void jwk_of(EVP_PKEY *key, const char *id, char *out, size_t size)
{
    struct sh_arena arena = {0};
    struct sh_bytes text[2];
    const char *const names[] = {OSSL_PKEY_PARAM_EC_PUB_X, OSSL_PKEY_PARAM_EC_PUB_Y};
    for (int i = 0; i < 2; i++) {
        BIGNUM *number = NULL;
        unsigned char bytes[P256];
        assert_int_equal(EVP_PKEY_get_bn_param(key, names[i], &number), 1);
        assert_int_equal(BN_bn2binpad(number, bytes, P256), P256);
        text[i] = base64url_encode((struct sh_bytes){bytes, P256}, &arena);
        BN_free(number);
    }
    (void)snprintf(out, size,
                   "{\"kty\":\"EC\",\"crv\":\"P-256\",\"kid\":\"%s\",\"x\":\"%s\","
                   "\"y\":\"%s\"}",
                   id, (const char *)text[0].data, (const char *)text[1].data);
    sh_arena_free(&arena);
}

static void publish(EVP_PKEY *key, const char *id)
{
    char jwk[512];
    jwk_of(key, id, jwk, sizeof jwk);
    (void)snprintf(provider.set, sizeof provider.set, "{\"keys\":[%s]}", jwk);
    provider.status = 200;
}

static void provider_open(uv_loop_t *loop, uint16_t port)
{
    const struct sh_http_server_options options = {.host = "127.0.0.1",
                                                   .port = port,
                                                   .handler = on_fetch,
                                                   .metrics_label = "provider"};
    assert_int_equal(sh_http_server_create(loop, &options, &provider.server), SH_OK);
    (void)snprintf(provider.url, sizeof provider.url, "http://127.0.0.1:%d/keys",
                   sh_http_server_port(provider.server));
}

/* --- the gateway -------------------------------------------------------------------- */

static void (*adjust_more)(struct auth_config *config);

static void adjust(struct fixture *f)
{
    struct auth_config *config = &f->gateway.auth_config;
    provider.fetches = 0;
    provider.hold = false;
    provider.waiting = NULL;
    publish(first_key, "one");
    provider_open(&f->loop, 0);
    f->gateway.config.auth_mode = "jwt";
    config->secret = secret;
    config->jwks_url = provider.url;
    config->jwks_cooldown_s = 0;
    config->jwks_refresh_s = 3600;
    config->issuer = "https://sso.example.org";
    config->audience = "cairn";
    config->skew_s = 0;
    if (adjust_more != NULL)
        adjust_more(config);
}

static bool has_fetched(const struct fixture *f)
{
    return keyring_generation(f->gateway.auth->keyring) > 0;
}

static int set_up_fetched(void **state)
{
    if (set_up(state) != 0)
        return -1;
    struct fixture *f = *state;
    pump_until(f, has_fetched(f));
    return 0;
}

static int tear_down_all(void **state)
{
    adjust_more = NULL;
    if (provider.server != NULL)
        sh_http_server_close(&provider.server);
    return tear_down(state);
}

/* --- tokens ------------------------------------------------------------------------- */

static struct sh_bytes sign(EVP_PKEY *key, struct sh_bytes text, struct sh_arena *arena)
{
    unsigned char buffer[256];
    const unsigned char *der = buffer;
    size_t len = sizeof buffer;
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, buffer, &len, text.data, text.len), 1);
    EVP_MD_CTX_free(context);
    if (!EVP_PKEY_is_a(key, "EC"))
        return base64url_encode((struct sh_bytes){buffer, len}, arena);
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
    unsigned char both[2 * P256];
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), both, P256), P256);
    assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), both + P256, P256), P256);
    ECDSA_SIG_free(pair);
    return base64url_encode((struct sh_bytes){both, sizeof both}, arena);
}

/* A header with a token of this key; in a static buffer. `key` NULL: no signature. */
static const char *bearer(EVP_PKEY *key, const char *head, const char *claims)
{
    static char header[2 * TOKEN_MOST];
    struct sh_arena arena = {0};
    char text[TOKEN_MOST];
    struct sh_bytes a = base64url_encode(sh_bytes_of(head), &arena);
    struct sh_bytes b = base64url_encode(sh_bytes_of(claims), &arena);
    (void)snprintf(text, sizeof text, "%s.%s", (const char *)a.data,
                   (const char *)b.data);
    struct sh_bytes sum =
        key != NULL ? sign(key, sh_bytes_of(text), &arena) : sh_bytes_of("");
    (void)snprintf(header, sizeof header, "Authorization: Bearer %s.%s\r\n", text,
                   (const char *)sum.data);
    sh_arena_free(&arena);
    return header;
}

static const char *claims_until(const char *role, int64_t exp)
{
    static char claims[512];
    (void)snprintf(
        claims, sizeof claims,
        "{\"sub\":\"ada\",\"role\":\"%s\",\"department\":\"IT Services\","
        "\"iss\":\"https://sso.example.org\",\"aud\":[\"cairn\"],\"exp\":%lld}",
        role, (long long)exp);
    return claims;
}

static const char *claims_of(const char *role)
{
    return claims_until(role, (int64_t)sh_wall_time() + 3600);
}

#define ES_ONE "{\"alg\":\"ES256\",\"kid\":\"one\"}"
#define ES_TWO "{\"alg\":\"ES256\",\"kid\":\"two\"}"
#define QUERY  "{\"query\":\"books\"}"

static const char *token_of(const char *role)
{
    return bearer(first_key, ES_ONE, claims_of(role));
}

static const char *search(struct fixture *f, const char *header)
{
    return post(f, "/api/search", header, QUERY);
}

static void gets_in_as(struct fixture *f, const char *header, const char *role)
{
    char who[80];
    f->seen[0] = '\0';
    assert_says(search(f, header), "HTTP/1.1 200");
    (void)snprintf(who, sizeof who, "role %s/", role);
    assert_says(f->seen, who);
}

static void is_refused(struct fixture *f, const char *header, const char *status,
                       const char *code)
{
    char member[80];
    f->seen[0] = '\0';
    const char *answer = search(f, header);
    assert_says(answer, status);
    (void)snprintf(member, sizeof member, "\"code\":\"%s\"", code);
    assert_says(answer, member);
    if (strcmp(status, " 401 ") == 0)
        assert_says(answer, "WWW-Authenticate: Bearer realm=\"cairn\"");
    assert_string_equal(f->seen, ""); /* search was never asked */
}

/* --- who is let in ------------------------------------------------------------------ */

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

/* --- forgeries ---------------------------------------------------------------------- */

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
    char header[TOKEN_MOST];
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

/* --- on behalf of others ------------------------------------------------------------ */

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
    char header[TOKEN_MOST], why[256];
    (void)snprintf(header, sizeof header, "%s", token_of("academic"));
    gets_in_as(f, header, "academic");
    assert_int_equal(
        roles_load(f->gateway.auth->roles, sh_bytes_of(HELPER), why, sizeof why), SH_OK);
    gets_in_as(f, header, "anonymous"); /* there is no such role any more */
}

/* --- the provider's keys ------------------------------------------------------------ */

static void a_new_key_is_fetched_when_it_is_met(void **state)
{
    struct fixture *f = *state;
    char old[TOKEN_MOST];
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
    char header[TOKEN_MOST];
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
    char request[TOKEN_MOST + 256];
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

/* --- keys of programs --------------------------------------------------------------- */

static void without_postgresql_no_key_is_believed(void **state)
{
    struct fixture *f = *state;
    is_refused(f,
               "X-API-Key: cairn_0123456789ab_"
               "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA\r\n",
               " 503 ", "dependency_unavailable");
}

static int make_keys(void **state)
{
    (void)state;
    first_key = EVP_EC_gen("P-256");
    second_key = EVP_EC_gen("P-256");
    foreign_key = EVP_EC_gen("P-256");
    return first_key && second_key && foreign_key ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(first_key);
    EVP_PKEY_free(second_key);
    EVP_PKEY_free(foreign_key);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_fetched, tear_down_all)
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
        T(a_new_key_is_fetched_when_it_is_met),
        T(keys_stay_while_the_provider_is_away),
        cmocka_unit_test_setup_teardown(made_up_keys_fetch_nothing_for_a_while,
                                        set_up_cool, tear_down_all),
        cmocka_unit_test_setup_teardown(keys_that_nobody_confirms_count_no_more,
                                        set_up_aging, tear_down_all),
        cmocka_unit_test_setup_teardown(without_a_provider_nobody_is_let_in_by_its_tokens,
                                        set_up_away, tear_down_all),
        T(who_waits_for_keys_may_leave),
        T(without_postgresql_no_key_is_believed),
    };
    return cmocka_run_group_tests(tests, make_keys, free_keys);
}
