#include "services/gateway/settings.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

enum { WORKERS_MAX = 64, RESULTS_DEFAULT = 50 };

SH_SETTINGS_DEFINE(gateway, "Gateway", GATEWAY_SETTINGS)
SH_SETTINGS_DEFINE(health, "Health", HEALTH_SETTINGS)

bool settings_is_loopback(const char *host)
{
    struct in_addr v4;
    struct in6_addr v6;

    if (inet_pton(AF_INET, host, &v4) == 1)
        return (ntohl(v4.s_addr) >> 24) == 127;
    if (inet_pton(AF_INET6, host, &v6) == 1)
        return IN6_IS_ADDR_LOOPBACK(&v6);
    return strcmp(host, "localhost") == 0;
}

static bool workers_valid(const char *text)
{
    if (strcmp(text, "auto") == 0)
        return true;
    char *end = NULL;
    long count = strtol(text, &end, 10);
    return *end == '\0' && count >= 1 && count <= WORKERS_MAX;
}

bool settings_check(const struct gateway_config *config, char *why, size_t size)
{
    if (!workers_valid(config->workers)) {
        (void)snprintf(why, size, "WORKERS must be auto or 1 to %d", WORKERS_MAX);
        return false;
    }
    if (!settings_want_tokens(config) && !settings_is_loopback(config->api_host)) {
        (void)snprintf(
            why, size,
            "API_HOST is not a loopback address while AUTH_MODE is trusted: anyone who "
            "reaches the port could claim any role; listen on 127.0.0.1 or ::1, or set "
            "AUTH_MODE=jwt");
        return false;
    }
    return true;
}

bool settings_want_tokens(const struct gateway_config *config)
{
    return strcmp(config->auth_mode, "jwt") == 0;
}

unsigned settings_workers(const struct gateway_config *config)
{
    unsigned count = uv_available_parallelism();
    if (strcmp(config->workers, "auto") != 0)
        count = (unsigned)strtoul(config->workers, NULL, 10);
    if (count < 1)
        count = 1;
    return count < WORKERS_MAX ? count : WORKERS_MAX;
}

uint64_t settings_drain_delay_ms(const struct gateway_config *config,
                                 const char *environment)
{
    if (config->drain_delay_s >= 0)
        return (uint64_t)(config->drain_delay_s * 1000);
    return strcmp(environment, "production") == 0 ? 5000 : 0;
}

static bool limit_was_set(const struct gateway_config *config)
{
    return config->max_results_per_query != RESULTS_DEFAULT ||
           getenv("MAX_RESULTS_PER_QUERY") != NULL ||
           getenv("MAX_RESULTS_PER_QUERY_FILE") != NULL;
}

uint32_t settings_result_limit(const struct gateway_config *config, uint32_t role_limit)
{
    if (config->max_results_per_query < role_limit && limit_was_set(config))
        return config->max_results_per_query;
    return role_limit;
}
