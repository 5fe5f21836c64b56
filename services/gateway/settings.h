/* settings: what the gateway can be told from outside, and the rules that span more than
 * one setting. */
#ifndef GATEWAY_SETTINGS_H
#define GATEWAY_SETTINGS_H

#include "shared/config.h"

/* clang-format off */
#define GATEWAY_SETTINGS(S)                                                                \
    S(str, api_host, "API_HOST", "127.0.0.1", 1, 255, 0, "",                               \
      "address to listen on, numeric, IPv4 or IPv6")                                       \
    S(u32, api_port, "API_PORT", "8000", 0, 65535, 0, "",                                  \
      "port to listen on; 0 takes a free one")                                             \
    S(str, workers, "WORKERS", "auto", 1, 4, 0, "",                                        \
      "event loops that share the port, 1 to 64; auto: one per core")                      \
    S(choice, auth_mode, "AUTH_MODE", "trusted", 0, 0, 0, "trusted|jwt",                   \
      "who says who the caller is. jwt: the token, key or session that is shown; "         \
      "trusted: without one the request's own `user`; on loopback only")                   \
    S(str, search_endpoints, "SEARCH_ENDPOINTS", "tcp://127.0.0.1:5601", 1, 4096, 0, "",   \
      "replicas of search: tcp://host:port or ipc://path, separated by commas")            \
    S(str, embedder_endpoints, "EMBEDDER_ENDPOINTS", "tcp://127.0.0.1:5602", 1, 4096, 0,   \
      "", "replicas of embedder")                                                          \
    S(str, graph_endpoints, "GRAPH_ENDPOINTS", "tcp://127.0.0.1:5603", 1, 4096, 0, "",     \
      "replicas of graph")                                                                 \
    S(str, backup_endpoints, "BACKUP_ENDPOINTS", "tcp://127.0.0.1:5604", 1, 4096, 0, "",   \
      "replicas of backup")                                                                \
    S(u32, max_results_per_query, "MAX_RESULTS_PER_QUERY", "50", 1, 1000, 0, "",           \
      "most results of one search; when set it also lessens what a role allows")           \
    S(u32, max_body_bytes, "MAX_BODY_BYTES", "1048576", 1024, 67108864, 0, "",             \
      "longest JSON body, but for documents")                                              \
    S(u32, max_document_bytes, "MAX_DOCUMENT_BYTES", "16777216", 1024, 67108864, 0, "",    \
      "longest document: a body, or a line of a batch")                                    \
    S(u32, max_file_mb, "MAX_FILE_SIZE_MB", "50", 1, 4096, 0, "",                          \
      "largest file that is taken for a document")                                         \
    S(u32, ingest_window, "INGEST_WINDOW", "16", 1, 256, 0, "",                            \
      "documents of one batch that are being stored at the same time")                     \
    S(u32, read_timeout_ms, "READ_TIMEOUT_MS", "2000", 50, 600000, 0, "",                  \
      "deadline of what only reads")                                                       \
    S(u32, refresh_timeout_ms, "REFRESH_TIMEOUT_MS", "10000", 50, 600000, 0, "",           \
      "how long a write with refresh=true waits for all search replicas to show it")       \
    S(u32, write_timeout_ms, "WRITE_TIMEOUT_MS", "60000", 50, 600000, 0, "",               \
      "deadline of what stores or embeds; a long document takes its time")                 \
    S(f64, drain_delay_s, "DRAIN_DELAY", "-1", -1, 300, 0, "",                             \
      "seconds between failing readiness and refusing connections on SIGTERM, for load "   \
      "balancers; -1: 5 in production, else 0")                                            \
    S(u32, http_connections, "HTTP_MAX_CONNECTIONS", "10000", 1, 1000000, 0, "",           \
      "connections per event loop; more are answered 503")                                 \
    S(u32, http_head_bytes, "HTTP_MAX_HEAD_BYTES", "16384", 1024, 1048576, 0, "",          \
      "longest request line and headers")                                                  \
    S(u32, http_head_timeout_ms, "HTTP_HEAD_TIMEOUT_MS", "10000", 100, 600000, 0, "",      \
      "from the first byte to the end of the headers")                                     \
    S(u32, http_body_timeout_ms, "HTTP_BODY_TIMEOUT_MS", "20000", 100, 600000, 0, "",      \
      "between two reads of a body")                                                       \
    S(u32, http_idle_timeout_ms, "HTTP_IDLE_TIMEOUT_MS", "75000", 100, 3600000, 0, "",     \
      "a kept-alive connection without a request")                                         \
    S(u32, http_write_timeout_ms, "HTTP_WRITE_TIMEOUT_MS", "20000", 100, 3600000, 0, "",   \
      "a client that takes nothing of its answer")                                         \
    S(flag, metrics_public, "METRICS_PUBLIC", "true", 0, 0, 0, "",                         \
      "/metrics, /health/metrics and /health/detailed on the public port too")             \
    S(flag, docs_enabled, "DOCS_ENABLED", "true", 0, 0, 0, "",                             \
      "/openapi.json and /docs")                                                           \
    S(str, web_dir, "WEB_DIR", "/usr/local/share/cairn/web", 0, 4096, 0, "",               \
      "the web pages, read at start; empty, or where there are none: only the API")        \
    S(flag, access_log, "ACCESS_LOG", "true", 0, 0, 0, "",                                 \
      "a log line per request, but for probes")

