/* generations of vectors: see proto/messages.h. */
#ifndef PROTO_MESSAGES_GENERATIONS_H
#define PROTO_MESSAGES_GENERATIONS_H

/* clang-format off */
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

#define MESSAGES_GENERATIONS(M)                   \
    M(71, reindex_request, REINDEX_REQUEST)       \
    M(72, generation_ref, GENERATION_REF)         \
    M(73, generation_compare, GENERATION_COMPARE) \
    M(74, generation_reply, GENERATION_REPLY)

#define METHODS_GENERATIONS(X)                                                                                       \
    X(71, GENERATIONS, "search.generations", empty, generation_reply, "the generations of vectors")                  \
    X(72, REINDEX, "search.reindex", reindex_request, generation_reply, "build a generation: a job")                 \
    X(73, GENERATION_ACTIVATE, "search.activate", generation_ref, generation_reply, "make a generation live")        \
    X(74, GENERATION_DROP, "search.drop_generation", generation_ref, generation_reply, "remove a generation: a job") \
    X(75, GENERATION_COMPARE, "search.compare_generations", generation_compare, generation_reply, "compare two: a job")
/* clang-format on */

#endif
