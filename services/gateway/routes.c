#include "services/gateway/routes.h"

#include "services/gateway/handlers/handlers.h"

/* clang-format off */
static const struct route_param search_params[] = {
    {"q", "string", "what to look for, 1 to 2,000 characters"},
    {"query", "string", "the same as q"},
    {"max_results", "integer", "at most what the role allows; 10 when absent"},
    {"offset", "integer", "results to skip"},
    {"mode", "string", "hybrid, vector or text"},
    {"department", "string", "only of this department"},
    {"campus", "string", "only of this campus"},
    {"collection", "string", "only of this collection"},
    {"document_id", "string", "only of this document"},
    {"min_priority", "integer", "only of at least this priority"},
    {0}};
static const struct route_param list_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {"collection", "string", "only of this collection"},
    {0}};
static const struct route_param batch_params[] = {
    {"wait", "boolean", "must be true: results come while documents are stored"},
    {0}};
static const struct route_param health_params[] = {
    {"profile", "string", "union, garden, glossary, checks or vector"},
    {0}};

#define PROBE ROUTE_QUIET
const struct route routes[] = {
    {ROUTE_GET, "/health/ping", "health_ping", health_ping, NULL, PERMIT_PUBLIC, PROBE,
     200, "Health", "Answers without asking anything", NULL, "Pong"},
    {ROUTE_GET, "/health/ping/{service}", "health_ping_service", health_ping_service, NULL,
     PERMIT_PUBLIC, PROBE, 200, "Health", "There and back over the bus", NULL, "Pong"},
    {ROUTE_POST, "/api/search", "search_documents", search_post, &search_schema,
     PERMIT_SEARCH, 0, 200, "Search", "Find passages", NULL, "SearchAnswer"},
    {ROUTE_GET, "/api/search", "search_documents_get", search_get, NULL, PERMIT_SEARCH, 0,
     200, "Search", "Find passages, for a person", search_params, "SearchAnswer"},
    {ROUTE_POST, "/api/documents", "store_document", document_post, &document_schema,
     PERMIT_WRITE_DOCUMENTS, ROUTE_LARGE_BODY, 201, "Documents",
     "Store or replace a document", NULL, "Stored"},
    {ROUTE_POST, "/api/documents/batch", "store_documents", batch_post, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, 200, "Documents",
     "Store a stream of documents, one JSON object a line", batch_params, NULL},
    {ROUTE_GET, "/api/documents", "list_documents", document_list, NULL,
     PERMIT_READ_DOCUMENTS, 0, 200, "Documents", "A page of documents", list_params,
     "DocumentPage"},
    {ROUTE_GET, "/api/documents/{id}", "get_document", document_get, NULL,
     PERMIT_READ_DOCUMENTS, 0, 200, "Documents", "One document", NULL, "StoredDocument"},
    {ROUTE_DELETE, "/api/documents/{id}", "delete_document", document_delete, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, 200, "Documents", "Delete a document", NULL, "Deleted"},
    {ROUTE_POST, "/api/embed", "embed", embed_post, &embed_schema, PERMIT_EMBED,
     ROUTE_LARGE_BODY, 200, "Embeddings", "Texts to vectors, as Ollama does it", NULL,
     "Embeddings"},
    {ROUTE_GET, "/api/graph/schema", "graph_schema", graph_schema, NULL,
     PERMIT_READ_GRAPH, 0, 200, "Graph", "Labels, relationship types, counts", NULL,
     "GraphSchema"},
    {ROUTE_GET, "/api/backups", "list_backups", backup_list, NULL, PERMIT_BACKUPS, 0, 200,
     "Backups", "Backup sets, newest first", NULL, "Backups"},
    {ROUTE_GET, "/health", "health_check", health_union, NULL, PERMIT_PUBLIC, PROBE, 200,
     "Health", "The state of the system, at most a few seconds old", health_params,
     "Health"},
    {ROUTE_GET, "/health/detailed", "health_detailed", health_detailed, NULL,
     PERMIT_OPERATE, PROBE | ROUTE_OPERATOR, 200, "Health", "Every subsystem", NULL,
     "HealthDetailed"},
    {ROUTE_GET, "/health/metrics", "health_metrics", health_metrics, NULL, PERMIT_OPERATE,
     PROBE | ROUTE_OPERATOR, 200, "Health",
     "Prometheus text; JSON with Accept: application/json", NULL, NULL},
    {ROUTE_GET, "/health/ready", "health_ready", health_ready, NULL, PERMIT_PUBLIC, PROBE,
     200, "Health", "200 when searches can be answered", NULL, "Ready"},
    {ROUTE_GET, "/readyz", "health_ready", health_ready, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, 200, "Health", "", NULL, NULL},
    {ROUTE_GET, "/health/liveness", "health_liveness", health_live, NULL, PERMIT_PUBLIC,
     PROBE, 200, "Health", "200 while the loop turns", NULL, "Alive"},
    {ROUTE_GET, "/health/live", "health_liveness", health_live, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, 200, "Health", "", NULL, NULL},
    {ROUTE_GET, "/livez", "health_liveness", health_live, NULL, PERMIT_PUBLIC,
     PROBE | ROUTE_HIDDEN, 200, "Health", "", NULL, NULL},
    {ROUTE_GET, "/metrics", "metrics", metrics_text, NULL, PERMIT_OPERATE,
     PROBE | ROUTE_OPERATOR, 200, "Health", "Prometheus text format", NULL, NULL},
    {ROUTE_GET, "/openapi.json", "openapi", docs_openapi, NULL, PERMIT_PUBLIC, ROUTE_DOCS,
     200, "Documentation", "This description", NULL, "OpenApi"},
    {ROUTE_GET, "/docs", "docs", docs_page, NULL, PERMIT_PUBLIC, ROUTE_DOCS, 200,
     "Documentation", "This description, for people", NULL, NULL},
};
/* clang-format on */
const size_t routes_count = SH_COUNT(routes);
