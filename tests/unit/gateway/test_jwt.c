/* Tokens: good ones pass, and every known way to forge one fails. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include <openssl/ec.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/rsa.h>

#include "services/gateway/auth/base64url.h"
#include "services/gateway/auth/jwt.h"
#include "shared/buffer.h"

enum { NOW = 1700000000 };

static const char secret[] = "a shared secret of thirty-two byt";

struct fixture {
    struct sh_arena arena;
    struct jwt_keys *keys;
    EVP_PKEY *rsa;
    EVP_PKEY *p256;
};

/* Making 2,048 bits takes a while: once for all tests. */
static EVP_PKEY *rsa_key;
static EVP_PKEY *p256_key;

static int make_keys(void **state)
{
    (void)state;
    rsa_key = EVP_RSA_gen(2048);
    p256_key = EVP_EC_gen("P-256");
    return rsa_key && p256_key ? 0 : -1;
}

static int free_keys(void **state)
{
    (void)state;
    EVP_PKEY_free(rsa_key);
    EVP_PKEY_free(p256_key);
    return 0;
}

static struct sh_bytes pem_of(struct fixture *f, EVP_PKEY *key)
{
    char *data = NULL;
    BIO *bio = BIO_new(BIO_s_mem());
    assert_int_equal(PEM_write_bio_PUBKEY(bio, key), 1);
    long len = BIO_get_mem_data(bio, &data);
    struct sh_bytes pem = sh_arena_copy(&f->arena, (struct sh_bytes){data, (size_t)len});
    BIO_free(bio);
    return pem;
}

static int set_up(void **state)
{
    static struct fixture f;
    f = (struct fixture){.rsa = rsa_key, .p256 = p256_key};
    assert_int_equal(jwt_keys_create(&f.keys), SH_OK);
    assert_int_equal(jwt_keys_add_secret(f.keys, sh_bytes_of(secret)), SH_OK);
    assert_int_equal(jwt_keys_add_pem(f.keys, pem_of(&f, f.rsa), "rsa"), SH_OK);
    assert_int_equal(jwt_keys_add_pem(f.keys, pem_of(&f, f.p256), NULL), SH_OK);
    *state = &f;
    return 0;
}

static int tear_down(void **state)
{
    struct fixture *f = *state;
    jwt_keys_free(&f->keys);
    sh_arena_free(&f->arena);
    return 0;
}

/* --- another maker of tokens, OpenSSL's ------------------------------------------- */

static struct sh_bytes raw_signature(struct fixture *f, EVP_PKEY *key,
                                     struct sh_bytes text)
{
    unsigned char buffer[1024];
    size_t len = sizeof(buffer);
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    assert_int_equal(EVP_DigestSignInit(context, NULL, EVP_sha256(), NULL, key), 1);
    assert_int_equal(EVP_DigestSign(context, buffer, &len, text.data, text.len), 1);
    EVP_MD_CTX_free(context);
    if (EVP_PKEY_is_a(key, "EC")) {
        const unsigned char *der = buffer;
        ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)len);
        unsigned char both[64];
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_r(pair), both, 32), 32);
        assert_int_equal(BN_bn2binpad(ECDSA_SIG_get0_s(pair), both + 32, 32), 32);
        ECDSA_SIG_free(pair);
        memcpy(buffer, both, sizeof(both));
        len = sizeof(both);
    }
    return sh_arena_copy(&f->arena, (struct sh_bytes){buffer, len});
}

static struct sh_bytes join(struct fixture *f, const char *header, const char *payload)
{
    struct sh_buffer text = {0};
    struct sh_bytes head = base64url_encode(sh_bytes_of(header), &f->arena);
    struct sh_bytes body = base64url_encode(sh_bytes_of(payload), &f->arena);
    sh_buffer_append(&text, head.data, head.len);
    sh_buffer_text(&text, ".");
    sh_buffer_append(&text, body.data, body.len);
    struct sh_bytes joined = sh_arena_copy(&f->arena, sh_buffer_bytes(&text));
    sh_buffer_free(&text);
    return joined;
}

static struct sh_bytes with(struct fixture *f, struct sh_bytes text,
                            struct sh_bytes signature)
{
    struct sh_buffer token = {0};
    struct sh_bytes sum = base64url_encode(signature, &f->arena);
    sh_buffer_append(&token, text.data, text.len);
    sh_buffer_text(&token, ".");
    sh_buffer_append(&token, sum.data, sum.len);
    struct sh_bytes whole = sh_arena_copy(&f->arena, sh_buffer_bytes(&token));
    sh_buffer_free(&token);
    return whole;
}

