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
#define REFRESH_PARAM                                                                    \
    {"refresh", "boolean",                                                               \
     "true: answer when all replicas show it; false: when it is stored"}
static const struct route_param write_params[] = {
    REFRESH_PARAM,
    {0}};
static const struct route_param batch_params[] = {
    REFRESH_PARAM,
    {"wait", "boolean", "must be true: results come while documents are stored"},
    {0}};
static const struct route_param health_params[] = {
    {"profile", "string", "union, garden, glossary, checks or vector"},
    {"refresh", "boolean", "look at everything anew; for operators"},
    {0}};
static const struct route_param detailed_params[] = {
    {"refresh", "boolean", "look at everything anew"},
    {0}};

/* clang-format on */

#define PROBE ROUTE_QUIET
const struct route routes[] = {
    {ROUTE_GET, 200, "/health/ping", "health_ping", health_ping, NULL, PERMIT_PUBLIC,
     PROBE, "Health", "Answers without asking anything", NULL, "Pong"},
    {ROUTE_GET, 200, "/health/ping/{service}", "health_ping_service", health_ping_service,
     NULL, PERMIT_PUBLIC, PROBE, "Health", "There and back over the bus", NULL, "Pong"},
    {ROUTE_POST, 200, "/api/search", "search_documents", search_post, &search_schema,
     PERMIT_SEARCH, 0, "Search", "Find passages", NULL, "SearchAnswer"},
    {ROUTE_GET, 200, "/api/search", "search_documents_get", search_get, NULL,
     PERMIT_SEARCH, 0, "Search", "Find passages, for a person", search_params,
     "SearchAnswer"},
    {ROUTE_POST, 201, "/api/documents", "store_document", document_post, &document_schema,
     PERMIT_WRITE_DOCUMENTS, ROUTE_LARGE_BODY, "Documents", "Store or replace a document",
     write_params, "Stored"},
    {ROUTE_POST, 200, "/api/documents/batch", "store_documents", batch_post, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, "Documents",
     "Store a stream of documents, one JSON object a line", batch_params,
     "application/x-ndjson"},
    {ROUTE_GET, 200, "/api/documents", "list_documents", document_list, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Documents", "A page of documents", list_params,
     "DocumentPage"},
    {ROUTE_GET, 200, "/api/documents/{id}", "get_document", document_get, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Documents", "One document", NULL, "StoredDocument"},
    {ROUTE_DELETE, 200, "/api/documents/{id}", "delete_document", document_delete, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, "Documents", "Delete a document", write_params,
     "Deleted"},
    {ROUTE_POST, 200, "/api/embed", "embed", embed_post, &embed_schema, PERMIT_EMBED,
     ROUTE_LARGE_BODY | ROUTE_AS_OLLAMA, "Embeddings",
     "Texts to vectors, as Ollama does it", NULL, "Embeddings"},
    {ROUTE_POST, 200, "/api/embeddings", "embeddings", embeddings_post,
     &embeddings_schema, PERMIT_EMBED, ROUTE_LARGE_BODY | ROUTE_AS_OLLAMA, "Embeddings",
     "One text to a vector, as Ollama did it", NULL, "Embedding"},
    {ROUTE_GET, 200, "/api/tags", "models", models_tags, NULL, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "The models, as Ollama lists them", NULL, "Tags"},
    {ROUTE_POST, 200, "/api/show", "show_model", models_show, &show_schema, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "A model, as Ollama describes it", NULL, "Shown"},
    {ROUTE_GET, 200, "/api/version", "version", models_version, NULL, PERMIT_EMBED,
     ROUTE_AS_OLLAMA, "Embeddings", "The version of Cairn", NULL, "Version"},
    {ROUTE_POST, 200, "/v1/embeddings", "openai_embeddings", openai_embed_post,
     &openai_embed_schema, PERMIT_EMBED, ROUTE_LARGE_BODY | ROUTE_AS_OPENAI, "Embeddings",
     "Texts to vectors, as OpenAI does it", NULL, "OpenAIEmbeddings"},
    {ROUTE_GET, 200, "/v1/models", "openai_models", openai_models, NULL, PERMIT_EMBED,
     ROUTE_AS_OPENAI, "Embeddings", "The models, as OpenAI lists them", NULL,
     "OpenAIModels"},
    {ROUTE_GET, 200, "/v1/models/{model}", "openai_model", openai_model, NULL,
     PERMIT_EMBED, ROUTE_AS_OPENAI, "Embeddings", "A model, as OpenAI describes it", NULL,
     "OpenAIModel"},
    {ROUTE_GET, 200, "/api/graph/schema", "graph_schema", graph_schema, NULL,
     PERMIT_READ_GRAPH, 0, "Graph", "Labels, relationship types, counts", NULL,
     "GraphSchema"},
    {ROUTE_GET, 200, "/api/backups", "list_backups", backup_list, NULL, PERMIT_BACKUPS, 0,
     "Backups", "Backup sets, newest first", NULL, "Backups"},
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
const size_t routes_count = SH_COUNT(routes);