#define HEALTH_SETTINGS(S)                                                                 \
    S(u32, interval_ms, "HEALTH_INTERVAL_MS", "2000", 100, 60000, 0, "",                   \
      "time between two checks of the services")                                           \
    S(choice, profile, "HEALTH_PROFILE", "union", 0, 0, 0,                                 \
      "union|garden|glossary|checks|vector", "shape of /health when none is asked for")    \
    S(str, probe_query, "HEALTH_PROBE_QUERY", "health check", 1, 200, 0, "",               \
      "what the end-to-end check searches for")                                            \
    S(str, disk_path, "HEALTH_DISK_PATH", ".", 1, 4096, 0, "",                             \
      "file system whose free space is watched")                                           \
    S(f64, disk_min_free_percent, "HEALTH_DISK_MIN_FREE_PERCENT", "10", 0, 101, 0, "",     \
      "free space below which the disk counts as full")                                    \
    S(f64, memory_max_used_percent, "HEALTH_MEMORY_MAX_USED_PERCENT", "90", 0, 100, 0, "", \
      "used memory above which it counts as short")                                        \
    S(f64, backup_max_age_h, "HEALTH_BACKUP_MAX_AGE_HOURS", "26", 0, 100000, 0, "",        \
      "age above which the newest backup counts as late")                                  \
    S(f64, index_max_lag_s, "HEALTH_INDEX_MAX_LAG_SECONDS", "30", 0, 86400, 0, "",           \
      "age of a committed change that searches do not show, above which the text index "     \
      "counts as incomplete")                                                              \
    S(flag, graph_enabled, "GRAPH_ENABLED", "true", 0, 0, 0, "NEO4J_ENABLED",              \
      "false: the graph service is not used, and nothing is amiss without it")             \
    S(f64, max_response_ms, "HEALTH_MAX_RESPONSE_MS", "1000", 1, 600000, 0, "",            \
      "mean time of the searches of the last 15 minutes above which the gateway counts "   \
      "as slow")
/* clang-format on */

struct gateway_config {
    GATEWAY_SETTINGS(SH_SETTING_MEMBER)
};
struct health_config {
    HEALTH_SETTINGS(SH_SETTING_MEMBER)
};

struct sh_settings gateway_settings(struct gateway_config *into);
struct sh_settings health_settings(struct health_config *into);

/* The rules between settings. False: `why` holds a sentence that names the setting. */
bool settings_check(const struct gateway_config *config, char *why, size_t size);
/* A numeric loopback address, or "localhost". */
bool settings_is_loopback(const char *host);
/* AUTH_MODE=jwt. */
bool settings_want_tokens(const struct gateway_config *config);
/* How many loops WORKERS asks for: 1 to 64. */
unsigned settings_workers(const struct gateway_config *config);
/* What is waited between failing readiness and draining. */
uint64_t settings_drain_delay_ms(const struct gateway_config *config,
                                 const char *environment);
/* The limit for a role that allows `role_limit` results. MAX_RESULTS_PER_QUERY lessens it
 * only when an operator has set it. */
uint32_t settings_result_limit(const struct gateway_config *config, uint32_t role_limit);

#endif
