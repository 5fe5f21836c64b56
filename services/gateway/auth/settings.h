/* settings: how callers prove who they are. */
#ifndef GATEWAY_AUTH_SETTINGS_H
#define GATEWAY_AUTH_SETTINGS_H

#include "shared/config.h"

/* clang-format off */
#define AUTH_SETTINGS(S)                                                                   \
    S(str, secret, "JWT_SECRET_KEY", "", 0, 4096, SH_SECRET, "JWT_SECRET",                 \
      "secret of at least 32 bytes that signs our own tokens and checks HS256 ones")       \
    S(str, pem, "JWT_PUBLIC_KEY", "", 0, 16384, 0, "",                                     \
      "public key in PEM that checks RS256 or ES256 tokens")                               \
    S(url, jwks_url, "JWT_JWKS_URL", "", 0, 4096, SH_HTTP, "",                                   \
      "where an identity provider publishes its keys as a JWK set")                        \
    S(u32, jwks_refresh_s, "JWT_JWKS_REFRESH_SECONDS", "300", 1, 86400, 0, "",             \
      "time between two fetches of that set")                                              \
    S(u32, jwks_cooldown_s, "JWT_JWKS_COOLDOWN_SECONDS", "10", 0, 3600, 0, "",             \
      "a token with an unknown key id fetches the set anew, but not sooner than this "     \
      "after the last time")                                                               \
    S(u32, jwks_max_age_s, "JWT_JWKS_MAX_AGE_SECONDS", "86400", 1, 31536000, 0, "",        \
      "how long fetched keys count while the provider cannot be reached")                  \
    S(str, issuer, "JWT_ISSUER", "", 0, 1024, 0, "",                                       \
      "what `iss` of a token must be; empty: anything")                                    \
    S(str, audience, "JWT_AUDIENCE", "", 0, 1024, 0, "",                                   \
      "what must be among `aud` of a token; empty: anything")                              \
    S(u32, skew_s, "JWT_CLOCK_SKEW_SECONDS", "30", 0, 600, 0, "",                          \
      "how far clocks may differ when the times of a token are looked at")                 \
    S(str, claim_user_id, "JWT_CLAIM_USER_ID", "guid|sub|user_id", 1, 512, 0, "",          \
      "claim with the user's id. Here and below: the first of these that is there; "       \
      "a.b is b in a")                                                                     \
    S(str, claim_username, "JWT_CLAIM_USERNAME", "username|preferred_username", 1, 512, 0, \
      "", "claim with the user's name")                                                    \
    S(str, claim_role, "JWT_CLAIM_ROLE", "role", 1, 512, 0, "",                            \
      "claim with the role: a text, or an array of which the role with the highest "       \
      "clearance counts")                                                                  \
    S(str, claim_department, "JWT_CLAIM_DEPARTMENT", "department", 1, 512, 0, "",          \
      "claim with the department")                                                         \
    S(str, claim_campus, "JWT_CLAIM_CAMPUS", "campus|primary_campus", 1, 512, 0, "",       \
      "claim with the campus")                                                             \
    S(str, role_map, "JWT_ROLE_MAP",                                                       \
      "academic_staff=academic,professional_services=staff,it_administrator=admin,"        \
      "student=student", 0, 8192, 0, "",                                                   \
      "claim=role,…; a claim that stands for no role of ours is `claim=`. A claim that "   \
      "is not named here counts when it is itself the name of a role")                     \
    S(str, role_unknown, "JWT_ROLE_UNKNOWN", "anonymous", 1, 64, 0, "",                    \
      "role of a good token whose role is missing or unknown; refuse: 401")                \
    S(str, roles_file, "ROLES_FILE", "", 0, 4096, 0, "",                                   \
      "JSON file of roles and what they may do, read again on SIGHUP; empty: built in")    \
    S(u32, key_cache_s, "API_KEY_CACHE_SECONDS", "3", 0, 60, 0, "",                        \
      "longest time that an API key counts after it was revoked elsewhere and the news "   \
      "did not come through")
/* clang-format on */

struct auth_config {
    AUTH_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings auth_settings(struct auth_config *into);
/* The rules between settings. False: `why` holds a sentence that names the setting. */
bool auth_settings_check(const struct auth_config *config, bool jwt_mode, bool production,
                         char *why, size_t size);

#endif
