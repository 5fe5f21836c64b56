/* Routes: health, metrics, statistics, audit, the cache, and the description of the API.
 */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

/* clang-format off */
static const struct route_param audit_params[] = {
    {"user", "string", "only of this user id"},
    {"action", "string", "only this operation, such as search_documents"},
    {"kind", "string", "change, login, search, read or denied; several by commas"},
    {"outcome", "string", "ok, denied, invalid, failed or abandoned"},
    {"since", "string", "from this time on: RFC 3339, a day, or seconds since 1970"},
    {"until", "string", "before this time"},
    {"limit", "integer", "1 to 500; 50 when absent"},
    {"cursor", "string", "next_cursor of the page before"},
    {0}};
static const struct route_param health_params[] = {
    {"profile", "string", "union, garden, glossary, checks or vector"},
    {"refresh", "boolean", "look at everything anew; for operators"},
    {0}};
static const struct route_param detailed_params[] = {
    {"refresh", "boolean", "look at everything anew"},
    {0}};
static const struct route_param history_params[] = {
    {"minutes", "integer", "1 to 60: what sums and routes are of; 15 when absent"},
    {0}};
/* clang-format on */

#define PROBE ROUTE_QUIET

static const struct route routes[] = {
    {ROUTE_GET, 200, "/health/ping", "health_ping", health_ping, NULL, PERMIT_PUBLIC,
     PROBE, "Health", "Answers without asking anything", NULL, "Pong"},
    {ROUTE_GET, 200, "/health/ping/{service}", "health_ping_service", health_ping_service,
     NULL, PERMIT_PUBLIC, PROBE, "Health", "There and back over the bus", NULL, "Pong"},
    {ROUTE_POST, 200, "/api/admin/cache/clear", "clear_cache", cache_clear_post, NULL,
     PERMIT_ADMIN_CACHE, 0, "Administration",
     "Forget all kept answers to searches, on every gateway that Redis can tell", NULL,
     "CacheCleared"},
    {ROUTE_GET, 200, "/api/errors/stats", "error_stats", errors_stats, NULL,
     PERMIT_OPERATE, 0, "Administration", "What went wrong since the start, counted",
     NULL, "ErrorStats"},
    {ROUTE_GET, 200, "/api/admin/audit", "list_audit", audit_list, NULL,
     PERMIT_READ_AUDIT, 0, "Administration", "Who did what, newest first", audit_params,
     "AuditPage"},
    {ROUTE_GET, 200, "/api/admin/stats", "admin_stats", admin_stats, NULL, PERMIT_OPERATE,
     0, "Administration", "Figures of every service, and of what they stand on", NULL,
     "Stats"},
    {ROUTE_GET, 200, "/api/admin/stats/history", "admin_stats_history", admin_history,
     NULL, PERMIT_OPERATE, 0, "Administration",
     "The last hour of the gateway that answers, in steps of 15 seconds", history_params,
     "StatsHistory"},
    {ROUTE_GET, 200, "/health", "health_check", health_union, NULL, PERMIT_PUBLIC, PROBE,
     "Health", "The state of the system, at most a few seconds old", health_params,
     "Health"},
    {ROUTE_GET, 200, "/health/detailed", "health_detailed", health_detailed, NULL,
     PERMIT_OPERATE, PROBE | ROUTE_OPERATOR, "Health", "Every subsystem", detailed_params,
     "HealthDetailed"},
    {ROUTE_GET, 200, "/health/metrics", "health_metrics", health_metrics, NULL,
     PERMIT_OPERATE, PROBE | ROUTE_OPERATOR, "Health",
     "Prometheus text; JSON with Accept: application/json", NULL, "text/plain"},
    {ROUTE_GET, 200, "/health/ready", "health_ready", health_ready, NULL, PERMIT_PUBLIC,
     PROBE, "Health", "200 when searches can be answered", NULL, "Ready"},
    {ROUTE_GET, 200, "/readyz", "health_ready", health_ready, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, "Health", "", NULL, NULL},
    {ROUTE_GET, 200, "/health/liveness", "health_liveness", health_live, NULL,
     PERMIT_PUBLIC, PROBE, "Health", "200 while the loop turns", NULL, "Alive"},
    {ROUTE_GET, 200, "/health/live", "health_liveness", health_live, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, "Health", "", NULL, NULL},
    {ROUTE_GET, 200, "/livez", "health_liveness", health_live, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, "Health", "", NULL, NULL},
    {ROUTE_GET, 200, "/metrics", "metrics", metrics_text, NULL, PERMIT_OPERATE,
     PROBE | ROUTE_OPERATOR, "Health", "Prometheus text format", NULL, "text/plain"},
    {ROUTE_GET, 200, "/openapi.json", "openapi", docs_openapi, NULL, PERMIT_PUBLIC,
     ROUTE_DOCS, "Documentation", "This description", NULL, "OpenApi"},
    {ROUTE_GET, 200, "/docs", "docs", docs_page, NULL, PERMIT_PUBLIC, ROUTE_DOCS,
     "Documentation", "This description, for people", NULL, "text/html"},
};

const struct route_table routes_of_operations = {routes, SH_COUNT(routes)};
