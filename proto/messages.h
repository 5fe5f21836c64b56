/* messages: every message between services, declared once. Structs, encoders, decoders,
 * the round-trip test, the fuzz target and docs/protocol.md all come from here.
 * Rules: ids are never reused; fields are only appended; max is checked on both sides.
 *
 * F(type, name, max, of)
 *   u32 u64    max: largest value
 *   f64 flag   max: 0
 *   str        max: bytes; UTF-8 is checked
 *   json       as str; holds JSON that the sender made or checked
 *   strs       max: how many texts
 *   list       max: how many messages of the kind `of`                              */
#ifndef PROTO_MESSAGES_H
#define PROTO_MESSAGES_H

/* clang-format off */
#define PROTO_TEXT_MAX (16u << 20)

/* Travels in the meta frame of every request. */
#define CALLER(F)                                                                   \
    F(u32,  schema,            65535, _)                                            \
    F(str,  request_id,           64, _)                                            \
    F(str,  user_id,             256, _)                                            \
    F(str,  username,            256, _)                                            \
    F(str,  role,                 64, _)                                            \
    F(u32,  clearance,             5, _)                                            \
    F(flag, all_departments,       0, _)                                            \
    F(str,  department,          256, _)                                            \
    F(str,  campus,              256, _)

/* The payload of every ERROR. */
#define RPC_ERROR(F)                                                                \
    F(str,  code,                 64, _)                                            \
    F(str,  message,            1024, _)                                            \
    F(str,  field,               256, _)

/* In the meta frame of HELLO and HELLO_ACK. */
#define HELLO(F)                                                                    \
    F(str,  service,              64, _)                                            \
    F(str,  instance,             64, _)                                            \
    F(u32,  version_min,       65535, _)                                            \
    F(u32,  version_max,       65535, _)                                            \
    F(f64,  started,               0, _)                                            \
    F(u32,  max_in_flight,     65535, _)

#define EMPTY(F)                                                                    \
    F(u32,  unused,                0, _)

#define HEALTH_CHECK(F)                                                             \
    F(str,  name,                 64, _)                                            \
    F(str,  status,               16, _)                                            \
    F(flag, required,              0, _)                                            \
    F(f64,  response_time_s,       0, _)                                            \
    F(str,  message,             512, _)                                            \
    F(json, detail,             4096, _)

/* requests: answered on the bus; db_*: connections to PostgreSQL that there may be, and
 * those in use. */
#define HEALTH_REPLY(F)                                                             \
    F(str,  service,              64, _)                                            \
    F(str,  version,              64, _)                                            \
    F(str,  status,               16, _)                                            \
    F(flag, ready,                 0, _)                                            \
    F(f64,  uptime_s,              0, _)                                            \
    F(u64,  resident_bytes, UINT64_MAX, _)                                          \
    F(list, checks,               64, health_check)                                 \
    F(str,  instance,             64, _)                                            \
    F(f64,  cpu_s,                 0, _)                                            \
    F(u64,  requests,     UINT64_MAX, _)                                            \
    F(u32,  in_flight,    UINT32_MAX, _)                                            \
    F(u32,  db_pool, UINT32_MAX, _)                                          \
    F(u32,  db_active,    UINT32_MAX, _)

/* --- embedder ------------------------------------------------------------------- */
/* purpose: 0 as it is, 1 a query, 2 a document (models may want prefixes).
 * model: "" the default; else its name, before it "builtin:" or "ollama:" where the
 * provider matters. fingerprint: "" any; else of the model that must answer, which is
 * opened for it; one that has another fingerprint by now is CONFLICT. */
#define EMBED_REQUEST(F)                                                            \
    F(str,  model,               256, _)                                            \
    F(strs, texts,              2048, _)                                            \
    F(u32,  purpose,               2, _)                                            \
    F(flag, refuse_long,           0, _)                                            \
    F(u32,  dimensions,        65536, _)                                            \
    F(str,  fingerprint,          64, _)

#define EMBED_FAILURE(F)                                                            \
    F(u32,  index,              2048, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  message,             512, _)

/* In the meta frame; the payload is count × dimension float32. A text that failed has a
 * zero vector. */
#define EMBED_REPLY(F)                                                              \
    F(str,  model,               256, _)                                            \
    F(str,  fingerprint,          64, _)                                            \
    F(u32,  dimension,         65536, _)                                            \
    F(u32,  count,              2048, _)                                            \
    F(f64,  alpha,                 0, _)                                            \
    F(u64,  tokens,       UINT64_MAX, _)                                            \
    F(u64,  duration_us,  UINT64_MAX, _)                                            \
    F(u64,  load_us,      UINT64_MAX, _)                                            \
    F(list, failures,             32, embed_failure)

