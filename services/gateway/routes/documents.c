/* Routes: searches, documents and collections. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

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
static const struct route_param suggest_params[] = {
    {"q", "string", "what is typed so far, at most 512 bytes"},
    {"limit", "integer", "1 to 20; 8 when absent"},
    {0}};
static const struct route_param list_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {"collection", "string", "only of this collection"},
    {"title", "string",
     "each of these words stands in the title or the id; in the order of titles then"},
    {0}};
static const struct route_param page_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {0}};
#define REFRESH_PARAM                                                                    \
    {"refresh", "boolean",                                                               \
     "true: answer when all replicas show it; false: when it is stored"}
static const struct route_param passage_params[] = {
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 100; 20 when absent"},
    {"passage", "string", "the page that has this one (chunk_id), instead of page"},
    {0}};
static const struct route_param write_params[] = {
    REFRESH_PARAM,
    {0}};
static const struct route_param file_params[] = {
    {"inline", "boolean", "true: a PDF is to be shown, rather than kept"},
    {0}};
static const struct route_param access_params[] = {
    {"user", "string", "of this user, by id or name; for managers"},
    {"role", "string", "of this role; for managers"},
    {"department", "string", "in this department; for managers"},
    {0}};
static const struct route_param empty_params[] = {
    {"documents", "boolean",
     "true: its documents too, as many as there is time for; call again while "
     "documents_left is not 0"},
    {0}};
static const struct route_param batch_params[] = {
    REFRESH_PARAM,
    {"wait", "boolean",
     "true: results come while documents are stored; otherwise 202 and a job"},
    {"file_name", "string", "what the file is called; its job shows it"},
    {0}};
/* clang-format on */

static const struct route routes[] = {
    {ROUTE_POST, 200, "/api/search", "search_documents", search_post, &search_schema,
     PERMIT_SEARCH, ROUTE_REPEATED, "Search", "Find passages", NULL, "SearchAnswer"},
    {ROUTE_GET, 200, "/api/search", "search_documents_get", search_get, NULL,
     PERMIT_SEARCH, 0, "Search", "Find passages, for a person", search_params,
     "SearchAnswer"},
    {ROUTE_GET, 200, "/api/suggest", "suggest", suggest_get, NULL, PERMIT_READ_DOCUMENTS,
     ROUTE_AS_SEARCH, "Search", "What may be meant by what is typed so far",
     suggest_params, "Suggestions"},
    {ROUTE_POST, 201, "/api/documents", "store_document", document_post, &document_schema,
     PERMIT_WRITE_DOCUMENTS, ROUTE_LARGE_BODY | ROUTE_UPLOAD | ROUTE_FORM, "Documents",
     "Store or replace a document: as JSON, or a file", write_params, "Stored"},
    {ROUTE_POST, 200, "/api/documents/batch", "store_documents", batch_post, NULL,
     PERMIT_WRITE_DOCUMENTS, ROUTE_UPLOAD, "Documents",
     "Store a stream of documents, one JSON object a line", batch_params,
     "application/x-ndjson"},
    {ROUTE_GET, 200, "/api/documents", "list_documents", document_list, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Documents", "A page of documents", list_params,
     "DocumentPage"},
    {ROUTE_POST, 200, "/api/documents/query", "query_documents", document_browse,
     &browse_schema, PERMIT_READ_DOCUMENTS, 0, "Documents",
     "Documents by filter, in the order of their attributes", NULL, "DocumentPage"},
    {ROUTE_GET, 200, "/api/documents/{id}", "get_document", document_get, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Documents", "One document", NULL, "StoredDocument"},
    {ROUTE_GET, 200, "/api/documents/{id}/passages", "list_passages", document_passages,
     NULL, PERMIT_READ_DOCUMENTS, 0, "Documents",
     "A page of a document's passages, as searches find them, in reading order",
     passage_params, "PassagePage"},
    {ROUTE_GET, 200, "/api/documents/{id}/file", "get_document_file", document_file, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Documents", "The file that a document was made from",
     file_params, "application/octet-stream"},
    {ROUTE_DELETE, 200, "/api/documents/{id}", "delete_document", document_delete, NULL,
     PERMIT_WRITE_DOCUMENTS, 0, "Documents", "Delete a document", write_params,
     "Deleted"},
    {ROUTE_GET, 200, "/api/documents/{id}/access", "explain_access", document_access,
     NULL, PERMIT_READ_DOCUMENTS, 0, "Documents",
     "Who may read a document, and why: oneself or somebody else", access_params,
     "Access"},
    {ROUTE_GET, 200, "/api/documents/{id}/report", "report_document", document_report,
     NULL, PERMIT_READ_DOCUMENTS, 0, "Documents",
     "What was kept of a document, what was left out, what is there twice", NULL,
     "Report"},
    {ROUTE_GET, 200, "/api/collections", "list_collections", collection_all, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Collections", "A page of collections", page_params,
     "CollectionPage"},
    {ROUTE_GET, 200, "/api/collections/{name}", "get_collection", collection_get, NULL,
     PERMIT_READ_DOCUMENTS, 0, "Collections", "One collection", NULL, "StoredCollection"},
    {ROUTE_PUT, 200, "/api/collections/{name}", "define_collection", collection_put,
     &collection_schema, PERMIT_MANAGE_DOCUMENTS, 0, "Collections",
     "Say what holds for its documents, from the next one stored on", NULL,
     "StoredCollection"},
    {ROUTE_DELETE, 200, "/api/collections/{name}", "delete_collection", collection_delete,
     NULL, PERMIT_MANAGE_DOCUMENTS, 0, "Collections", "Delete a collection", empty_params,
     "CollectionDeleted"},
};

const struct route_table routes_of_documents = {routes, SH_COUNT(routes)};
