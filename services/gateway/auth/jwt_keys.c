#include "services/gateway/auth/jwt_keys.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/sha.h>

#include <jansson.h>

#include "services/gateway/auth/base64url.h"

enum { ID_MAX = 128, RSA_BITS_LEAST = 2048, RSA_BITS_MOST = 8192, P256_BYTES = 32 };

struct jwt_key {
    enum jwt_alg alg;
    char id[ID_MAX + 1]; /* "": none */
    EVP_PKEY *pkey;
    char *secret;
    size_t secret_len;
};

struct jwt_keys {
    struct jwt_key keys[JWT_KEYS_MAX];
    size_t count;
};

const char *jwt_alg_name(enum jwt_alg alg)
{
    static const char *const names[JWT_ALGS] = {"HS256", "RS256", "ES256"};
    return alg < JWT_ALGS ? names[alg] : NULL;
}

enum sh_err jwt_keys_create(struct jwt_keys **out)
{
    *out = sh_alloc(sizeof(**out));
    return *out ? SH_OK : SH_NOMEM;
}

void jwt_keys_free(struct jwt_keys **keys)
{
    struct jwt_keys *self = *keys;
    if (!self)
        return;
    for (size_t i = 0; i < self->count; i++) {
        EVP_PKEY_free(self->keys[i].pkey);
        OPENSSL_cleanse(self->keys[i].secret, self->keys[i].secret_len);
        sh_free(self->keys[i].secret);
    }
    sh_free(self);
    *keys = NULL;
}

size_t jwt_keys_count(const struct jwt_keys *keys)
{
    return keys->count;
}

/* --- adding ----------------------------------------------------------------------- */

enum sh_err jwt_keys_add_secret(struct jwt_keys *keys, struct sh_bytes secret)
{
    if (secret.len < JWT_SECRET_LEAST)
        return SH_INVALID;
    if (keys->count == JWT_KEYS_MAX)
        return SH_TOOBIG;
    struct jwt_key key = {.alg = JWT_HS256, .secret_len = secret.len};
    key.secret = sh_strndup(secret.data, secret.len);
    if (!key.secret)
        return SH_NOMEM;
    keys->keys[keys->count++] = key;
    return SH_OK;
}

static bool is_p256(EVP_PKEY *pkey)
{
    char group[32] = "";
    size_t len = 0;
    return EVP_PKEY_get_utf8_string_param(pkey, OSSL_PKEY_PARAM_GROUP_NAME, group,
                                          sizeof(group), &len) == 1 &&
           strcmp(group, "prime256v1") == 0;
}

static bool algorithm_of(EVP_PKEY *pkey, enum jwt_alg *alg)
{
    int bits = EVP_PKEY_get_bits(pkey);
    *alg = EVP_PKEY_is_a(pkey, "EC") ? JWT_ES256 : JWT_RS256;
    if (*alg == JWT_ES256)
        return is_p256(pkey);
    return EVP_PKEY_is_a(pkey, "RSA") && bits >= RSA_BITS_LEAST && bits <= RSA_BITS_MOST;
}

/* A point that is not on the curve, an exponent of 1: a set may say anything. */
static bool is_sound(EVP_PKEY *pkey)
{
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(pkey, NULL);
    bool sound = context && EVP_PKEY_public_check(context) == 1;
    EVP_PKEY_CTX_free(context);
    return sound;
}

/* Takes the key, also when it is refused. */
static enum sh_err add_public(struct jwt_keys *keys, EVP_PKEY *pkey, const char *id)
{
    enum sh_err err = SH_OK;
    struct jwt_key *key = &keys->keys[keys->count];
    enum jwt_alg alg;
    if (!pkey || !algorithm_of(pkey, &alg) || !is_sound(pkey) || strlen(id) > ID_MAX)
        err = SH_INVALID;
    else if (keys->count == JWT_KEYS_MAX)
        err = SH_TOOBIG;
    if (err != SH_OK) {
        EVP_PKEY_free(pkey);
        return err;
    }
    *key = (struct jwt_key){.alg = alg, .pkey = pkey};
    memcpy(key->id, id, strlen(id) + 1);
    keys->count++;
    return SH_OK;
}