#define MODEL_CARD(F)                                                               \
    F(str,  name,                256, _)                                            \
    F(str,  provider,             64, _)                                            \
    F(u32,  dimension,         65536, _)                                            \
    F(u32,  context_length, UINT32_MAX, _)                                          \
    F(flag, normalised,            0, _)                                            \
    F(str,  query_prefix,       1024, _)                                            \
    F(str,  document_prefix,    1024, _)                                            \
    F(f64,  alpha,                 0, _)                                            \
    F(str,  digest,              128, _)                                            \
    F(str,  probe_hash,           64, _)                                            \
    F(str,  fingerprint,          64, _)                                            \
    F(u64,  size_bytes,   UINT64_MAX, _)                                            \
    F(str,  format,               32, _)                                            \
    F(str,  family,               64, _)                                            \
    F(str,  parameter_size,       32, _)                                            \
    F(str,  quantization,         32, _)                                            \
    F(f64,  modified_at,           0, _)

/* As in an embed_request. */
#define MODEL_REQUEST(F)                                                            \
    F(str,  model,               256, _)                                            \
    F(str,  fingerprint,          64, _)

/* --- a model fitted to the corpus -------------------------------------------------- */
/* All calls of a session go to one replica. dimension: at most so many; 0: the default. */
#define FIT_SESSION(F)                                                              \
    F(str,  session,              64, _)                                            \
    F(u32,  dimension,          1024, _)

/* first: how many texts went before these; what came already is not added again. */
#define FIT_TEXTS(F)                                                                \
    F(str,  session,              64, _)                                            \
    F(u64,  first,        UINT64_MAX, _)                                            \
    F(strs, texts,              2048, _)

/* state: "adding", "fitting", "done", "failed" (code and message say why). texts: taken in
 * so far. The rest is known when it is done; bytes: of the file. */
#define FIT_STATE(F)                                                                \
    F(str,  state,                16, _)                                            \
    F(u64,  texts,        UINT64_MAX, _)                                            \
    F(u32,  step,               1000, _)                                            \
    F(u32,  steps,              1000, _)                                            \
    F(str,  fingerprint,          64, _)                                            \
    F(u32,  dimension,         65536, _)                                            \
    F(u32,  terms,        UINT32_MAX, _)                                            \
    F(u64,  bytes,        UINT64_MAX, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  message,             512, _)

/* model: a session of a fit that is done, or a fingerprint. */
#define MODEL_PIECE_REF(F)                                                          \
    F(str,  model,                64, _)                                            \
    F(u64,  offset,       UINT64_MAX, _)

/* In the meta frame; the payload is the file from `offset` on, empty at its end. */
#define MODEL_PIECE(F)                                                              \
    F(u64,  offset,       UINT64_MAX, _)                                            \
    F(u64,  bytes,        UINT64_MAX, _)

#define MODELS_REPLY(F)                                                             \
    F(list, models,               64, model_card)

/* --- search --------------------------------------------------------------------- */
#define SECTION(F)                                                                  \
    F(str,  title,              2048, _)                                            \
    F(str,  text,     PROTO_TEXT_MAX, _)                                            \
    F(u32,  page_number,  UINT32_MAX, _)

/* metadata: a JSON object; department, campus, priority, clearance_level and last_reviewed
 * are columns, the rest is kept as it is. Times are Unix seconds. */
#define DOCUMENT(F)                                                                 \
    F(str,  id,                  256, _)                                            \
    F(str,  title,              2048, _)                                            \
    F(str,  collection,          256, _)                                            \
    F(json, metadata,          65536, _)                                            \
    F(list, sections,          65536, section)                                      \
    F(f64,  created_at,            0, _)                                            \
    F(f64,  updated_at,            0, _)                                            \
    F(u32,  chunks,       UINT32_MAX, _)                                            \
    F(u32,  pending_embedding, UINT32_MAX, _)                                       \
    F(str,  content_hash,         64, _)

/* no_wait: answer when it is stored; otherwise, when the view shows it (for a while). */
#define DOCUMENT_PUT(F)                                                             \
    F(list, document,              1, document)                                     \
    F(flag, no_wait,               0, _)

/* xid: the transaction whose effects are spoken of; visible: the view of the answering
 * replica shows them. */
#define DOCUMENT_PUT_REPLY(F)                                                       \
    F(str,  document_id,         256, _)                                            \
    F(u32,  chunks,       UINT32_MAX, _)                                            \
    F(flag, created,               0, _)                                            \
    F(flag, unchanged,             0, _)                                            \
    F(u32,  pending_embedding, UINT32_MAX, _)                                       \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(flag, visible,               0, _)

#define DOCUMENT_REF(F)                                                             \
    F(str,  id,                  256, _)                                            \
    F(flag, no_wait,               0, _)

