#include "services/gateway/auth/access_token.h"

#include <jansson.h>

#include "services/gateway/auth/jwt.h"
#include "shared/clock.h"

static bool set(json_t *claims, const char *name, struct sh_bytes text)
{
    if (text.len == 0)
        return true;
    return json_object_set_new(claims, name, json_stringn(text.data, text.len)) == 0;
}

/* NULL when out of memory. */
static json_t *claims_of(const struct gateway *gateway, const struct session *session)
{
    const struct auth_config *config = &gateway->auth_config;
    json_int_t lifetime_s = gateway->account_config.token_lifetime_s;
    json_int_t now = (json_int_t)sh_wall_time();
    json_t *claims = json_pack("{s:I, s:I}", "iat", now, "exp", now + lifetime_s);

    if (set(claims, "sub", session->user_id) &&
        set(claims, "username", session->username) &&
        set(claims, "role", session->role) &&
        set(claims, "department", session->department) &&
        set(claims, "campus", session->campus) &&
        set(claims, "iss", sh_bytes_of(config->issuer)) &&
        set(claims, "aud", sh_bytes_of(config->audience)))
        return claims;
    json_decref(claims);
    return NULL;
}

enum sh_err access_token_make(const struct gateway *gateway,
                              const struct session *session, struct sh_arena *arena,
                              struct sh_bytes *token)
{
    const struct auth_config *config = &gateway->auth_config;

    if (config->secret[0] == '\0')
        return SH_NOTFOUND;
    json_t *claims = claims_of(gateway, session);
    if (claims == NULL)
        return SH_NOMEM;
    enum sh_err err = jwt_sign(claims, sh_bytes_of(config->secret), arena, token);
    json_decref(claims);
    return err;
}
