#include "services/gateway/auth/tokens.h"

#include <stdio.h>

#include "shared/clock.h"
#include "shared/metrics.h"

static struct sh_family checked = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_tokens_checked_total",
    .help = "Tokens by what came of them; `known` ones had been checked before",
    .labels = {"result"},
};

bool tokens_looks_like_one(struct sh_bytes text)
{
    const char *data = text.data;
    size_t dots = 0;

    for (size_t i = 0; i < text.len; i++)
        dots += data[i] == '.';
    return dots == 2;
}

/* What a verdict depends on besides the token. */
static uint64_t generation(const struct auth *auth)
{
    return keyring_generation(auth->keyring) << 24 ^ roles_version(auth->roles);
}

static enum jwt_fault verify(struct auth *auth, struct sh_bytes token, double now,
                             struct jwt *jwt)
{
    struct keyset *set = keyring_take(auth->keyring);
    const struct jwt_rules rules = {.keys = set->keys,
                                    .issuer = auth->config->issuer,
                                    .audience = auth->config->audience,
                                    .skew_s = auth->config->skew_s,
                                    .now_s = (uint64_t)now};
    enum jwt_fault fault = jwt_verify(token, &rules, jwt);

    keyring_drop(auth->keyring, set);
    return fault;
}

/* The token is good: whom does it stand for? */
static enum jwt_fault take(struct auth *auth, const struct jwt *jwt,
                           struct principal **out)
{
    enum sh_err err = claims_read(auth->claims, jwt->claims, roles_now(auth->roles),
                                  jwt->expires_s, out);
    if (err == SH_OK)
        return JWT_GOOD;
    return err == SH_NOMEM ? JWT_NOMEM : JWT_CLAIMS;
}

enum jwt_fault tokens_check(struct auth *auth, struct auth_edge *own,
                            struct sh_bytes token, struct principal **out)
{
    double now = sh_wall_time();
    uint64_t version =
        generation(auth); /* before the keys: at worst it is checked again */
    struct jwt jwt;

    *out = NULL;
    if (token.len > JWT_MAX)
        return JWT_FORMAT;
    struct principal *known =
        seen_find(own->tokens, token, version, (uint64_t)(now * 1000));
    if (known != NULL) {
        sh_count(&checked, "known");
        *out = principal_hold(known);
        return JWT_GOOD;
    }
    enum jwt_fault fault = verify(auth, token, now, &jwt);
    if (fault == JWT_GOOD) {
        fault = take(auth, &jwt, out);
        jwt_free(&jwt);
    }
    if (fault == JWT_GOOD)
        seen_put(own->tokens, token, version,
                 ((*out)->expires_s + auth->config->skew_s) * 1000, *out);
    sh_count(&checked, jwt_fault_name(fault));
    return fault;
}

/* --- our own ------------------------------------------------------------------------ */

static void set_text(json_t *claims, const char *name, struct sh_bytes text)
{
    if (text.len > 0)
        json_object_set_new(claims, name, json_stringn(text.data, text.len));
}

/* By the first of the names that are looked for. */
static void set_claim(json_t *claims, const char *names, struct sh_bytes text)
{
    char name[128];

    (void)snprintf(name, sizeof name, "%.*s", (int)strcspn(names, "|"), names);
    set_text(claims, name, text);
}

static json_t *claims_of(const struct auth_config *config,
                         const struct principal *principal, uint32_t lifetime_s)
{
    json_int_t now = (json_int_t)sh_wall_time();
    json_t *claims =
        json_pack("{s:I, s:I}", "iat", now, "exp", now + (json_int_t)lifetime_s);

    set_text(claims, "sub", principal->user_id);
    set_claim(claims, config->claim_user_id, principal->user_id);
    set_claim(claims, config->claim_username, principal->username);
    set_claim(claims, config->claim_role, principal->role);
    set_claim(claims, config->claim_department, principal->department);
    set_claim(claims, config->claim_campus, principal->campus);
    set_text(claims, "jti", principal->id);
    set_text(claims, "iss", sh_bytes_of(config->issuer));
    set_text(claims, "aud", sh_bytes_of(config->audience));
    return claims;
}

enum sh_err tokens_issue(const struct auth_config *config,
                         const struct principal *principal, uint32_t lifetime_s,
                         struct sh_arena *arena, struct sh_bytes *token)
{
    if (config->secret[0] == '\0')
        return SH_UNAVAILABLE;
    json_t *claims = claims_of(config, principal, lifetime_s);
    enum sh_err err = claims != NULL
                          ? jwt_sign(claims, sh_bytes_of(config->secret), arena, token)
                          : SH_NOMEM;
    json_decref(claims);
    return err;
}
