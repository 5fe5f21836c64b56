/* documents, files and searches: see proto/messages.h. */
#ifndef PROTO_MESSAGES_SEARCH_H
#define PROTO_MESSAGES_SEARCH_H

/* clang-format off */
#define SECTION(F)                                                                  \
    F(str,  title,              2048, _)                                            \
    F(str,  text,     PROTO_TEXT_MAX, _)                                            \
    F(u32,  page_number,  UINT32_MAX, _)

/* metadata: a JSON object; department, campus, priority, clearance_level and last_reviewed
 * are columns, the rest is kept as it is. Times are Unix seconds. has_file: it was made of a
 * file, which is kept; in answers only. */
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
    F(str,  content_hash,         64, _)                                            \
    F(flag, has_file,              0, _)

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

/* sort: at most four of `id`, `title` and dotted names of the metadata, "-" in front for
 * descending. page and per_page within the first 10,000. title: only documents whose title
 * or id has each of its words, in any case, marks or no marks. */
#define DOCUMENT_QUERY(F)                                                           \
    F(json, filters,           65536, _)                                            \
    F(strs, sort,                  4, _)                                            \
    F(u32,  page,              10000, _)                                            \
    F(u32,  per_page,            100, _)                                            \
    F(str,  title,               512, _)

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
 * result. facets: count what matches by the values of facet_fields (none: of those that
 * divide it), facet_values of each (0: 10). */
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
    F(flag, merge,                 0, _)                                            \
    F(flag, facets,                0, _)                                            \
    F(strs, facet_fields,         16, _)                                            \
    F(u32,  facet_values,         50, _)

/* A term of the query that the glossary knows, and what it is called otherwise. kind:
 * what it is there: acronym, synonym, preferred. */
#define SEARCH_EXPANSION(F)                                                         \
    F(str,  term,                256, _)                                            \
    F(strs, added,                 8, _)                                            \
    F(str,  kind,                 16, _)

/* merged: the passages that are joined in `text`, in reading order; none: it is one.
 * boost: what priority and campus added to combined_score. has_file: of the document. */
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
    F(f64,  boost,                 0, _)                                            \
    F(flag, has_file,              0, _)

#define SEARCH_RESULTS(F)                                                           \
    F(list, hits,               1000, search_hit)                                   \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(u32,  mode,                  2, _)                                            \
    F(strs, degraded,              8, _)                                            \
    F(json, plan,               8192, _)                                            \
    F(u64,  duration_us,  UINT64_MAX, _)                                            \
    F(str,  fingerprint,          64, _)                                            \
    F(list, expanded,             16, search_expansion)                             \
    F(u64,  generation,   UINT64_MAX, _)                                            \
    F(json, facets,           262144, _)

/* passage: the page that this one is on, instead of `page`. */
#define PASSAGE_LIST(F)                                                             \
    F(str,  document_id,         256, _)                                            \
    F(u32,  page,        UINT32_MAX,  _)                                            \
    F(u32,  per_page,            100, _)                                            \
    F(str,  passage,             320, _)

#define PASSAGE(F)                                                                  \
    F(str,  chunk_id,            320, _)                                            \
    F(str,  section_title,      4096, _)                                            \
    F(str,  text,            1048576, _)                                            \
    F(u32,  page_number,  UINT32_MAX, _)

#define PASSAGE_PAGE(F)                                                             \
    F(list, passages,            100, passage)                                      \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(u32,  page,         UINT32_MAX, _)

/* What may be meant by what is typed so far. terms: of the glossary, too. */
#define SUGGEST_QUERY(F)                                                            \
    F(str,  query,              2048, _)                                            \
    F(u32,  limit,                20, _)                                            \
    F(flag, terms,                 0, _)

/* kind: 0 the title of a document, 1 a term of the glossary, 2 the query with its last
 * word completed. id: of the document or the term. */
#define SUGGESTION(F)                                                               \
    F(str,  text,               4096, _)                                            \
    F(u32,  kind,                  2, _)                                            \
    F(str,  id,                  256, _)

/* degraded: what could not be asked: "titles", "words", "terms". */
#define SUGGESTIONS(F)                                                              \
    F(list, suggestions,          20, suggestion)                                   \
    F(strs, degraded,              3, _)

#define MESSAGES_SEARCH(M)                        \
    M(20, section, SECTION)                       \
    M(21, document, DOCUMENT)                     \
    M(22, document_put, DOCUMENT_PUT)             \
    M(23, document_put_reply, DOCUMENT_PUT_REPLY) \
    M(24, document_ref, DOCUMENT_REF)             \
    M(25, document_list, DOCUMENT_LIST)           \
    M(26, document_page, DOCUMENT_PAGE)           \
    M(200, document_query, DOCUMENT_QUERY)        \
    M(27, document_gone, DOCUMENT_GONE)           \
    M(28, view_wait, VIEW_WAIT)                   \
    M(29, view_shown, VIEW_SHOWN)                 \
    M(30, search_query, SEARCH_QUERY)             \
    M(31, search_hit, SEARCH_HIT)                 \
    M(33, search_expansion, SEARCH_EXPANSION)     \
    M(32, search_results, SEARCH_RESULTS)         \
    M(34, file_put, FILE_PUT)                     \
    M(35, file_put_reply, FILE_PUT_REPLY)         \
    M(36, file_ref, FILE_REF)                     \
    M(37, file_info, FILE_INFO)                   \
    M(38, file_claim, FILE_CLAIM)                 \
    M(39, file_claimed, FILE_CLAIMED)             \
    M(244, passage_list, PASSAGE_LIST)            \
    M(245, passage, PASSAGE)                      \
    M(246, passage_page, PASSAGE_PAGE)            \
    M(254, suggest_query, SUGGEST_QUERY)          \
    M(255, suggestion, SUGGESTION)                \
    M(256, suggestions, SUGGESTIONS)

#define METHODS_SEARCH(X)                                                                                 \
    X(18, SEARCH_MODEL, "search.model", model_piece_ref, model_piece, "a piece of a fitted model's file") \
    X(20, SEARCH_QUERY, "search.query", search_query, search_results, "find passages")                    \
    X(21, DOCUMENT_PUT, "search.put", document_put, document_put_reply, "store or replace a document")    \
    X(22, DOCUMENT_GET, "search.get", document_ref, document, "read a document")                          \
    X(23, DOCUMENT_DELETE, "search.delete", document_ref, document_gone, "delete a document")             \
    X(24, DOCUMENT_LIST, "search.list", document_list, document_page, "a page of documents, no sections") \
    X(160, DOCUMENT_QUERY, "search.browse", document_query, document_page, "a page of documents by filter, in order") \
    X(192, PASSAGE_LIST, "search.passages", passage_list, passage_page, "a page of a document's passages") \
    X(197, SUGGEST, "search.suggest", suggest_query, suggestions, "what may be meant by what is typed so far") \
    X(25, VIEW_WAIT, "search.shown", view_wait, view_shown, "wait until the view shows a write")          \
    X(26, FILE_PUT, "search.put_file", file_put, file_put_reply, "make a document of a file")             \
    X(27, FILE_INFO, "search.file", file_ref, file_info, "the file of a document")                        \
    X(28, FILE_CLAIM, "search.claim_file", file_claim, file_claimed, "keep a file from being removed")    \
    X(29, FILE_RELEASE, "search.release_file", file_claimed, empty, "a claim ends; what nothing refers to goes")
/* clang-format on */

#endif