static struct sh_bytes by_key(struct fixture *f, EVP_PKEY *key, const char *header,
                              const char *payload)
{
    struct sh_bytes text = join(f, header, payload);
    return with(f, text, raw_signature(f, key, text));
}

static struct sh_bytes by_secret(struct fixture *f, struct sh_bytes key,
                                 const char *header, const char *payload)
{
    EVP_PKEY *mac = EVP_PKEY_new_raw_private_key(EVP_PKEY_HMAC, NULL, key.data, key.len);
    struct sh_bytes token = by_key(f, mac, header, payload);
    EVP_PKEY_free(mac);
    return token;
}

static enum jwt_fault check(struct fixture *f, struct sh_bytes token)
{
    struct jwt jwt;
    struct jwt_rules rules = {f->keys, "", "", 60, NOW};
    enum jwt_fault fault = jwt_verify(token, &rules, &jwt);
    assert_true((fault == JWT_GOOD) == (jwt.claims != NULL));
    jwt_free(&jwt);
    return fault;
}

#define HS   "{\"alg\":\"HS256\"}"
#define RS   "{\"alg\":\"RS256\",\"kid\":\"rsa\"}"
#define ES   "{\"alg\":\"ES256\"}"
#define LIVE "{\"sub\":\"ada\",\"exp\":1700000100}"

static enum jwt_fault check_claims(struct fixture *f, const char *payload)
{
    return check(f, by_secret(f, sh_bytes_of(secret), HS, payload));
}

/* --- tests ------------------------------------------------------------------------ */

static void each_algorithm_is_verified(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(check(f, by_secret(f, sh_bytes_of(secret), HS, LIVE)), JWT_GOOD);
    assert_int_equal(check(f, by_key(f, f->rsa, RS, LIVE)), JWT_GOOD);
    assert_int_equal(check(f, by_key(f, f->p256, ES, LIVE)), JWT_GOOD);
}

/* RFC 7515, appendix A.1: somebody else's token, with somebody else's white space. */
static void the_example_of_the_rfc_is_verified(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes key;
    struct jwt jwt;
    const char token[] =
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9."
        "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19"
        "yb290Ijp0cnVlfQ.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
    assert_true(base64url_decode(
        sh_bytes_of("AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4"
                    "hcgUuTwjAzZr1Z9CAow"),
        &f->arena, &key));
    assert_int_equal(jwt_keys_add_secret(f->keys, key), SH_OK);
    struct jwt_rules rules = {f->keys, "joe", "", 0, 1300819379};
    assert_int_equal(jwt_verify(sh_bytes_of(token), &rules, &jwt), JWT_GOOD);
    assert_int_equal(jwt.expires_s, 1300819380);
    assert_true(json_is_true(json_object_get(jwt.claims, "http://example.com/is_root")));
    jwt_free(&jwt);
    rules.now_s = 1300819380;
    assert_int_equal(jwt_verify(sh_bytes_of(token), &rules, &jwt), JWT_EXPIRED);
}

static void our_own_tokens_are_verified(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes token;
    json_t *claims = json_pack("{s:s,s:i}", "sub", "ada", "exp", NOW + 1);
    assert_int_equal(jwt_sign(claims, sh_bytes_of(secret), &f->arena, &token), SH_OK);
    assert_int_equal(check(f, token), JWT_GOOD);
    assert_int_equal(jwt_sign(claims, sh_bytes_of("short"), &f->arena, &token),
                     SH_INVALID);
    json_decref(claims);
}

static void a_changed_token_is_refused(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes tokens[] = {by_secret(f, sh_bytes_of(secret), HS, LIVE),
                                by_key(f, f->rsa, RS, LIVE),
                                by_key(f, f->p256, ES, LIVE)};
    for (size_t t = 0; t < SH_COUNT(tokens); t++) {
        for (size_t i = 0; i < tokens[t].len; i++) {
            char *text = sh_arena_strndup(&f->arena, tokens[t].data, tokens[t].len);
            struct sh_bytes copy = {text, tokens[t].len};
            text[i] = text[i] == 'A' ? 'B' : 'A';
            assert_int_not_equal(check(f, copy), JWT_GOOD);
            copy.len = i;
            assert_int_not_equal(check(f, copy), JWT_GOOD);
        }
    }
}

