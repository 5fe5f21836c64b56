/* settings: what the limits can be told from outside. 0 switches a limit off. */
#ifndef GATEWAY_LIMITS_SETTINGS_H
#define GATEWAY_LIMITS_SETTINGS_H

#include "shared/config.h"

/* clang-format off */
#define LIMITS_SETTINGS(S)                                                                 \
    S(choice, enabled, "RATE_LIMIT_ENABLED", "auto", 0, 0, 0,                              \
      "auto|true|false|on|off|1|0|yes|no",                                                 \
      "limits on the number of requests; auto: unless AUTH_MODE=trusted")                  \
    S(u32, per_minute, "RATE_LIMIT_PER_MINUTE", "60", 0, 1000000000, 0, "",                \
      "searches and administration a minute from an address without an identity")          \
    S(u32, search_per_minute, "RATE_LIMIT_SEARCH_PER_MINUTE", "30", 0, 1000000000, 0, "",  \
      "searches a minute from an address without an identity")                             \
    S(u32, requests, "RATE_LIMIT_REQUESTS", "100", 0, 1000000000, 0, "",                   \
      "any other requests in RATE_LIMIT_WINDOW from an address without an identity")       \
    S(u32, window_s, "RATE_LIMIT_WINDOW", "60", 1, 86400, 0, "RATE_LIMIT_WINDOW_SECONDS",  \
      "seconds in which RATE_LIMIT_REQUESTS may be made")                                  \
    S(f64, api_per_second, "RATE_LIMIT_API_PER_SECOND", "10", 0, 1000000, 0, "",           \
      "requests a second of any caller")                                                   \
    S(u32, api_burst, "RATE_LIMIT_API_BURST", "20", 1, 1000000, 0, "",                     \
      "of them at once")                                                                   \
    S(f64, upload_per_second, "RATE_LIMIT_UPLOAD_PER_SECOND", "1", 0, 1000000, 0, "",      \
      "uploads a second of any caller")                                                    \
    S(u32, upload_burst, "RATE_LIMIT_UPLOAD_BURST", "5", 1, 1000000, 0, "",                \
      "of them at once")                                                                   \
    S(u32, login_per_minute, "RATE_LIMIT_LOGIN_PER_MINUTE", "10", 0, 1000000000, 0, "",    \
      "logins a minute from an address")                                                   \
    S(u32, gateways, "RATE_LIMIT_GATEWAYS", "0", 0, 10000, 0, "",                          \
      "gateways that share the limits while Redis is away; 0: as many as Redis last knew") \
    S(str, trusted_proxies, "TRUSTED_PROXIES", "", 0, 4096, 0, "",                         \
      "addresses and networks (192.0.2.0/24,2001:db8::/32) whose X-Forwarded-For, "        \
      "X-Real-IP and X-Forwarded-Proto are believed")                                      \
    S(f64, connections_per_address, "HTTP_MAX_CONNECTIONS_PER_ADDRESS", "-1", -1, 1000000, \
      0, "", "connections from one address, trusted proxies apart; 0: any number; -1: "    \
      "512, and any number from loopback")                                                 \
    S(u32, in_flight, "HTTP_MAX_REQUESTS_IN_FLIGHT", "4096", 0, 1000000, 0, "",            \
      "requests under way per event loop; more are answered 503; 0: any number")           \
    S(u32, shed_delay_ms, "SHED_DELAY_MS", "100", 0, 60000, 0, "",                         \
      "wait for the event loop above which requests are refused; 0: none are")             \
    S(u32, shed_interval_ms, "SHED_INTERVAL_MS", "500", 10, 60000, 0, "",                  \
      "how long even the shortest wait must have been too long before that")
/* clang-format on */

struct limits_config {
    LIMITS_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings limits_settings(struct limits_config *into);

/* RATE_LIMIT_ENABLED, decided. */
bool limits_enabled(const struct limits_config *config, const char *auth_mode);

#endif
