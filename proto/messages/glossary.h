/* the glossary: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GLOSSARY_H
#define PROTO_MESSAGES_GLOSSARY_H

/* clang-format off */
/* status: draft, validated or deprecated. sense: tells homonyms of one language and domain
 * apart. highlight: the definition with the words that were searched for marked. Times are
 * Unix seconds. */
#define GLOSSARY_TERM(F)                                                            \
    F(str,  id,                  256, _)                                            \
    F(str,  term,               2048, _)                                            \
    F(str,  definition,        65536, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  domain,              256, _)                                            \
    F(str,  part_of_speech,       64, _)                                            \
    F(str,  source,             1024, _)                                            \
    F(str,  status,               16, _)                                            \
    F(str,  sense,               256, _)                                            \
    F(u32,  clearance_level,       5, _)                                            \
    F(str,  department,          256, _)                                            \
    F(json, metadata,          65536, _)                                            \
    F(f64,  created_at,            0, _)                                            \
    F(f64,  updated_at,            0, _)                                            \
    F(str,  highlight,         65536, _)                                            \
    F(f64,  score,                 0, _)

/* term: one. create: it must not be there; otherwise it must. may_validate: the caller may
 * write what is not a draft, or make it so. */
#define GLOSSARY_PUT(F)                                                             \
    F(list, term,                  1, glossary_term)                                \
    F(flag, create,                0, _)                                            \
    F(flag, may_validate,          0, _)

#define GLOSSARY_STORED(F)                                                          \
    F(list, term,                  1, glossary_term)                                \
    F(u64,  xid,          UINT64_MAX, _)

#define GLOSSARY_REF(F)                                                             \
    F(str,  id,                  256, _)                                            \
    F(flag, may_validate,          0, _)

/* Empty: any. sort: term, -term, updated_at, -updated_at; with q empty: by relevance. */
#define GLOSSARY_LIST(F)                                                            \
    F(str,  q,                  2048, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  domain,              256, _)                                            \
    F(str,  status,               16, _)                                            \
    F(str,  sort,                 16, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,           1000, _)

#define GLOSSARY_PAGE(F)                                                            \
    F(list, terms,              1000, glossary_term)                                \
    F(u64,  total,        UINT64_MAX, _)

#define GLOSSARY_GONE(F)                                                            \
    F(flag, deleted,               0, _)                                            \
    F(u64,  xid,          UINT64_MAX, _)

/* What cairn-extract writes to its pipe of a file of terms. terms: an array of objects,
 * "line" and the fields of a term; links: an array of [id, [type, id], ...]; errors: what
 * is wrong with those that are not in it. rows: all of them. */
#define GLOSSARY_BATCH(F)                                                           \
    F(u64,  rows,         UINT64_MAX, _)                                            \
    F(json, terms,           4194304, _)                                            \
    F(json, links,           4194304, _)                                            \
    F(list, errors,              500, job_error)

/* A file of the store, which the caller has claimed: its terms are to be stored, by a job
 * of the caller's rights, which ends the claim. format: csv, xlsx, json, tbx or skos. */
#define GLOSSARY_IMPORT(F)                                                          \
    F(str,  hash,                 64, _)                                            \
    F(u64,  claim,        UINT64_MAX, _)                                            \
    F(str,  format,               16, _)                                            \
    F(flag, may_validate,          0, _)

/* From the beginning (cursor empty), or where the piece before ended. format: as above. */
#define GLOSSARY_EXPORT(F)                                                          \
    F(str,  format,               16, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  domain,              256, _)                                            \
    F(str,  status,               16, _)                                            \
    F(bytes, cursor,            4096, _)

/* cursor empty: there is no more. */
#define GLOSSARY_PIECE(F)                                                           \
    F(bytes, piece,   PROTO_TEXT_MAX, _)                                            \
    F(bytes, cursor,            4096, _)

#define MESSAGES_GLOSSARY(M)                \
    M(150, glossary_term, GLOSSARY_TERM)    \
    M(151, glossary_put, GLOSSARY_PUT)      \
    M(152, glossary_stored, GLOSSARY_STORED) \
    M(153, glossary_ref, GLOSSARY_REF)      \
    M(154, glossary_list, GLOSSARY_LIST)    \
    M(155, glossary_page, GLOSSARY_PAGE)    \
    M(156, glossary_gone, GLOSSARY_GONE)    \
    M(157, glossary_batch, GLOSSARY_BATCH)  \
    M(158, glossary_import, GLOSSARY_IMPORT) \
    M(159, glossary_export, GLOSSARY_EXPORT) \
    M(160, glossary_piece, GLOSSARY_PIECE)

#define METHODS_GLOSSARY(X)                                                                            \
    X(120, GLOSSARY_LIST, "glossary.list", glossary_list, glossary_page, "a page of terms, or a search") \
    X(121, GLOSSARY_GET, "glossary.get", glossary_ref, glossary_page, "one term, if it is there")        \
    X(122, GLOSSARY_PUT, "glossary.put", glossary_put, glossary_stored, "store a term")                  \
    X(123, GLOSSARY_DELETE, "glossary.delete", glossary_ref, glossary_gone, "delete a term")             \
    X(124, GLOSSARY_IMPORT, "glossary.import", glossary_import, job_ref, "a job that stores the terms of a file") \
    X(125, GLOSSARY_EXPORT, "glossary.export", glossary_export, glossary_piece, "a piece of a file of terms")
/* clang-format on */

#endif
