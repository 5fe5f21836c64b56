/* account_settings: what can be told about local accounts and their sessions. */
#ifndef GATEWAY_ACCOUNT_SETTINGS_H
#define GATEWAY_ACCOUNT_SETTINGS_H

#include "shared/config.h"

/* clang-format off */
#define ACCOUNT_SETTINGS(S)                                                                \
    S(u32, session_lifetime_s, "SESSION_LIFETIME", "3600", 60, 2592000, 0, "",             \
      "seconds that a session lasts without being used")                                   \
    S(u32, session_most_s, "SESSION_MAX_LIFETIME", "43200", 60, 2592000, 0, "",            \
      "seconds after which a session ends however much it is used")                        \
    S(choice, cookie_secure, "SESSION_COOKIE_SECURE", "auto", 0, 0, 0, "auto|true|false",  \
      "whether browsers send the cookie by TLS only. auto: yes, but in development on a "  \
      "loopback address; false is refused in production")                                  \
    S(choice, cookie_same_site, "SESSION_COOKIE_SAMESITE", "Lax", 0, 0, 0, "Lax|Strict",   \
      "which requests of other sites bear the cookie. Lax: following a link")              \
    S(u32, lockout_failures, "LOGIN_MAX_FAILURES", "5", 1, 1000, 0, "",                    \
      "wrong passwords for a name after which it is locked")                               \
    S(u32, lockout_s, "LOGIN_LOCKOUT_SECONDS", "900", 1, 604800, 0, "",                    \
      "how long it is locked")                                                             \
    S(u32, token_lifetime_s, "JWT_ACCESS_TOKEN_EXPIRES", "28800", 60, 2592000, 0, "",      \
      "seconds that a token from login is good for")                                       \
    S(str, admin_username, "ADMIN_USERNAME", "", 0, 64, 0, "",                             \
      "who is made admin at the start while there is none")                                \
    S(str, admin_password, "ADMIN_PASSWORD", "", 0, 256, SH_SECRET, "",                    \
      "the password of that admin")
/* clang-format on */

struct account_config {
    ACCOUNT_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings account_settings(struct account_config *into);

/* Whether cookies are for TLS only. */
bool account_cookie_secure(const struct account_config *config, const char *environment,
                           const char *api_host);
/* The rules between settings. False: `why` holds a sentence that names the setting. */
bool account_settings_check(const struct account_config *config, const char *environment,
                            char *why, size_t size);

#endif