static void no_algorithm_is_none(void **state)
{
    struct fixture *f = *state;
    const char *names[] = {"none",  "None",  "NONE",  "nOnE",  "",      "HS384",
                           "RS512", "PS256", "ES384", "EdDSA", "hs256", "HS256 "};
    char header[64];
    for (size_t i = 0; i < SH_COUNT(names); i++) {
        (void)snprintf(header, sizeof(header), "{\"alg\":\"%s\"}", names[i]);
        struct sh_bytes text = join(f, header, LIVE);
        assert_int_equal(check(f, with(f, text, (struct sh_bytes){"", 0})),
                         JWT_ALGORITHM);
        assert_int_equal(check(f, by_secret(f, sh_bytes_of(secret), header, LIVE)),
                         JWT_ALGORITHM);
    }
    struct sh_bytes unsigned_text = join(f, HS, LIVE);
    assert_int_equal(check(f, unsigned_text), JWT_FORMAT);
    assert_int_equal(check(f, with(f, unsigned_text, (struct sh_bytes){"", 0})),
                     JWT_SIGNATURE);
}

/* The public key, which everybody has, as the secret of an HMAC. */
static void a_public_key_is_no_secret(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *keys[] = {f->rsa, f->p256};
    const char *headers[] = {HS, "{\"alg\":\"HS256\",\"kid\":\"rsa\"}"};
    for (size_t i = 0; i < 2; i++) {
        for (size_t h = 0; h < 2; h++)
            assert_int_equal(check(f, by_secret(f, pem_of(f, keys[i]), headers[h], LIVE)),
                             JWT_SIGNATURE);
    }
    assert_int_equal(check(f, by_key(f, f->rsa, ES, LIVE)), JWT_SIGNATURE);
    assert_int_equal(check(f, by_key(f, f->p256, RS, LIVE)), JWT_SIGNATURE);
}

static void a_key_in_the_header_is_not_looked_at(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *own = EVP_RSA_gen(2048);
    const char *headers[] = {
        "{\"alg\":\"RS256\",\"jku\":\"http://evil.example/keys\"}",
        "{\"alg\":\"RS256\",\"jwk\":{\"kty\":\"RSA\",\"n\":\"AQAB\",\"e\":\"AQAB\"}}",
        "{\"alg\":\"RS256\",\"x5u\":\"http://evil.example/cert\"}",
        "{\"alg\":\"RS256\",\"kid\":\"../../dev/null\"}"};
    for (size_t i = 0; i < SH_COUNT(headers); i++)
        assert_int_equal(check(f, by_key(f, own, headers[i], LIVE)),
                         strstr(headers[i], "kid") ? JWT_UNKNOWN_KEY : JWT_SIGNATURE);
    EVP_PKEY_free(own);
}

static void a_named_key_is_the_only_one_tried(void **state)
{
    struct fixture *f = *state;
    const char *other = "{\"alg\":\"RS256\",\"kid\":\"another\"}";
    assert_int_equal(check(f, by_key(f, f->rsa, other, LIVE)), JWT_UNKNOWN_KEY);
    assert_int_equal(check(f, by_key(f, f->rsa, "{\"alg\":\"RS256\"}", LIVE)), JWT_GOOD);
    assert_int_equal(check(f, by_key(f, f->rsa, "{\"alg\":\"RS256\",\"kid\":7}", LIVE)),
                     JWT_CLAIMS);
}

static void what_is_critical_must_be_understood(void **state)
{
    struct fixture *f = *state;
    const char *header = "{\"alg\":\"HS256\",\"crit\":[\"exp\"]}";
    assert_int_equal(check(f, by_secret(f, sh_bytes_of(secret), header, LIVE)),
                     JWT_CLAIMS);
}

static void times_are_checked_with_some_skew(void **state)
{
    struct fixture *f = *state;
    assert_int_equal(check_claims(f, "{\"exp\":1699999941}"), JWT_GOOD);
    assert_int_equal(check_claims(f, "{\"exp\":1699999940}"), JWT_EXPIRED);
    assert_int_equal(check_claims(f, "{\"exp\":1700000100,\"nbf\":1700000060}"),
                     JWT_GOOD);
    assert_int_equal(check_claims(f, "{\"exp\":1700000100,\"nbf\":1700000061}"),
                     JWT_NOT_YET);
    assert_int_equal(check_claims(f, "{\"exp\":1700000100,\"iat\":1700000061}"),
                     JWT_NOT_YET);
    const char *bad[] = {"{}",
                         "{\"exp\":\"1700000100\"}",
                         "{\"exp\":null}",
                         "{\"exp\":-1}",
                         "{\"exp\":1e300}",
                         "{\"exp\":1700000100,\"nbf\":\"now\"}",
                         "{\"exp\":1700000100,\"iat\":[]}"};
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_equal(check_claims(f, bad[i]), JWT_CLAIMS);
}

