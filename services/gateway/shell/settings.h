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
      "seconds that a browser may keep the answer to a preflight request")                 \
    S(u32, progress_bytes, "HTTP_MIN_PROGRESS_BYTES", "512", 1, 1048576, 0, "",            \
      "a body that brings less within HTTP_BODY_TIMEOUT_MS is cut off, and so is a client " \
      "that takes less of an answer within HTTP_WRITE_TIMEOUT_MS")                         \
    S(flag, compression, "RESPONSE_COMPRESSION", "true", 0, 0, 0, "",                      \
      "answers are packed (gzip, zstd) for clients that ask for it")                       \
    S(u32, compression_least, "RESPONSE_COMPRESSION_MIN_BYTES", "1024", 256, 1073741824,   \
      0, "", "shorter answers are not")                                                    \
    S(str, tls_cert_file, "TLS_CERT_FILE", "", 0, 4096, 0, "",                             \
      "PEM: our certificate, then those that vouch for it; with it the gateway speaks TLS; " \
      "read again on SIGHUP")                                                              \
    S(str, tls_key_file, "TLS_KEY_FILE", "", 0, 4096, 0, "",                               \
      "PEM: its key, without a password, for nobody else to read")                         \
    S(u32, tls_port, "TLS_PORT", "0", 0, 65535, 0, "",                                     \
      "port for TLS; API_PORT then only sends browsers there. 0: API_PORT itself speaks TLS") \
    S(choice, tls_min_version, "TLS_MIN_VERSION", "1.2", 0, 0, 0, "1.2|1.3",               \
      "oldest version of TLS that is spoken")                                              \
    S(u32, tls_ticket_s, "TLS_TICKET_SECONDS", "3600", 0, 86400, 0, "",                    \
      "age at which the key of session tickets changes; a session can be resumed for at "  \
      "most twice as long; 0: not at all")                                                 \
    S(u32, tls_handshake_timeout_ms, "TLS_HANDSHAKE_TIMEOUT_MS", "10000", 100, 600000, 0,  \
      "", "longest time for a TLS handshake")                                              \
    S(u32, tls_handshakes, "TLS_MAX_HANDSHAKES", "1000", 1, 1000000, 0, "",                \
      "TLS handshakes under way per event loop; further connections are closed")           \
    S(flag, behind_tls_proxy, "BEHIND_TLS_PROXY", "false", 0, 0, 0, "",                    \
      "a proxy in front ends TLS: plain HTTP beyond loopback is right, also in production") \
    S(str, server_name, "SERVER_NAME", "", 0, 255, 0, "",                                  \
      "our public host name, for redirects; empty: as the client calls us")
/* clang-format on */

struct shell_config {
    SHELL_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings shell_settings(struct shell_config *into);

#endif