enum sh_err jwt_keys_add_pem(struct jwt_keys *keys, struct sh_bytes pem, const char *id)
{
    BIO *bio = pem.len <= INT32_MAX ? BIO_new_mem_buf(pem.data, (int)pem.len) : NULL;
    if (!bio)
        return SH_NOMEM;
    EVP_PKEY *pkey = PEM_read_bio_PUBKEY(bio, NULL, NULL, NULL);
    BIO_free(bio);
    return add_public(keys, pkey, id ? id : "");
}

/* --- JWK sets --------------------------------------------------------------------- */

static EVP_PKEY *make_public(const char *type, OSSL_PARAM_BLD *builder)
{
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM *params = OSSL_PARAM_BLD_to_param(builder);
    EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, type, NULL);
    if (!params || !context || EVP_PKEY_fromdata_init(context) != 1 ||
        EVP_PKEY_fromdata(context, &pkey, EVP_PKEY_PUBLIC_KEY, params) != 1)
        pkey = NULL;
    OSSL_PARAM_free(params);
    EVP_PKEY_CTX_free(context);
    return pkey;
}

static bool member(const json_t *jwk, const char *name, struct sh_arena *arena,
                   struct sh_bytes *out)
{
    const json_t *text = json_object_get(jwk, name);
    struct sh_bytes value = {json_string_value(text), json_string_length(text)};
    return json_is_string(text) && base64url_decode(value, arena, out) && out->len > 0;
}

static EVP_PKEY *rsa_of(const json_t *jwk, struct sh_arena *arena)
{
    struct sh_bytes n;
    struct sh_bytes e;
    if (!member(jwk, "n", arena, &n) || !member(jwk, "e", arena, &e) ||
        n.len > RSA_BITS_MOST / 8 || e.len > 8)
        return NULL;
    EVP_PKEY *pkey = NULL;
    BIGNUM *modulus = BN_bin2bn(n.data, (int)n.len, NULL);
    BIGNUM *exponent = BN_bin2bn(e.data, (int)e.len, NULL);
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (modulus && exponent && builder &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, modulus) == 1 &&
        OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, exponent) == 1)
        pkey = make_public("RSA", builder);
    OSSL_PARAM_BLD_free(builder);
    BN_free(modulus);
    BN_free(exponent);
    return pkey;
}

static EVP_PKEY *p256_of(const json_t *jwk, struct sh_arena *arena)
{
    struct sh_bytes x;
    struct sh_bytes y;
    unsigned char point[1 + 2 * P256_BYTES] = {POINT_CONVERSION_UNCOMPRESSED};
    const char *curve = json_string_value(json_object_get(jwk, "crv"));
    if (!curve || strcmp(curve, "P-256") != 0 || !member(jwk, "x", arena, &x) ||
        !member(jwk, "y", arena, &y) || x.len != P256_BYTES || y.len != P256_BYTES)
        return NULL;
    memcpy(point + 1, x.data, P256_BYTES);
    memcpy(point + 1 + P256_BYTES, y.data, P256_BYTES);
    EVP_PKEY *pkey = NULL;
    OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
    if (builder &&
        OSSL_PARAM_BLD_push_utf8_string(builder, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1",
                                        0) == 1 &&
        OSSL_PARAM_BLD_push_octet_string(builder, OSSL_PKEY_PARAM_PUB_KEY, point,
                                         sizeof(point)) == 1)
        pkey = make_public("EC", builder);
    OSSL_PARAM_BLD_free(builder);
    return pkey;
}

/* A key that says what it is for must be for this. */
static bool is_for(const json_t *jwk, const char *alg)
{
    const char *use = json_string_value(json_object_get(jwk, "use"));
    const char *own = json_string_value(json_object_get(jwk, "alg"));
    return (!use || strcmp(use, "sig") == 0) && (!own || strcmp(own, alg) == 0);
}

static EVP_PKEY *public_of(const json_t *jwk, struct sh_arena *arena)
{
    const char *type = json_string_value(json_object_get(jwk, "kty"));
    if (type && strcmp(type, "RSA") == 0 && is_for(jwk, "RS256"))
        return rsa_of(jwk, arena);
    if (type && strcmp(type, "EC") == 0 && is_for(jwk, "ES256"))
        return p256_of(jwk, arena);
    return NULL;
}