#define DOCUMENT_GONE(F)                                                            \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(flag, visible,               0, _)

/* Whether the view shows a transaction, as soon as it does, after wait_ms at most. */
#define VIEW_WAIT(F)                                                                \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(u32,  wait_ms,          600000, _)

#define VIEW_SHOWN(F)                                                               \
    F(flag, visible,               0, _)

#define DOCUMENT_LIST(F)                                                            \
    F(u32,  page,        UINT32_MAX,  _)                                            \
    F(u32,  per_page,           1000, _)                                            \
    F(str,  collection,          256, _)

#define DOCUMENT_PAGE(F)                                                            \
    F(list, documents,          1000, document)                                     \
    F(u64,  total,        UINT64_MAX, _)

/* A document is made of a file that the store holds: `document` has what was said beside
 * it, and no sections. hash: SHA-256 in hex; name: without folders; declared_type: what
 * the sender called it, if anything. no_wait as in document_put. */
#define FILE_PUT(F)                                                                 \
    F(list, document,              1, document)                                     \
    F(str,  hash,                 64, _)                                            \
    F(str,  name,               1024, _)                                            \
    F(u64,  size,         UINT64_MAX, _)                                            \
    F(str,  declared_type,       128, _)                                            \
    F(flag, no_wait,               0, _)

/* file_type: what it is; pages: 0 where there are none; report: what became of the text.
 */
#define FILE_PUT_REPLY(F)                                                           \
    F(list, stored,                1, document_put_reply)                           \
    F(str,  file_type,           128, _)                                            \
    F(u32,  pages,        UINT32_MAX, _)                                            \
    F(flag, unchanged,             0, _)                                            \
    F(json, report,            65536, _)

#define FILE_REF(F)                                                                 \
    F(str,  document_id,         256, _)

/* The file that a document was made from. */
#define FILE_INFO(F)                                                                \
    F(str,  document_id,         256, _)                                            \
    F(str,  hash,                 64, _)                                            \
    F(str,  name,               1024, _)                                            \
    F(str,  type,                128, _)                                            \
    F(u64,  size,         UINT64_MAX, _)                                            \
    F(u32,  pages,        UINT32_MAX, _)                                            \
    F(f64,  updated_at,            0, _)

/* Before a file is put in its place: until its claim ends nobody removes it. */
#define FILE_CLAIM(F)                                                               \
    F(str,  hash,                 64, _)

#define FILE_CLAIMED(F)                                                             \
    F(u64,  claim,        UINT64_MAX, _)

/* mode: 0 hybrid, 1 vector, 2 text; fusion: 0 weighted, 1 rrf; vector_weight < 0: the
 * model's own. filters: the JSON object of API.md. no_expand: without the glossary.
 * per_document: most results of one document, 0: any number. merge: neighbours become one
 * result. */
#define SEARCH_QUERY(F)                                                             \
    F(str,  query,             16384, _)                                            \
    F(json, filters,           65536, _)                                            \
    F(u32,  mode,                  2, _)                                            \
    F(u32,  fusion,                1, _)                                            \
    F(f64,  vector_weight,         0, _)                                            \
    F(u32,  max_results,        1000, _)                                            \
    F(u32,  offset,           100000, _)                                            \
    F(f64,  similarity_threshold,  0, _)                                            \
    F(f64,  diversity,             0, _)                                            \
    F(flag, highlight,             0, _)                                            \
    F(flag, explain,               0, _)                                            \
    F(flag, require_complete,      0, _)                                            \
    F(flag, no_expand,             0, _)                                            \
    F(u32,  per_document,       1000, _)                                            \
    F(flag, merge,                 0, _)

/* A term of the query that the glossary knows, and what it is called otherwise. kind:
 * what it is there: acronym, synonym, preferred. */
#define SEARCH_EXPANSION(F)                                                         \
    F(str,  term,                256, _)                                            \
    F(strs, added,                 8, _)                                            \
    F(str,  kind,                 16, _)

/* merged: the passages that are joined in `text`, in reading order; none: it is one.
 * boost: what priority and campus added to combined_score. */
#define SEARCH_HIT(F)                                                               \
    F(str,  chunk_id,            320, _)                                            \
    F(str,  document_id,         256, _)                                            \
    F(str,  document_title,     2048, _)                                            \
    F(str,  section_title,      4096, _)                                            \
    F(str,  text,            1048576, _)                                            \
    F(str,  highlight,       1048576, _)                                            \
    F(u32,  page_number,  UINT32_MAX, _)                                            \
    F(json, metadata,          65536, _)                                            \
    F(f64,  similarity,            0, _)                                            \
    F(f64,  text_score,            0, _)                                            \
    F(f64,  combined_score,        0, _)                                            \
    F(json, explanation,        4096, _)                                            \
    F(strs, merged,               64, _)                                            \
    F(f64,  boost,                 0, _)