static void issuer_and_audience_are_checked(void **state)
{
    struct fixture *f = *state;
    const struct {
        const char *claims;
        enum jwt_fault fault;
    } cases[] = {
        {"{\"exp\":1700000100,\"iss\":\"us\",\"aud\":\"cairn\"}", JWT_GOOD},
        {"{\"exp\":1700000100,\"iss\":\"us\",\"aud\":[\"x\",\"cairn\"]}", JWT_GOOD},
        {"{\"exp\":1700000100,\"iss\":\"them\",\"aud\":\"cairn\"}", JWT_ISSUER},
        {"{\"exp\":1700000100,\"iss\":[\"us\"],\"aud\":\"cairn\"}", JWT_ISSUER},
        {"{\"exp\":1700000100,\"aud\":\"cairn\"}", JWT_ISSUER},
        {"{\"exp\":1700000100,\"iss\":\"us\"}", JWT_AUDIENCE},
        {"{\"exp\":1700000100,\"iss\":\"us\",\"aud\":[]}", JWT_AUDIENCE},
        {"{\"exp\":1700000100,\"iss\":\"us\",\"aud\":\"cairn2\"}", JWT_AUDIENCE},
        {"{\"exp\":1700000100,\"iss\":\"us\",\"aud\":{\"cairn\":1}}", JWT_AUDIENCE}};
    struct jwt_rules rules = {f->keys, "us", "cairn", 0, NOW};
    for (size_t i = 0; i < SH_COUNT(cases); i++) {
        struct jwt jwt;
        struct sh_bytes token = by_secret(f, sh_bytes_of(secret), HS, cases[i].claims);
        assert_int_equal(jwt_verify(token, &rules, &jwt), cases[i].fault);
        jwt_free(&jwt);
    }
}

static void what_is_no_token_is_refused(void **state)
{
    struct fixture *f = *state;
    const char *bad[] = {"",
                         ".",
                         "..",
                         "...",
                         "a.b.c",
                         "a.b.c.d",
                         "e30.e30.",
                         "bnVsbA.e30.e30",
                         "W10.e30.e30",
                         "\xff.\xff.\xff"};
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_int_not_equal(check(f, sh_bytes_of(bad[i])), JWT_GOOD);
    const char *payloads[] = {
        "null", "[]", "7", "{\"exp\":1700000100", "", "{\"exp\":1700000100,\"exp\":9e9}"};
    for (size_t i = 0; i < SH_COUNT(payloads); i++)
        assert_int_equal(check_claims(f, payloads[i]), JWT_FORMAT);
    char *large = sh_alloc(JWT_MAX + 2);
    memset(large, 'a', JWT_MAX + 1);
    assert_int_equal(check(f, sh_bytes_of(large)), JWT_FORMAT);
    sh_free(large);
}

static void weak_keys_are_not_taken(void **state)
{
    struct fixture *f = *state;
    EVP_PKEY *weak = EVP_RSA_gen(1024);
    EVP_PKEY *other = EVP_EC_gen("P-384");
    size_t before = jwt_keys_count(f->keys);
    assert_int_equal(jwt_keys_add_pem(f->keys, pem_of(f, weak), ""), SH_INVALID);
    assert_int_equal(jwt_keys_add_pem(f->keys, pem_of(f, other), ""), SH_INVALID);
    assert_int_equal(jwt_keys_add_pem(f->keys, sh_bytes_of("no key"), ""), SH_INVALID);
    assert_int_equal(jwt_keys_add_secret(f->keys, sh_bytes_of("too short")), SH_INVALID);
    assert_int_equal(jwt_keys_count(f->keys), before);
    EVP_PKEY_free(weak);
    EVP_PKEY_free(other);
}

/* --- JWK sets --------------------------------------------------------------------- */

static struct sh_bytes number(struct fixture *f, EVP_PKEY *key, const char *name, int len)
{
    BIGNUM *value = NULL;
    unsigned char bytes[512];
    assert_int_equal(EVP_PKEY_get_bn_param(key, name, &value), 1);
    len = BN_bn2binpad(value, bytes, len > 0 ? len : BN_num_bytes(value));
    BN_free(value);
    return base64url_encode((struct sh_bytes){bytes, (size_t)len}, &f->arena);
}

static json_t *rsa_jwk(struct fixture *f, const char *id)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s}", "kty", "RSA", "kid", id, "use", "sig",
                     "alg", "RS256", "n", number(f, f->rsa, "n", 0).data, "e",
                     number(f, f->rsa, "e", 0).data);
}

static json_t *p256_jwk(struct fixture *f, const char *id)
{
    return json_pack("{s:s,s:s,s:s,s:s,s:s}", "kty", "EC", "kid", id, "crv", "P-256", "x",
                     number(f, f->p256, "qx", 32).data, "y",
                     number(f, f->p256, "qy", 32).data);
}

