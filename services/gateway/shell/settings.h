/* settings: what the shell around the gateway's HTTP can be told, and the rules. */
#ifndef GATEWAY_SHELL_SETTINGS_H
#define GATEWAY_SHELL_SETTINGS_H

#include "services/gateway/settings.h"

/* clang-format off */
#define SHELL_SETTINGS(S)                                                                  \
    S(flag, security_headers, "SECURITY_HEADERS", "true", 0, 0, 0, "",                     \
      "headers that tell browsers to be careful, on every answer; false: a proxy adds them") \
    S(choice, frame_options, "X_FRAME_OPTIONS", "DENY", 0, 0, 0, "DENY|SAMEORIGIN",        \
      "who may show our pages in a frame")                                                 \
    S(str, content_policy, "CONTENT_SECURITY_POLICY", "default-src 'self'; "               \
      "base-uri 'none'; object-src 'none'; form-action 'self'", 1, 2048, 0, "",            \
      "what our pages may load; frame-ancestors is added as X_FRAME_OPTIONS says")         \
    S(choice, referrer_policy, "REFERRER_POLICY", "strict-origin-when-cross-origin", 0, 0, \
      0, "strict-origin-when-cross-origin|no-referrer|same-origin|strict-origin|origin|"   \
      "no-referrer-when-downgrade|origin-when-cross-origin",                               \
      "what our pages tell others about where a visitor came from")                        \
    S(str, permissions_policy, "PERMISSIONS_POLICY", "camera=(), display-capture=(), "     \
      "geolocation=(), microphone=(), payment=(), usb=()", 1, 1024, 0, "",                 \
      "what our pages may not use of the browser")                                         \
    S(u32, hsts_max_age_s, "HSTS_MAX_AGE", "31536000", 0, 4294967295, 0, "",               \
      "seconds for which browsers come back by TLS only, told over TLS; 0: not told")      \
    S(flag, hsts_subdomains, "HSTS_INCLUDE_SUBDOMAINS", "true", 0, 0, 0, "",               \
      "that holds for the names below ours too")                                           \
    S(str, cors_origins, "CORS_ORIGINS", "", 0, 4096, 0, "",                               \
      "origins whose pages may call the API: scheme://host[:port] separated by commas, "   \
      "or a JSON array; *: any, without credentials and not in production")                \
    S(flag, cors_credentials, "CORS_ALLOW_CREDENTIALS", "false", 0, 0, 0, "",              \
      "those pages may send cookies")                                                      \
    S(u32, cors_max_age_s, "CORS_PREFLIGHT_MAX_AGE", "86400", 0, 86400, 0, "",             \
      "seconds that a browser may keep the answer to a preflight request")
/* clang-format on */

struct shell_config {
    SHELL_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings shell_settings(struct shell_config *into);

#endif
