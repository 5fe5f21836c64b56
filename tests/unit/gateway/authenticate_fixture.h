/* authenticate_fixture: a gateway that believes tokens, and the identity provider whose
 * keys it fetches. Header only. */
#ifndef TESTS_AUTHENTICATE_FIXTURE_H
#define TESTS_AUTHENTICATE_FIXTURE_H

#include <stdbool.h>

struct fixture;
static inline void adjust(struct fixture *f);
#define FIXTURE_ADJUST adjust
#include "tests/unit/gateway/gateway_fixture.h"

#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/evp.h>

#include "services/gateway/auth/base64url.h"
#include "shared/metrics.h"

static const char secret[] = "a shared secret of thirty-two byt";

enum { P256 = 32, TOKEN_MOST = 4096, HEADER_MOST = 2 * TOKEN_MOST };

/* --- an identity provider --------------------------------------------------------- */

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

static inline void provider_answer(struct sh_http_request *request)
{
    sh_http_respond(request, provider.status, "application/json",
                    sh_bytes_of(provider.set));
}

static inline void on_gone(void *arg)
{
    (void)arg;
    provider.waiting = NULL;
}

static inline void on_fetch(void *arg, struct sh_http_request *request)
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

static inline void jwk_of(EVP_PKEY *key, const char *id, char *out, size_t size)
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

static inline void publish(EVP_PKEY *key, const char *id)
{
    char jwk[512];
    jwk_of(key, id, jwk, sizeof jwk);
    (void)snprintf(provider.set, sizeof provider.set, "{\"keys\":[%s]}", jwk);
    provider.status = 200;
}

static inline void provider_open(uv_loop_t *loop, uint16_t port)
{
    const struct sh_http_server_options options = {.host = "127.0.0.1",
                                                   .port = port,
                                                   .handler = on_fetch,
                                                   .metrics_label = "provider"};
    assert_int_equal(sh_http_server_create(loop, &options, &provider.server), SH_OK);
    (void)snprintf(provider.url, sizeof provider.url, "http://127.0.0.1:%d/keys",
                   sh_http_server_port(provider.server));
}

/* --- the gateway ------------------------------------------------------------------ */

static void (*adjust_more)(struct auth_config *config);

static inline void adjust(struct fixture *f)
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

static inline bool has_fetched(const struct fixture *f)
{
    return keyring_generation(f->gateway.auth->keyring) > 0;
}

static inline int set_up_fetched(void **state)
{
    if (set_up(state) != 0)
        return -1;
    struct fixture *f = *state;
    pump_until(f, has_fetched(f));
    return 0;
}

static inline int tear_down_all(void **state)
{
    adjust_more = NULL;
    if (provider.server != NULL)
        sh_http_server_close(&provider.server);
    return tear_down(state);
}

/* --- tokens ----------------------------------------------------------------------- */

static inline struct sh_bytes sign(EVP_PKEY *key, struct sh_bytes text,
                                   struct sh_arena *arena)
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
static inline const char *bearer(EVP_PKEY *key, const char *head, const char *claims)
{
    static char header[HEADER_MOST];
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

static inline const char *claims_until(const char *role, int64_t exp)
{
    static char claims[512];
    (void)snprintf(
        claims, sizeof claims,
        "{\"sub\":\"ada\",\"role\":\"%s\",\"department\":\"IT Services\","
        "\"iss\":\"https://sso.example.org\",\"aud\":[\"cairn\"],\"exp\":%lld}",
        role, (long long)exp);
    return claims;
}

static inline const char *claims_of(const char *role)
{
    return claims_until(role, (int64_t)sh_wall_time() + 3600);
}

#define ES_ONE "{\"alg\":\"ES256\",\"kid\":\"one\"}"
#define ES_TWO "{\"alg\":\"ES256\",\"kid\":\"two\"}"
#define QUERY  "{\"query\":\"books\"}"

static inline const char *token_of(const char *role)
{
    return bearer(first_key, ES_ONE, claims_of(role));
}

static inline const char *search(struct fixture *f, const char *header)
{
    return post(f, "/api/search", header, QUERY);
}

static inline void gets_in_as(struct fixture *f, const char *header, const char *role)
{
    char who[80];
    f->seen[0] = '\0';
    assert_says(search(f, header), "HTTP/1.1 200");
    (void)snprintf(who, sizeof who, "role %s/", role);
    assert_says(f->seen, who);
}

static inline void is_refused(struct fixture *f, const char *header, const char *status,
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

static inline int make_keys(void **state)
{
    (void)state;
    first_key = EVP_EC_gen("P-256");
    second_key = EVP_EC_gen("P-256");
    foreign_key = EVP_EC_gen("P-256");
    return first_key && second_key && foreign_key ? 0 : -1;
}

static inline int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(first_key);
    EVP_PKEY_free(second_key);
    EVP_PKEY_free(foreign_key);
    return 0;
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up_fetched, tear_down_all)

#endif