static enum sh_err add_set(struct jwt_keys *keys, json_t *list, size_t *added)
{
    json_t *set = json_pack("{s:o}", "keys", list);
    char *text = json_dumps(set, 0);
    enum sh_err err = jwt_keys_add_set(keys, sh_bytes_of(text), added);
    free(text);
    json_decref(set);
    return err;
}

static void a_published_set_is_used(void **state)
{
    struct fixture *f = *state;
    size_t added = 0;
    jwt_keys_free(&f->keys);
    assert_int_equal(jwt_keys_create(&f->keys), SH_OK);
    json_t *list = json_pack("[o,o]", rsa_jwk(f, "rsa"), p256_jwk(f, "ec"));
    assert_int_equal(add_set(f->keys, list, &added), SH_OK);
    assert_int_equal(added, 2);
    assert_int_equal(check(f, by_key(f, f->rsa, RS, LIVE)), JWT_GOOD);
    assert_int_equal(
        check(f, by_key(f, f->p256, "{\"alg\":\"ES256\",\"kid\":\"ec\"}", LIVE)),
        JWT_GOOD);
    assert_int_equal(
        check(f, by_key(f, f->p256, "{\"alg\":\"ES256\",\"kid\":\"rsa\"}", LIVE)),
        JWT_UNKNOWN_KEY);
}

static void keys_of_a_set_that_are_for_something_else_are_passed_over(void **state)
{
    struct fixture *f = *state;
    size_t added = 0;
    json_t *list = json_array();
    json_t *encrypts = rsa_jwk(f, "a");
    json_object_set_new(encrypts, "use", json_string("enc"));
    json_t *stronger = rsa_jwk(f, "b");
    json_object_set_new(stronger, "alg", json_string("RS512"));
    json_t *one = rsa_jwk(f, "c");
    json_object_set_new(one, "e", json_string("AQ")); /* anybody's signature fits */
    json_t *off = p256_jwk(f, "d");
    json_object_set_new(off, "y", json_string(number(f, f->p256, "qx", 32).data));
    json_array_append_new(list, encrypts);
    json_array_append_new(list, stronger);
    json_array_append_new(list, one);
    json_array_append_new(list, off);
    json_array_append_new(list, json_pack("{s:s,s:s}", "kty", "oct", "k",
                                          "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"));
    json_array_append_new(list, json_pack("{s:s}", "kty", "OKP"));
    json_array_append_new(list, json_null());
    assert_int_equal(add_set(f->keys, list, &added), SH_OK);
    assert_int_equal(added, 0);
    assert_int_equal(jwt_keys_add_set(f->keys, sh_bytes_of("{}"), &added), SH_MALFORMED);
    assert_int_equal(jwt_keys_add_set(f->keys, sh_bytes_of("nonsense"), &added),
                     SH_MALFORMED);
}

static void base64url_has_one_text_for_each_value(void **state)
{
    struct fixture *f = *state;
    struct sh_bytes out;
    const char *bad[] = {"A", "AB", "AAB", "AA==", "A+A", "A/A", "A A", "AAAAA", "AAA\n"};
    for (size_t i = 0; i < SH_COUNT(bad); i++)
        assert_false(base64url_decode(sh_bytes_of(bad[i]), &f->arena, &out));
    for (size_t len = 0; len < 70; len++) {
        unsigned char bytes[70];
        for (size_t i = 0; i < len; i++)
            bytes[i] = (unsigned char)(i * 151 + len);
        struct sh_bytes value = {bytes, len};
        struct sh_bytes text = base64url_encode(value, &f->arena);
        assert_true(base64url_decode(text, &f->arena, &out));
        assert_true(sh_bytes_equal(value, out));
    }
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        T(each_algorithm_is_verified),
        T(the_example_of_the_rfc_is_verified),
        T(our_own_tokens_are_verified),
        T(a_changed_token_is_refused),
        T(no_algorithm_is_none),
        T(a_public_key_is_no_secret),
        T(a_key_in_the_header_is_not_looked_at),
        T(a_named_key_is_the_only_one_tried),
        T(what_is_critical_must_be_understood),
        T(times_are_checked_with_some_skew),
        T(issuer_and_audience_are_checked),
        T(what_is_no_token_is_refused),
        T(weak_keys_are_not_taken),
        T(a_published_set_is_used),
        T(keys_of_a_set_that_are_for_something_else_are_passed_over),
        T(base64url_has_one_text_for_each_value),
    };
    return cmocka_run_group_tests_name("jwt", tests, make_keys, free_keys);
}
