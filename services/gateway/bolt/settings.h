/* settings: what can be told about Bolt. */
#ifndef GATEWAY_BOLT_SETTINGS_H
#define GATEWAY_BOLT_SETTINGS_H

#include "shared/config.h"

/* clang-format off */
#define BOLT_SETTINGS(S)                                                                   \
    S(u32, port, "BOLT_PORT", "7687", 0, 65535, 0, "",                                     \
      "port for Bolt, on the address of API_HOST, with TLS where there is a certificate; " \
      "0: none. When it is not set and API_PORT is 0, a free one")                                                                           \
    S(u32, connections, "BOLT_MAX_CONNECTIONS", "1000", 1, 1000000, 0, "",                 \
      "Bolt connections per event loop; more are closed")                                  \
    S(u32, message_bytes, "BOLT_MAX_MESSAGE_BYTES", "1048576", 1024, 1048576, 0, "",       \
      "longest message of a client: a query and its parameters")                           \
    S(u32, result_mb, "BOLT_MAX_RESULT_MB", "256", 16, 65536, 0, "",                       \
      "results per event loop that wait to be pulled; queries that come when they are "    \
      "more are refused")                                                                  \
    S(u32, query_timeout_ms, "BOLT_QUERY_TIMEOUT_MS", "30000", 50, 600000, 0, "",          \
      "longest time for a query; a client may ask for less")                               \
    S(u32, login_timeout_ms, "BOLT_LOGIN_TIMEOUT_MS", "10000", 100, 600000, 0, "",         \
      "from the connection to the login")                                                  \
    S(u32, idle_timeout_ms, "BOLT_IDLE_TIMEOUT_MS", "1800000", 100, 86400000, 0, "",       \
      "a connection on which nothing is asked")                                            \
    S(u32, recheck_s, "BOLT_RECHECK_SECONDS", "30", 1, 3600, 0, "",                        \
      "how long a login is believed before the account is looked at again")
/* clang-format on */

struct bolt_config {
    BOLT_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings bolt_settings(struct bolt_config *into);

/* Several gateways on one machine, each on free ports, must not share Bolt's own. */
bool bolt_takes_any(const struct bolt_config *config, uint32_t api_port);

#endif
