#include "services/gateway/auth/jwt.h"

#include <math.h>
#include <stdlib.h>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>

#include "services/gateway/auth/base64url.h"

static const double time_most = 253402300799.0; /* the end of the year 9999 */

struct parts {
    struct sh_bytes header;
    struct sh_bytes payload;
    struct sh_bytes signature;
    struct sh_bytes text; /* what was signed */
};

const char *jwt_fault_name(enum jwt_fault fault)
{
    static const char *const names[JWT_FAULTS] = {
        "good",    "format", "algorithm", "signature", "unknown_key",  "expired",
        "not_yet", "issuer", "audience",  "claims",    "out_of_memory"};
    return fault < JWT_FAULTS ? names[fault] : "";
}

/* --- the form --------------------------------------------------------------------- */

static bool cut(struct sh_bytes token, struct parts *parts)
{
    const char *start = token.data;
    const char *end = start + token.len;
    const char *first = memchr(start, '.', token.len);
    const char *second = first ? memchr(first + 1, '.', (size_t)(end - first - 1)) : NULL;
    if (!second || memchr(second + 1, '.', (size_t)(end - second - 1)))
        return false;
    parts->header = (struct sh_bytes){start, (size_t)(first - start)};
    parts->payload = (struct sh_bytes){first + 1, (size_t)(second - first - 1)};
    parts->signature = (struct sh_bytes){second + 1, (size_t)(end - second - 1)};
    parts->text = (struct sh_bytes){start, (size_t)(second - start)};
    return true;
}

static json_t *read_object(struct sh_bytes text, struct sh_arena *arena)
{
    struct sh_bytes json;
    if (!base64url_decode(text, arena, &json))
        return NULL;
    json_t *object = json_loadb(json.data, json.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(object))
        return object;
    json_decref(object);
    return NULL;
}

static bool algorithm_of(const json_t *header, enum jwt_alg *alg)
{
    const json_t *name = json_object_get(header, "alg");
    struct sh_bytes text = {json_string_value(name), json_string_length(name)};
    for (int i = 0; i < JWT_ALGS; i++) {
        if (!sh_bytes_is(text, jwt_alg_name((enum jwt_alg)i)))
            continue;
        *alg = (enum jwt_alg)i;
        return true;
    }
    return false;
}

static enum jwt_fault check_signature(const struct parts *parts, const json_t *header,
                                      const struct jwt_rules *rules,
                                      struct sh_arena *arena, enum jwt_alg *used)
{
    enum jwt_alg alg;
    struct sh_bytes signature;
    const json_t *id = json_object_get(header, "kid");
    struct sh_bytes kid = {json_string_value(id), json_string_length(id)};
    if (!algorithm_of(header, &alg))
        return JWT_ALGORITHM;
    *used = alg;
    if (json_object_get(header, "crit") || (id && !json_is_string(id)))
        return JWT_CLAIMS; /* RFC 7515 section 4.1.11: what is critical must be understood
                            */
    if (!base64url_decode(parts->signature, arena, &signature))
        return JWT_FORMAT;
    if (jwt_keys_verify(rules->keys, alg, kid, parts->text, signature))
        return JWT_GOOD;
    return alg != JWT_HS256 && kid.len > 0 && !jwt_keys_has(rules->keys, alg, kid)
               ? JWT_UNKNOWN_KEY
               : JWT_SIGNATURE;
}

/* --- the claims ------------------------------------------------------------------- */

/* False: there is one, and it is no time. `*time` stays where there is none. */
static bool time_of(const json_t *claims, const char *name, double *time)
{
    const json_t *value = json_object_get(claims, name);
    if (!value)
        return true;
    if (!json_is_number(value))
        return false;
    *time = json_number_value(value);
    return *time >= 0 && *time <= time_most;
}

static enum jwt_fault check_times(const json_t *claims, const struct jwt_rules *rules,
                                  uint64_t *expires_s)
{
    double expires = -1;
    double from = 0;
    double issued = 0;
    double now = (double)rules->now_s;
    if (!time_of(claims, "exp", &expires) || !time_of(claims, "nbf", &from) ||
        !time_of(claims, "iat", &issued) || expires < 0)
        return JWT_CLAIMS;
    *expires_s = (uint64_t)expires;
    if (now >= expires + rules->skew_s)
        return JWT_EXPIRED;
    return fmax(from, issued) > now + rules->skew_s ? JWT_NOT_YET : JWT_GOOD;
}

