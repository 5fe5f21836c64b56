#include "services/gateway/auth/tokens.h"

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
    enum sh_err err = claims_read(auth->claims, jwt, roles_now(auth->roles), out);
    if (err == SH_OK)
        return JWT_GOOD;
    return err == SH_NOMEM ? JWT_NOMEM : JWT_CLAIMS;
}

/* With nearly every request. */
static void count_known(void)
{
    static _Thread_local struct sh_series *known;

    if (known == NULL)
        known = sh_series(&checked, (const char *[]){"known"});
    sh_series_add(known, 1);
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
        count_known();
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
