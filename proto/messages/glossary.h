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

/* Empty: any. sort: term, -term, updated_at, -updated_at; with q empty: by relevance.
 * mode: text (when empty), semantic or hybrid: how q is looked for. */
#define GLOSSARY_LIST(F)                                                            \
    F(str,  q,                  2048, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  domain,              256, _)                                            \
    F(str,  status,               16, _)                                            \
    F(str,  sort,                 16, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,           1000, _)                                            \
    F(str,  mode,                 16, _)

/* degraded: what was not looked at: embedding (only words were), vectors (some entries
 * have none yet). */
#define GLOSSARY_PAGE(F)                                                            \
    F(list, terms,              1000, glossary_term)                                \
    F(u64,  total,        UINT64_MAX, _)                                            \
    F(strs, degraded,              4, _)

#define GLOSSARY_GONE(F)                                                            \
    F(flag, deleted,               0, _)                                            \
    F(u64,  xid,          UINT64_MAX, _)

/* What cairn-extract writes to its pipe of a file of terms. terms: an array of objects,
 * "line" and the fields of a term; links: an array of [id, [type, id], ...]; errors: what
 * is wrong with those that are not in it. rows: all of them. total: rows of the file, as
 * far as it can be read. */
#define GLOSSARY_BATCH(F)                                                           \
    F(u64,  rows,         UINT64_MAX, _)                                            \
    F(json, terms,           4194304, _)                                            \
    F(json, links,           4194304, _)                                            \
    F(list, errors,              500, job_error)                                    \
    F(u64,  total,        UINT64_MAX, _)

/* A file of the store, which the caller has claimed: its terms are to be stored, by a job
 * of the caller's rights, which ends the claim. format: csv, xlsx, json, tbx or skos. */
#define GLOSSARY_IMPORT(F)                                                          \
    F(str,  hash,                 64, _)                                            \
    F(u64,  claim,        UINT64_MAX, _)                                            \
    F(str,  format,               16, _)                                            \
    F(flag, may_validate,          0, _)                                            \
    F(str,  file_name,           255, _)

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

/* Terms are to be looked for: in one document, in a collection, or (both empty) in all
 * documents that the caller may read. 0: as is usual. most: of each language and class of
 * rights. */
#define GLOSSARY_EXTRACT(F)                                                         \
    F(str,  document_id,         256, _)                                            \
    F(str,  collection,          256, _)                                            \
    F(str,  language,             64, _)                                            \
    F(u32,  min_frequency,   1000000, _)                                            \
    F(u32,  most,              10000, _)

/* status: open, accepted (as the entry term_id) or rejected. contexts: an array of
 * {"document_id","title","before","form","after"}. */
#define GLOSSARY_CANDIDATE(F)                                                       \
    F(str,  id,                   64, _)                                            \
    F(str,  term,               2048, _)                                            \
    F(str,  language,             64, _)                                            \
    F(u32,  words,                64, _)                                            \
    F(u64,  frequency,    UINT64_MAX, _)                                            \
    F(u64,  documents,    UINT64_MAX, _)                                            \
    F(f64,  score,                 0, _)                                            \
    F(str,  status,               16, _)                                            \
    F(str,  term_id,             256, _)                                            \
    F(json, contexts,          65536, _)

/* q: part of the term. kind: word, phrase, or empty. sort: score, frequency, documents or
 * term. */
#define GLOSSARY_CANDIDATE_LIST(F)                                                  \
    F(str,  q,                  2048, _)                                            \
    F(str,  language,             64, _)                                            \
    F(str,  status,               16, _)                                            \
    F(str,  kind,                 16, _)                                            \
    F(u32,  min_frequency,   1000000, _)                                            \
    F(str,  job_id,               64, _)                                            \
    F(str,  sort,                 16, _)                                            \
    F(u32,  page,         UINT32_MAX, _)                                            \
    F(u32,  per_page,            200, _)

#define GLOSSARY_CANDIDATE_PAGE(F)                                                  \
    F(list, candidates,          200, glossary_candidate)                           \
    F(u64,  total,        UINT64_MAX, _)

/* verdict: accepted, rejected or open. draft: members of the entry that are not to be as
 * they were found; none or one. */
#define GLOSSARY_JUDGE(F)                                                           \
    F(strs, ids,                 500, _)                                            \
    F(str,  verdict,              16, _)                                            \
    F(list, draft,                 1, glossary_term)

/* outcome: the verdict; not_found, conflict. */
#define GLOSSARY_VERDICT(F)                                                         \
    F(str,  id,                   64, _)                                            \
    F(str,  outcome,              16, _)                                            \
    F(str,  term_id,             256, _)

#define GLOSSARY_JUDGED(F)                                                          \
    F(list, verdicts,            500, glossary_verdict)

/* An outside service is asked. source: deepl or iate. from empty: it is to find out. */
#define GLOSSARY_LOOKUP(F)                                                          \
    F(str,  source,               16, _)                                            \
    F(str,  term,               2048, _)                                            \
    F(str,  from,                 64, _)                                            \
    F(str,  to,                   64, _)

/* answers: an array of {"term","language",…}. */
#define GLOSSARY_LOOKED(F)                                                          \
    F(json, answers,         1048576, _)                                            \
    F(flag, cached,                0, _)                                            \
    F(f64,  fetched_at,            0, _)

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
    M(160, glossary_piece, GLOSSARY_PIECE)  \
    M(161, glossary_extract, GLOSSARY_EXTRACT) \
    M(162, glossary_candidate, GLOSSARY_CANDIDATE) \
    M(163, glossary_candidate_list, GLOSSARY_CANDIDATE_LIST) \
    M(164, glossary_candidate_page, GLOSSARY_CANDIDATE_PAGE) \
    M(165, glossary_judge, GLOSSARY_JUDGE)  \
    M(166, glossary_verdict, GLOSSARY_VERDICT) \
    M(167, glossary_judged, GLOSSARY_JUDGED) \
    M(168, glossary_lookup, GLOSSARY_LOOKUP) \
    M(169, glossary_looked, GLOSSARY_LOOKED)

#define METHODS_GLOSSARY(X)                                                                            \
    X(120, GLOSSARY_LIST, "glossary.list", glossary_list, glossary_page, "a page of terms, or a search") \
    X(121, GLOSSARY_GET, "glossary.get", glossary_ref, glossary_page, "one term, if it is there")        \
    X(122, GLOSSARY_PUT, "glossary.put", glossary_put, glossary_stored, "store a term")                  \
    X(123, GLOSSARY_DELETE, "glossary.delete", glossary_ref, glossary_gone, "delete a term")             \
    X(124, GLOSSARY_IMPORT, "glossary.import", glossary_import, job_ref, "a job that stores the terms of a file") \
    X(125, GLOSSARY_EXPORT, "glossary.export", glossary_export, glossary_piece, "a piece of a file of terms") \
    X(126, GLOSSARY_EXTRACT, "glossary.extract", glossary_extract, job_ref, "a job that looks for terms in documents") \
    X(127, GLOSSARY_CANDIDATES, "glossary.candidates", glossary_candidate_list, glossary_candidate_page, "a page of what was found") \
    X(128, GLOSSARY_JUDGE, "glossary.judge", glossary_judge, glossary_judged, "accept, reject or reopen candidates") \
    X(129, GLOSSARY_LOOKUP, "glossary.lookup", glossary_lookup, glossary_looked, "what an outside service says of a term")
/* clang-format on */

#endif