static bool is_text(const json_t *value, const char *text)
{
    struct sh_bytes own = {json_string_value(value), json_string_length(value)};
    return json_is_string(value) && sh_bytes_is(own, text);
}

static bool is_for(const json_t *audience, const char *text)
{
    size_t i = 0;
    json_t *one = NULL;
    json_array_foreach(audience, i, one)
    {
        if (is_text(one, text))
            return true;
    }
    return is_text(audience, text);
}

static enum jwt_fault check_claims(const json_t *claims, const struct jwt_rules *rules,
                                   uint64_t *expires_s)
{
    enum jwt_fault fault = check_times(claims, rules, expires_s);
    if (fault != JWT_GOOD)
        return fault;
    if (rules->issuer[0] && !is_text(json_object_get(claims, "iss"), rules->issuer))
        return JWT_ISSUER;
    if (rules->audience[0] && !is_for(json_object_get(claims, "aud"), rules->audience))
        return JWT_AUDIENCE;
    return JWT_GOOD;
}

/* The signature first: nothing is read of what nobody vouches for. */
static enum jwt_fault verify(struct sh_bytes token, const struct jwt_rules *rules,
                             struct sh_arena *arena, struct jwt *out)
{
    struct parts parts;
    if (token.len == 0 || token.len > JWT_MAX || !cut(token, &parts))
        return JWT_FORMAT;
    json_t *header = read_object(parts.header, arena);
    if (!header)
        return JWT_FORMAT;
    enum jwt_fault fault = check_signature(&parts, header, rules, arena, &out->alg);
    json_decref(header);
    if (fault != JWT_GOOD)
        return fault;
    out->claims = read_object(parts.payload, arena);
    return out->claims ? check_claims(out->claims, rules, &out->expires_s) : JWT_FORMAT;
}

enum jwt_fault jwt_verify(struct sh_bytes token, const struct jwt_rules *rules,
                          struct jwt *out)
{
    struct sh_arena arena = {0};
    *out = (struct jwt){0};
    enum jwt_fault fault = verify(token, rules, &arena, out);
    sh_arena_free(&arena);
    if (fault != JWT_GOOD)
        jwt_free(out);
    return fault;
}

void jwt_free(struct jwt *jwt)
{
    json_decref(jwt->claims);
    *jwt = (struct jwt){0};
}

/* --- making one ------------------------------------------------------------------- */

enum sh_err jwt_sign(const json_t *claims, struct sh_bytes secret, struct sh_arena *arena,
                     struct sh_bytes *token)
{
    static const char header[] = "{\"alg\":\"HS256\",\"typ\":\"JWT\"}";
    unsigned char mac[SHA256_DIGEST_LENGTH];
    unsigned len = 0;
    if (secret.len < JWT_SECRET_LEAST || secret.len > JWT_MAX)
        return SH_INVALID;
    char *json = json_dumps(claims, JSON_COMPACT);
    struct sh_bytes head = base64url_encode(sh_bytes_of(header), arena);
    struct sh_bytes body = base64url_encode(sh_bytes_of(json), arena);
    size_t signed_len = head.len + 1 + body.len;
    char *text = sh_arena_alloc(arena, signed_len + 1 + 2 * sizeof(mac));
    free(json); /* jansson's */
    if (!json || !head.data || !body.data || !text)
        return SH_NOMEM;
    memcpy(text, head.data, head.len);
    text[head.len] = '.';
    memcpy(text + head.len + 1, body.data, body.len);
    if (!HMAC(EVP_sha256(), secret.data, (int)secret.len, (const unsigned char *)text,
              signed_len, mac, &len))
        return SH_NOMEM;
    struct sh_bytes sum = base64url_encode((struct sh_bytes){mac, len}, arena);
    if (!sum.data)
        return SH_NOMEM;
    text[signed_len] = '.';
    memcpy(text + signed_len + 1, sum.data, sum.len);
    *token = (struct sh_bytes){text, signed_len + 1 + sum.len};
    return token->len <= JWT_MAX ? SH_OK : SH_TOOBIG;
}