#define SEARCH_RESULTS(F)                                                           \
    F(list, hits,               1000, search_hit)                                   \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(u32,  mode,                  2, _)                                            \
    F(strs, degraded,              8, _)                                            \
    F(json, plan,               8192, _)                                            \
    F(u64,  duration_us,  UINT64_MAX, _)                                            \
    F(str,  fingerprint,          64, _)                                            \
    F(list, expanded,             16, search_expansion)                             \
    F(u64,  generation,   UINT64_MAX, _)

/* --- collections, access, quality ------------------------------------------------ */
/* Defaults of a collection: 0 and empty where nothing is said. defined: somebody said
 * something; documents: those that the caller may read. */
#define COLLECTION(F)                                                               \
    F(str,  name,                256, _)                                            \
    F(str,  title,              2048, _)                                            \
    F(str,  description,        8192, _)                                            \
    F(u32,  chunk_tokens,       8192, _)                                            \
    F(flag, overlap_said,          0, _)                                            \
    F(u32,  chunk_overlap_percent, 50, _)                                           \
    F(str,  language,            256, _)                                            \
    F(u32,  clearance_level,       5, _)                                            \
    F(str,  department,          256, _)                                            \
    F(str,  campus,              256, _)                                            \
    F(u32,  priority,              5, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(f64,  updated_at,            0, _)                                            \
    F(flag, defined,               0, _)                                            \
    F(u64,  documents,    UINT64_MAX, _)                                            \
    F(flag, created,               0, _)

/* name: only this one. */
#define COLLECTION_LIST(F)                                                          \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,           1000, _)                                            \
    F(str,  name,                256, _)

#define COLLECTION_PAGE(F)                                                          \
    F(list, collections,        1000, collection)                                   \
    F(u64,  total,        UINT64_MAX, _)

/* documents: its documents too, as many as there is time for. */
#define COLLECTION_DELETE(F)                                                        \
    F(str,  name,                256, _)                                            \
    F(flag, documents,             0, _)

#define COLLECTION_GONE(F)                                                          \
    F(flag, deleted,               0, _)                                            \
    F(u64,  documents_deleted, UINT64_MAX, _)                                       \
    F(u64,  documents_left, UINT64_MAX, _)                                          \
    F(u64,  xid,          UINT64_MAX, _)                                            \
    F(flag, visible,               0, _)

/* Whose rights to judge. of_document: the department is the document's, whichever that is. */
#define ACCESS_SUBJECT(F)                                                           \
    F(str,  role,                 64, _)                                            \
    F(str,  department,          256, _)                                            \
    F(u32,  clearance,             5, _)                                            \
    F(flag, all_departments,       0, _)                                            \
    F(flag, of_document,           0, _)

#define ACCESS_QUERY(F)                                                             \
    F(str,  document_id,         256, _)                                            \
    F(list, subjects,            256, access_subject)

/* department: why that rule holds or does not, by number: proto/access.h. */
#define ACCESS_VERDICT(F)                                                           \
    F(flag, readable,              0, _)                                            \
    F(flag, clearance_ok,          0, _)                                            \
    F(flag, department_ok,         0, _)                                            \
    F(u32,  department,           16, _)

/* verdicts: in the order of the subjects. */
#define ACCESS_REPLY(F)                                                             \
    F(str,  document_id,         256, _)                                            \
    F(u32,  clearance_level,       5, _)                                            \
    F(str,  department,          256, _)                                            \
    F(list, verdicts,            256, access_verdict)

/* A JSON object. */
#define DOCUMENT_REPORT(F)                                                          \
    F(json, report,          1048576, _)

/* What cairn-extract writes to its pipe after the sections of a file: the end of it. code:
 * why the file is refused, empty when it is not; type: what it is; created: RFC 3339. */
#define EXTRACT_END(F)                                                              \
    F(str,  code,                 64, _)                                            \
    F(str,  message,             512, _)                                            \
    F(str,  type,                128, _)                                            \
    F(str,  title,              2048, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  created,              64, _)                                            \
    F(u32,  pages,        UINT32_MAX, _)

/* --- generations ---------------------------------------------------------------- */
/* model: as in an embed_request. activate: make it live as soon as it is complete. */
#define REINDEX_REQUEST(F)                                                          \
    F(str,  model,               256, _)                                            \
    F(flag, activate,              0, _)

/* "": the one that was live before. */
#define GENERATION_REF(F)                                                           \
    F(str,  fingerprint,          64, _)

/* queries: a JSON object with "queries", a list of texts, or "judged", a list of
 * {"query","relevant":{document id: grade}}; neither: what was asked lately. */
#define GENERATION_COMPARE(F)                                                       \
    F(str,  from,                 64, _)                                            \
    F(str,  to,                   64, _)                                            \
    F(json, queries,         1048576, _)

/* body: what came of it, for the client. job_id: of the job that does it. */
#define GENERATION_REPLY(F)                                                         \
    F(json, body,            1048576, _)                                            \
    F(str,  job_id,               64, _)

/* --- graph ---------------------------------------------------------------------- */
#define GRAPH_PROPERTY(F)                                                           \
    F(str,  name,                256, _)                                            \
    F(strs, types,                16, _)

#define GRAPH_LABEL(F)                                                              \
    F(str,  name,                256, _)                                            \
    F(u64,  count,        UINT64_MAX, _)                                            \
    F(list, properties,         1024, graph_property)

#define GRAPH_TYPE(F)                                                               \
    F(str,  name,                256, _)                                            \
    F(u64,  count,        UINT64_MAX, _)                                            \
    F(strs, from_labels,        1024, _)                                            \
    F(strs, to_labels,          1024, _)

#define GRAPH_SCHEMA_REPLY(F)                                                       \
    F(list, labels,             4096, graph_label)                                  \
    F(list, types,              4096, graph_type)                                   \
    F(u64,  nodes,        UINT64_MAX, _)                                            \
    F(u64,  edges,        UINT64_MAX, _)

/* properties: a JSON object. */
#define GRAPH_NODE(F)                                                               \
    F(str,  id,                  256, _)                                            \
    F(strs, labels,             1024, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)

#define GRAPH_EDGE(F)                                                               \
    F(str,  id,                  256, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(json, properties, PROTO_TEXT_MAX, _)

/* How many relationships of a type a node has one way. */
#define GRAPH_GROUP(F)                                                              \
    F(str,  type,              65536, _)                                            \
    F(flag, outgoing,              0, _)                                            \
    F(u64,  count,        UINT64_MAX, _)

#define GRAPH_REF(F)                                                                \
    F(str,  id,                  256, _)

#define GRAPH_NODE_REPLY(F)                                                         \
    F(list, node,                  1, graph_node)                                   \
    F(list, groups,            65536, graph_group)

/* One page of the nodes of a label, as they arrived, or by a property's value. filters:
 * name, value, name, value … that a node's properties must have. */
#define GRAPH_LABEL_QUERY(F)                                                        \
    F(str,  label,             65536, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,           1000, _)                                            \
    F(str,  sort,              65536, _)                                            \
    F(flag, descending,            0, _)                                            \
    F(strs, filters,              32, _)

#define GRAPH_NODE_PAGE(F)                                                          \
    F(list, nodes,              1000, graph_node)                                   \
    F(u64,  total,        UINT64_MAX, _)

/* direction: 0 both, 1 outgoing, 2 incoming; type, label: empty for all; after: `next` of
 * the page before. */
#define GRAPH_NEIGHBOURS_QUERY(F)                                                   \
    F(str,  id,                  256, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  label,             65536, _)                                            \
    F(u32,  limit,              1000, _)                                            \
    F(str,  after,                64, _)

/* nodes: those at the other ends, each once. next: empty at the end. */
#define GRAPH_NEIGHBOURS(F)                                                         \
    F(list, edges,              1000, graph_edge)                                   \
    F(list, nodes,              1000, graph_node)                                   \
    F(str,  next,                 64, _)

#define GRAPH_PATH_QUERY(F)                                                         \
    F(str,  from,                256, _)                                            \
    F(str,  to,                  256, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(u32,  max_depth,           100, _)

/* truncated: not found, but not everything was looked at. */
#define GRAPH_PATH_REPLY(F)                                                         \
    F(flag, found,                 0, _)                                            \
    F(flag, truncated,             0, _)                                            \
    F(list, nodes,               101, graph_node)                                   \
    F(list, edges,               100, graph_edge)

#define GRAPH_SUBGRAPH_QUERY(F)                                                     \
    F(str,  root,                256, _)                                            \
    F(u32,  depth,                10, _)                                            \
    F(u32,  limit,              5000, _)                                            \
    F(u32,  direction,             2, _)                                            \
    F(str,  type,              65536, _)                                            \
    F(str,  label,             65536, _)

#define GRAPH_SUBGRAPH(F)                                                           \
    F(list, nodes,              5000, graph_node)                                   \
    F(list, edges,             20000, graph_edge)                                   \
    F(flag, truncated,             0, _)

/* --- backup --------------------------------------------------------------------- */
#define BACKUP_SET(F)                                                               \
    F(str,  id,                  128, _)                                            \
    F(str,  kind,                 32, _)                                            \
    F(str,  label,               256, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(u64,  size_bytes,   UINT64_MAX, _)                                            \
    F(flag, verified,              0, _)

#define BACKUP_LIST_REPLY(F)                                                        \
    F(list, sets,              10000, backup_set)

/* item: what stands for it with whoever made the job, "line 17". */
#define JOB_ERROR(F)                                                                \
    F(str,  item,                256, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)

/* state: queued, running, done, failed or cancelled. errors: the first of them. code and
 * error: why all of it failed, or what holds it up. Times are Unix seconds, 0: not yet.
 * version: goes up with every change. */
#define JOB(F)                                                                      \
    F(str,  id,                   36, _)                                            \
    F(str,  kind,                 64, _)                                            \
    F(str,  state,                16, _)                                            \
    F(u64,  done,         UINT64_MAX, _)                                            \
    F(u64,  failed,       UINT64_MAX, _)                                            \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(list, errors,              100, job_error)                                    \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)                                            \
    F(json, result,          1048576, _)                                            \
    F(str,  created_by,          256, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(f64,  started_at,            0, _)                                            \
    F(f64,  finished_at,           0, _)                                            \
    F(u64,  version,      UINT64_MAX, _)

#define JOB_REF(F)                                                                  \
    F(str,  id,                   64, _)

/* state, kind: empty: any. */
#define JOB_LIST(F)                                                                 \
    F(str,  state,                16, _)                                            \
    F(str,  kind,                 64, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,            100, _)

#define JOB_PAGE(F)                                                                 \
    F(list, jobs,                100, job)                                          \
    F(u64,  total,        UINT64_MAX, _)

/* kind: ingest. The job has the rights that the caller has now. */
#define JOB_NEW(F)                                                                  \
    F(str,  kind,                 64, _)

/* What was in a line: a document, or why there is none. turn: the same for versions of the
 * same document, 0: alone. */
#define JOB_INPUT(F)                                                                \
    F(u64,  line,         UINT64_MAX, _)                                            \
    F(list, put,                   1, document_put)                                 \
    F(u64,  turn,         UINT64_MAX, _)                                            \
    F(str,  code,                 64, _)                                            \
    F(str,  error,              1024, _)

/* first: how many were added before. last: there are no more. */
#define JOB_APPEND(F)                                                               \
    F(str,  id,                   64, _)                                            \
    F(u64,  first,        UINT64_MAX, _)                                            \
    F(list, items,              1000, job_input)                                    \
    F(flag, last,                  0, _)

/* full: nothing was taken, too much waits; the same again later. */
#define JOB_APPENDED(F)                                                             \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(flag, full,                  0, _)                                            \
    F(str,  state,                16, _)

/* Answered when the job is of a later version, or has ended, or after wait_ms. */
#define JOB_WAIT(F)                                                                 \
    F(str,  id,                   64, _)                                            \
    F(u64,  version,      UINT64_MAX, _)                                            \
    F(u32,  wait_ms,           60000, _)

/* M(id, name, TABLE): a message stands below those that it contains. */
#define MESSAGES(M)                                                                 \
    M(1,  caller,             CALLER)                                               \
    M(2,  rpc_error,          RPC_ERROR)                                            \
    M(3,  hello,              HELLO)                                                \
    M(4,  empty,              EMPTY)                                                \
    M(5,  health_check,       HEALTH_CHECK)                                         \
    M(6,  health_reply,       HEALTH_REPLY)                                         \
    M(10, embed_request,      EMBED_REQUEST)                                        \
    M(11, embed_failure,      EMBED_FAILURE)                                        \
    M(12, embed_reply,        EMBED_REPLY)                                          \
    M(13, model_card,         MODEL_CARD)                                           \
    M(14, models_reply,       MODELS_REPLY)                                         \
    M(15, fit_session,        FIT_SESSION)                                          \
    M(16, fit_texts,          FIT_TEXTS)                                            \
    M(17, fit_state,          FIT_STATE)                                            \
    M(18, model_piece_ref,    MODEL_PIECE_REF)                                      \
    M(19, model_piece,        MODEL_PIECE)                                          \
    M(20, section,            SECTION)                                              \
    M(21, document,           DOCUMENT)                                             \
    M(22, document_put,       DOCUMENT_PUT)                                         \
    M(23, document_put_reply, DOCUMENT_PUT_REPLY)                                   \
    M(24, document_ref,       DOCUMENT_REF)                                         \
    M(25, document_list,      DOCUMENT_LIST)                                        \
    M(26, document_page,      DOCUMENT_PAGE)                                        \
    M(27, document_gone,      DOCUMENT_GONE)                                        \
    M(28, view_wait,          VIEW_WAIT)                                            \
    M(29, view_shown,         VIEW_SHOWN)                                           \
    M(30, search_query,       SEARCH_QUERY)                                         \
    M(31, search_hit,         SEARCH_HIT)                                           \
    M(33, search_expansion,   SEARCH_EXPANSION)                                     \
    M(32, search_results,     SEARCH_RESULTS)                                       \
    M(34, file_put,           FILE_PUT)                                             \
    M(35, file_put_reply,     FILE_PUT_REPLY)                                       \
    M(36, file_ref,           FILE_REF)                                             \
    M(37, file_info,          FILE_INFO)                                            \
    M(38, file_claim,         FILE_CLAIM)                                           \
    M(39, file_claimed,       FILE_CLAIMED)                                         \
    M(40, graph_property,     GRAPH_PROPERTY)                                       \
    M(41, graph_label,        GRAPH_LABEL)                                          \
    M(42, graph_type,         GRAPH_TYPE)                                           \
    M(43, graph_schema_reply, GRAPH_SCHEMA_REPLY)                                   \
    M(103, graph_node,        GRAPH_NODE)                                           \
    M(91, graph_edge,         GRAPH_EDGE)                                           \
    M(92, graph_group,        GRAPH_GROUP)                                          \
    M(93, graph_ref,          GRAPH_REF)                                            \
    M(94, graph_node_reply,   GRAPH_NODE_REPLY)                                     \
    M(95, graph_label_query,  GRAPH_LABEL_QUERY)                                    \
    M(96, graph_node_page,    GRAPH_NODE_PAGE)                                      \
    M(97, graph_neighbours_query, GRAPH_NEIGHBOURS_QUERY)                           \
    M(98, graph_neighbours,   GRAPH_NEIGHBOURS)                                     \
    M(99, graph_path_query,   GRAPH_PATH_QUERY)                                     \
    M(100, graph_path_reply,  GRAPH_PATH_REPLY)                                     \
    M(101, graph_subgraph_query, GRAPH_SUBGRAPH_QUERY)                              \
    M(102, graph_subgraph,    GRAPH_SUBGRAPH)                                       \
    M(50, backup_set,         BACKUP_SET)                                           \
    M(51, backup_list_reply,  BACKUP_LIST_REPLY)                                    \
    M(60, job_error,          JOB_ERROR)                                            \
    M(61, job,                JOB)                                                  \
    M(62, job_ref,            JOB_REF)                                              \
    M(63, job_list,           JOB_LIST)                                             \
    M(64, job_page,           JOB_PAGE)                                             \
    M(65, job_new,            JOB_NEW)                                              \
    M(66, job_input,          JOB_INPUT)                                            \
    M(67, job_append,         JOB_APPEND)                                           \
    M(68, job_appended,       JOB_APPENDED)                                         \
    M(69, job_wait,           JOB_WAIT)                                             \
    M(70, model_request,      MODEL_REQUEST)                                        \
    M(71, reindex_request,    REINDEX_REQUEST)                                      \
    M(72, generation_ref,     GENERATION_REF)                                       \
    M(73, generation_compare, GENERATION_COMPARE)                                   \
    M(74, generation_reply,   GENERATION_REPLY)                                     \
    M(80, collection,         COLLECTION)                                           \
    M(81, collection_list,    COLLECTION_LIST)                                      \
    M(82, collection_page,    COLLECTION_PAGE)                                      \
    M(83, collection_delete,  COLLECTION_DELETE)                                    \
    M(84, collection_gone,    COLLECTION_GONE)                                      \
    M(85, access_subject,     ACCESS_SUBJECT)                                       \
    M(86, access_query,       ACCESS_QUERY)                                         \
    M(87, access_verdict,     ACCESS_VERDICT)                                       \
    M(88, access_reply,       ACCESS_REPLY)                                         \
    M(89, document_report,    DOCUMENT_REPORT)                                      \
    M(90, extract_end,        EXTRACT_END)

/* X(id, CONSTANT, "name", request, reply, meaning): what a service can be asked. */
#define METHODS(X)                                                                          \
    X(1,  RPC_ECHO,        "rpc.echo",        -,              -,                  "the payload comes back")      \
    X(2,  RPC_HEALTH,      "rpc.health",      empty,          health_reply,       "the service's checks")        \
    X(10, EMBEDDER_EMBED,  "embedder.embed",  embed_request,  embed_reply,        "vectors of texts")            \
    X(11, EMBEDDER_MODELS, "embedder.models", empty,          models_reply,       "the models at hand, default first") \
    X(12, FIT_BEGIN,       "embedder.fit_begin", fit_session, fit_state,          "a model is to be fitted to texts") \
    X(13, FIT_ADD,         "embedder.fit_add",   fit_texts,   fit_state,          "some of the texts") \
    X(14, FIT_END,         "embedder.fit_end",   fit_session, fit_state,          "there are no more: fit") \
    X(15, FIT_STATE,       "embedder.fit_state", fit_session, fit_state,          "how far it is") \
    X(16, FIT_FILE,        "embedder.fit_file",  model_piece_ref, model_piece,    "a piece of the fitted model's file") \
    X(17, FIT_DROP,        "embedder.fit_drop",  fit_session, fit_state,          "the fit is not wanted any more") \
    X(18, SEARCH_MODEL,    "search.model",    model_piece_ref, model_piece,       "a piece of a fitted model's file") \
    X(20, SEARCH_QUERY,    "search.query",    search_query,   search_results,     "find passages")               \
    X(21, DOCUMENT_PUT,    "search.put",      document_put,   document_put_reply, "store or replace a document") \
    X(22, DOCUMENT_GET,    "search.get",      document_ref,   document,           "read a document")             \
    X(23, DOCUMENT_DELETE, "search.delete",   document_ref,   document_gone,      "delete a document")           \
    X(24, DOCUMENT_LIST,   "search.list",     document_list,  document_page,      "a page of documents, no sections") \
    X(25, VIEW_WAIT,       "search.shown",    view_wait,      view_shown,         "wait until the view shows a write") \
    X(26, FILE_PUT,        "search.put_file",  file_put,      file_put_reply,     "make a document of a file")   \
    X(27, FILE_INFO,       "search.file",     file_ref,       file_info,          "the file of a document")      \
    X(28, FILE_CLAIM,      "search.claim_file", file_claim,   file_claimed,       "keep a file from being removed") \
    X(29, FILE_RELEASE,    "search.release_file", file_claimed, empty,            "a claim ends; what nothing refers to goes") \
    X(40, GRAPH_SCHEMA,    "graph.schema",    empty,          graph_schema_reply, "labels, types, counts")       \
    X(41, GRAPH_NODE,      "graph.node",      graph_ref,      graph_node_reply,   "a node, and how many relationships it has") \
    X(42, GRAPH_LABEL,     "graph.label",     graph_label_query, graph_node_page, "a page of the nodes of a label") \
    X(43, GRAPH_NEIGHBOURS, "graph.neighbours", graph_neighbours_query, graph_neighbours, "relationships of a node and what they lead to") \
    X(44, GRAPH_PATH,      "graph.path",      graph_path_query, graph_path_reply, "a shortest path between two nodes") \
    X(45, GRAPH_SUBGRAPH,  "graph.subgraph",  graph_subgraph_query, graph_subgraph, "what lies around a node") \
    X(50, BACKUP_LIST,     "backup.list",     empty,          backup_list_reply,  "backup sets, newest first") \
    X(60, JOB_CREATE,      "jobs.create",     job_new,        job,                "a job that takes items")      \
    X(61, JOB_APPEND,      "jobs.append",     job_append,     job_appended,       "items for a job, or its last") \
    X(62, JOB_GET,         "jobs.get",        job_ref,        job,                "what has become of a job")    \
    X(63, JOB_LIST,        "jobs.list",       job_list,       job_page,           "a page of jobs, no errors")   \
    X(64, JOB_CANCEL,      "jobs.cancel",     job_ref,        job,                "end a job")                   \
    X(65, JOB_RETRY,       "jobs.retry",      job_ref,        job,                "what failed again")           \
    X(66, JOB_WAIT,        "jobs.wait",       job_wait,       job,                "a job when it has changed")   \
    X(70, EMBEDDER_MODEL,  "embedder.model",  model_request,  models_reply,       "one model, opened for it where that is possible") \
    X(71, GENERATIONS,     "search.generations", empty,       generation_reply,   "the generations of vectors") \
    X(72, REINDEX,         "search.reindex",  reindex_request, generation_reply,  "build a generation: a job") \
    X(73, GENERATION_ACTIVATE, "search.activate", generation_ref, generation_reply, "make a generation live") \
    X(74, GENERATION_DROP, "search.drop_generation", generation_ref, generation_reply, "remove a generation: a job") \
    X(75, GENERATION_COMPARE, "search.compare_generations", generation_compare, generation_reply, "compare two: a job") \
    X(80, COLLECTION_LIST, "search.collections", collection_list, collection_page, "a page of collections") \
    X(81, COLLECTION_PUT,  "search.put_collection", collection, collection,         "define a collection") \
    X(82, COLLECTION_DELETE, "search.delete_collection", collection_delete, collection_gone, "delete a collection") \
    X(84, ACCESS_EXPLAIN,  "search.access",   access_query,   access_reply,       "who may read a document, and why") \
    X(85, DOCUMENT_REPORT, "search.report",   document_ref,   document_report,    "what was kept of a document")
/* clang-format on */

#define METHOD_ENUM(id, constant, name, request, reply, meaning) METHOD_##constant = (id),
enum method { METHODS(METHOD_ENUM) };
#undef METHOD_ENUM

#endif