static enum sh_err add_jwk(struct jwt_keys *keys, const json_t *jwk,
                           struct sh_arena *arena, size_t *added)
{
    const char *id = json_string_value(json_object_get(jwk, "kid"));
    EVP_PKEY *pkey = public_of(jwk, arena);
    if (!pkey)
        return SH_OK;
    enum sh_err err = add_public(keys, pkey, id ? id : "");
    *added += err == SH_OK;
    return err == SH_INVALID ? SH_OK : err;
}

enum sh_err jwt_keys_add_set(struct jwt_keys *keys, struct sh_bytes json, size_t *added)
{
    size_t i = 0;
    json_t *jwk = NULL;
    struct sh_arena arena = {0};
    json_t *set = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    json_t *list = json_object_get(set, "keys");
    enum sh_err err = json_is_array(list) ? SH_OK : SH_MALFORMED;
    *added = 0;
    json_array_foreach(list, i, jwk)
    {
        if (err == SH_OK)
            err = add_jwk(keys, jwk, &arena, added);
    }
    json_decref(set);
    sh_arena_free(&arena);
    return err;
}

/* --- checking --------------------------------------------------------------------- */

static bool verify_secret(const struct jwt_key *key, struct sh_bytes text,
                          struct sh_bytes signature)
{
    unsigned char own[SHA256_DIGEST_LENGTH];
    unsigned len = 0;
    return signature.len == sizeof(own) &&
           HMAC(EVP_sha256(), key->secret, (int)key->secret_len, text.data, text.len, own,
                &len) != NULL &&
           len == sizeof(own) && CRYPTO_memcmp(own, signature.data, sizeof(own)) == 0;
}

static bool verify_public(const struct jwt_key *key, struct sh_bytes text,
                          const unsigned char *signature, size_t len)
{
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool good = context &&
                EVP_DigestVerifyInit(context, NULL, EVP_sha256(), NULL, key->pkey) == 1 &&
                EVP_DigestVerify(context, signature, len, text.data, text.len) == 1;
    EVP_MD_CTX_free(context);
    return good;
}

/* A token has r and s side by side, OpenSSL wants them in DER. */
static bool verify_p256(const struct jwt_key *key, struct sh_bytes text,
                        struct sh_bytes signature)
{
    const unsigned char *bytes = signature.data;
    unsigned char *der = NULL;
    bool good = false;
    if (signature.len != 2L * P256_BYTES)
        return false;
    ECDSA_SIG *pair = ECDSA_SIG_new();
    BIGNUM *r = BN_bin2bn(bytes, P256_BYTES, NULL);
    BIGNUM *s = BN_bin2bn(bytes + P256_BYTES, P256_BYTES, NULL);
    if (!pair || !r || !s || ECDSA_SIG_set0(pair, r, s) != 1) {
        BN_free(r);
        BN_free(s);
    } else {
        int len = i2d_ECDSA_SIG(pair, &der);
        good = len > 0 && verify_public(key, text, der, (size_t)len);
    }
    OPENSSL_free(der);
    ECDSA_SIG_free(pair);
    return good;
}

static bool verify(const struct jwt_key *key, struct sh_bytes text,
                   struct sh_bytes signature)
{
    switch (key->alg) {
    case JWT_HS256:
        return verify_secret(key, text, signature);
    case JWT_RS256:
        return verify_public(key, text, signature.data, signature.len);
    case JWT_ES256:
        return verify_p256(key, text, signature);
    case JWT_ALGS:
        break;
    }
    return false;
}

bool jwt_keys_verify(const struct jwt_keys *keys, enum jwt_alg alg, struct sh_bytes id,
                     struct sh_bytes text, struct sh_bytes signature)
{
    for (size_t i = 0; i < keys->count; i++) {
        const struct jwt_key *key = &keys->keys[i];
        bool named = id.len > 0 && key->id[0] != '\0';
        if (key->alg == alg && (!named || sh_bytes_is(id, key->id)) &&
            verify(key, text, signature))
            return true;
    }
    return false;
}

bool jwt_keys_has(const struct jwt_keys *keys, enum jwt_alg alg, struct sh_bytes id)
{
    for (size_t i = 0; i < keys->count; i++)
        if (keys->keys[i].alg == alg && keys->keys[i].pkey &&
            sh_bytes_is(id, keys->keys[i].id))
            return true;
    return false;
}
