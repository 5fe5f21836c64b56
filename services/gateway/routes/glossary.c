/* Routes: the glossary. */
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/routes/tables.h"

/* clang-format off */
static const struct route_param list_params[] = {
    {"q", "string", "words, \"a phrase\", or, -not; or how the term begins"},
    {"mode", "string",
     "how q is looked for: text (when absent), semantic (by meaning) or hybrid (both)"},
    {"language", "string", "only of this language"},
    {"domain", "string", "only of this domain"},
    {"status", "string", "only draft, validated or deprecated ones"},
    {"sort", "string", "term, -term, updated_at or -updated_at; with q by relevance"},
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 1000; 20 when absent"},
    {0}};
static const struct route_param write_params[] = {
    {"refresh", "boolean",
     "true: answer when all replicas have seen it; false: when it is stored"},
    {0}};
static const struct route_param relation_params[] = {
    {"type", "string", "only of this type"},
    {"limit", "integer", "1 to 1000; 100 when absent"},
    {"cursor", "string", "next_cursor of the page before"},
    {0}};
static const struct route_param one_relation_params[] = {
    {"type", "string", "its type"},
    {"to", "string", "id of the other entry"},
    {0}};
static const struct route_param import_params[] = {
    {"format", "string", "csv, xlsx, json (also NDJSON), tbx or skos; else by the type"},
    {"wait", "boolean", "true: answer when it is done; otherwise 202 and a job"},
    {"file_name", "string", "what the file is called, where no form says it"},
    {0}};
static const struct route_param export_params[] = {
    {"format", "string", "csv, xlsx, json, tbx or skos; json when absent"},
    {"language", "string", "only of this language"},
    {"domain", "string", "only of this domain"},
    {"status", "string", "only draft, validated or deprecated ones"},
    {0}};
static const struct route_param extract_params[] = {
    {"wait", "boolean", "true: answer when it is done; otherwise 202 and a job"},
    {0}};
static const struct route_param candidate_params[] = {
    {"q", "string", "only terms with this text in them"},
    {"language", "string", "only of this language"},
    {"status", "string", "open, accepted or rejected; open when absent"},
    {"kind", "string", "only word, or only phrase"},
    {"min_frequency", "integer", "found at least so often"},
    {"job_id", "string", "only what this extraction was the last to find"},
    {"sort", "string", "score, frequency, documents or term; score when absent"},
    {"page", "integer", "from 1"},
    {"per_page", "integer", "1 to 200; 20 when absent"},
    {0}};
/* clang-format on */

static const struct route routes[] = {
    {ROUTE_GET, 200, "/api/glossary", "list_glossary", glossary_list_get, NULL,
     PERMIT_READ_GLOSSARY, 0, "Glossary", "A page of the glossary, or a search in it",
     list_params, "GlossaryPage"},
    {ROUTE_POST, 201, "/api/glossary", "create_term", glossary_post, &glossary_schema,
     PERMIT_WRITE_GLOSSARY, 0, "Glossary", "A new entry", write_params, "GlossaryTerm"},
    {ROUTE_POST, 202, "/api/glossary/import", "import_glossary", glossary_import_post,
     NULL, PERMIT_WRITE_GLOSSARY, ROUTE_UPLOAD | ROUTE_FORM, "Glossary",
     "Store the entries of a file: a job", import_params, "GlossaryJob"},
    {ROUTE_GET, 200, "/api/glossary/export", "export_glossary", glossary_export_get, NULL,
     PERMIT_READ_GLOSSARY, 0, "Glossary", "The glossary as a file", export_params,
     "application/octet-stream"},
    {ROUTE_POST, 200, "/api/glossary/lookup", "look_up_term", glossary_lookup_post,
     &glossary_lookup_schema, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "What DeepL or IATE say of a term", NULL, "GlossaryLookupAnswers"},
    {ROUTE_POST, 202, "/api/glossary/extract", "extract_terms", glossary_extract_post,
     &glossary_extract_schema, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "Look for terms in documents: a job", extract_params, "GlossaryJob"},
    {ROUTE_GET, 200, "/api/glossary/candidates", "list_candidates",
     glossary_candidates_get, NULL, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "What was found in documents", candidate_params, "GlossaryCandidates"},
    {ROUTE_POST, 200, "/api/glossary/candidates/accept", "accept_candidates",
     glossary_candidates_accept, &glossary_ids_schema, PERMIT_WRITE_GLOSSARY, 0,
     "Glossary", "Drafts of many candidates", NULL, "GlossaryVerdicts"},
    {ROUTE_POST, 200, "/api/glossary/candidates/reject", "reject_candidates",
     glossary_candidates_reject, &glossary_ids_schema, PERMIT_WRITE_GLOSSARY, 0,
     "Glossary", "Never propose these again", NULL, "GlossaryVerdicts"},
    {ROUTE_POST, 200, "/api/glossary/candidates/reopen", "reopen_candidates",
     glossary_candidates_reopen, &glossary_ids_schema, PERMIT_WRITE_GLOSSARY, 0,
     "Glossary", "Propose these again", NULL, "GlossaryVerdicts"},
    {ROUTE_POST, 200, "/api/glossary/candidates/{id}/accept", "accept_candidate",
     glossary_candidate_accept, &glossary_draft_schema, PERMIT_WRITE_GLOSSARY, 0,
     "Glossary", "A draft of a candidate", NULL, "GlossaryVerdict"},
    {ROUTE_POST, 200, "/api/glossary/candidates/{id}/reject", "reject_candidate",
     glossary_candidate_reject, NULL, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "Never propose it again", NULL, "GlossaryVerdict"},
    {ROUTE_POST, 200, "/api/glossary/candidates/{id}/reopen", "reopen_candidate",
     glossary_candidate_reopen, NULL, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "Propose it again", NULL, "GlossaryVerdict"},
    {ROUTE_GET, 200, "/api/glossary/{id}", "get_term", glossary_get, NULL,
     PERMIT_READ_GLOSSARY, 0, "Glossary", "One entry", NULL, "GlossaryTerm"},
    {ROUTE_PUT, 200, "/api/glossary/{id}", "change_term", glossary_put_one,
     &glossary_schema, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "Another content, or another status, for an entry", write_params, "GlossaryTerm"},
    {ROUTE_GET, 200, "/api/glossary/{id}/relations", "list_relations",
     glossary_relations_get, NULL, PERMIT_READ_GLOSSARY, 0, "Glossary",
     "What other terms are to an entry", relation_params, "GlossaryRelations"},
    {ROUTE_POST, 201, "/api/glossary/{id}/relations", "add_relation",
     glossary_relations_post, &glossary_relation_schema, PERMIT_WRITE_GLOSSARY, 0,
     "Glossary", "A relation to another entry, and its inverse", NULL,
     "GlossaryRelationStored"},
    {ROUTE_DELETE, 200, "/api/glossary/{id}/relations", "delete_relation",
     glossary_relations_delete, NULL, PERMIT_WRITE_GLOSSARY, 0, "Glossary",
     "Delete a relation, and its inverse", one_relation_params, "Deleted"},
    {ROUTE_DELETE, 200, "/api/glossary/{id}", "delete_term", glossary_delete, NULL,
     PERMIT_WRITE_GLOSSARY, 0, "Glossary", "Delete an entry", write_params,
     "GlossaryDeleted"},
};

const struct route_table routes_of_glossary = {routes, SH_COUNT(routes)};
