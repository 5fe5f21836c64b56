/* collections, who may read what, and what was kept of a text: see proto/messages.h. */
#ifndef PROTO_MESSAGES_COLLECTIONS_H
#define PROTO_MESSAGES_COLLECTIONS_H

/* clang-format off */
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

#define MESSAGES_COLLECTIONS(M)                 \
    M(80, collection, COLLECTION)               \
    M(81, collection_list, COLLECTION_LIST)     \
    M(82, collection_page, COLLECTION_PAGE)     \
    M(83, collection_delete, COLLECTION_DELETE) \
    M(84, collection_gone, COLLECTION_GONE)     \
    M(85, access_subject, ACCESS_SUBJECT)       \
    M(86, access_query, ACCESS_QUERY)           \
    M(87, access_verdict, ACCESS_VERDICT)       \
    M(88, access_reply, ACCESS_REPLY)           \
    M(89, document_report, DOCUMENT_REPORT)     \
    M(90, extract_end, EXTRACT_END)

#define METHODS_COLLECTIONS(X)                                                                                      \
    X(80, COLLECTION_LIST, "search.collections", collection_list, collection_page, "a page of collections")         \
    X(81, COLLECTION_PUT, "search.put_collection", collection, collection, "define a collection")                   \
    X(82, COLLECTION_DELETE, "search.delete_collection", collection_delete, collection_gone, "delete a collection") \
    X(84, ACCESS_EXPLAIN, "search.access", access_query, access_reply, "who may read a document, and why")          \
    X(85, DOCUMENT_REPORT, "search.report", document_ref, document_report, "what was kept of a document")
/* clang-format on */

#endif
