/* vectors of texts, and models that are fitted to them: see proto/messages.h. */
#ifndef PROTO_MESSAGES_EMBEDDER_H
#define PROTO_MESSAGES_EMBEDDER_H

/* clang-format off */
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

/* --- a model fitted to the corpus ------------------------------------------------- */
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

#define MESSAGES_EMBEDDER(M)                \
    M(10, embed_request, EMBED_REQUEST)     \
    M(11, embed_failure, EMBED_FAILURE)     \
    M(12, embed_reply, EMBED_REPLY)         \
    M(13, model_card, MODEL_CARD)           \
    M(14, models_reply, MODELS_REPLY)       \
    M(15, fit_session, FIT_SESSION)         \
    M(16, fit_texts, FIT_TEXTS)             \
    M(17, fit_state, FIT_STATE)             \
    M(18, model_piece_ref, MODEL_PIECE_REF) \
    M(19, model_piece, MODEL_PIECE)         \
    M(70, model_request, MODEL_REQUEST)

#define METHODS_EMBEDDER(X)                                                                                  \
    X(10, EMBEDDER_EMBED, "embedder.embed", embed_request, embed_reply, "vectors of texts")                  \
    X(11, EMBEDDER_MODELS, "embedder.models", empty, models_reply, "the models at hand, default first")      \
    X(12, FIT_BEGIN, "embedder.fit_begin", fit_session, fit_state, "a model is to be fitted to texts")       \
    X(13, FIT_ADD, "embedder.fit_add", fit_texts, fit_state, "some of the texts")                            \
    X(14, FIT_END, "embedder.fit_end", fit_session, fit_state, "there are no more: fit")                     \
    X(15, FIT_STATE, "embedder.fit_state", fit_session, fit_state, "how far it is")                          \
    X(16, FIT_FILE, "embedder.fit_file", model_piece_ref, model_piece, "a piece of the fitted model's file") \
    X(17, FIT_DROP, "embedder.fit_drop", fit_session, fit_state, "the fit is not wanted any more")           \
    X(70, EMBEDDER_MODEL, "embedder.model", model_request, models_reply, "one model, opened for it where that is possible")       \
    X(190, EMBEDDER_FORGET, "embedder.forget", model_request, empty, "its vectors were dropped: closed, unless it is the default")
/* clang-format on */

#endif
