/* settings: what an operator can set for the search service; struct, defaults, checks,
 * --help and docs/configuration.md come from the table. */
#ifndef SEARCH_SETTINGS_H
#define SEARCH_SETTINGS_H

#include "shared/changefeed.h"
#include "shared/config.h"
#include "shared/snapshot_keeper.h"

#define SEARCH_SETTINGS(S)                                                               \
    S(choice, backend, "SEARCH_BACKEND", "memory", 0, 0, 0, "memory|pgvector",           \
      "what answers searches: every replica from its memory, or PostgreSQL with the "    \
      "pgvector extension (0.8 or newer)")                                               \
    S(choice, pgvector_type, "PGVECTOR_TYPE", "halfvec", 0, 0, 0, "vector|halfvec",      \
      "what the index of pgvector holds: halfvec is half as large; what is found is "    \
      "scored by full vectors in any case")                                              \
    S(choice, pgvector_iterative, "PGVECTOR_ITERATIVE_SCAN", "relaxed_order", 0, 0, 0,   \
      "relaxed_order|strict_order",                                                      \
      "how pgvector goes on where a filter left too few (hnsw.iterative_scan)")          \
    S(u32, pgvector_ef_search, "PGVECTOR_EF_SEARCH", "256", 1, 1000, 0, "",              \
      "candidates that pgvector's index keeps (hnsw.ef_search)")                         \
    S(u32, pgvector_scan_max, "PGVECTOR_SCAN_MAX", "5000", 0, 1000000, 0, "",            \
      "passages left by a filter up to which pgvector compares them all, without index") \
    S(str, embedder_endpoints, "EMBEDDER_ENDPOINTS", "tcp://127.0.0.1:5602", 1, 4096, 0, \
      "", "where the embedder listens: tcp://host:port,… or ipc://path")                 \
    S(u32, search_threads, "SEARCH_THREADS", "0", 0, 256, 0, "",                         \
      "threads that answer queries; 0: one per core")                                    \
    S(u32, search_queue, "SEARCH_QUEUE_MAX", "512", 1, 65536, 0, "",                     \
      "queries that may wait for a thread; more are refused as overload")                \
    S(u32, query_vectors, "QUERY_VECTORS", "4096", 0, 1000000, 0, "",                    \
      "vectors of questions that are kept, so that one asked again is not embedded "     \
      "again; 0: none")                                                                  \
    S(u32, ingest_concurrency, "INGEST_CONCURRENCY", "8", 1, 256, 0, "",                 \
      "documents that requests store at the same time; more wait. Of jobs up to 32 "     \
      "times as many while they are small, written many at once")                        \
    S(u32, ingest_queue_mb, "INGEST_QUEUE_MB", "256", 1, 65536, 0, "",                   \
      "most megabytes of documents under way or waiting; more are refused as overload")  \
    S(flag, generation_auto, "GENERATION_AUTO", "true", 0, 0, 0, "",                     \
      "when the embedder has the live generation's model no more: build one of its "     \
      "default model and make it live when it is complete; until then searches use "     \
      "words only")                                                                      \
    S(u32, reindex_rate, "REINDEX_RATE", "0", 0, 1000000, 0, "",                         \
      "passages a second that this replica embeds at most for a generation that is "     \
      "built beside the live one; 0: as REINDEX_SHARE allows")                           \
    S(f64, reindex_share, "REINDEX_SHARE", "0.5", 0.01, 1, 0, "",                        \
      "share of the time in which it does so")                                           \
    S(u32, chunk_tokens, "CHUNK_TOKENS", "400", 32, 8192, 0, "",                         \
      "size aimed at for a passage, in tokens")                                          \
    S(u32, chunk_overlap, "CHUNK_OVERLAP_PERCENT", "15", 0, 50, 0, "",                   \
      "how much of a passage is repeated in the next one")                               \
    S(f64, duplicates, "DUPLICATE_SIMILARITY", "0.85", 0.5, 1, 0, "",                    \
      "share of three-word runs in common from which on a passage is marked as a "       \
      "near-duplicate; it holds for passages stored from then on")                       \
    S(choice, vector_codes, "VECTOR_CODES", "int8", 0, 0, 0, "int8|f16|f32",             \
      "how the vector index stores vectors: int8 is four times smaller and faster; "     \
      "what is found is scored by full vectors in any case")                             \
    S(u32, vector_links, "VECTOR_LINKS", "16", 2, 128, 0, "",                            \
      "neighbours of a vector in the index (M); more find better and take more memory")  \
    S(u32, vector_ef_construction, "VECTOR_EF_CONSTRUCTION", "200", 1, 4096, 0, "",      \
      "candidates looked at for the neighbours of a new vector; more take longer")       \
    S(u32, vector_ef_search, "VECTOR_EF_SEARCH", "256", 1, 4096, 0, "",                  \
      "candidates that a search by the index keeps; more find better and take longer")   \
    S(f64, text_k1, "TEXT_K1", "1.2", 0, 10, 0, "",                                      \
      "how much it counts that a word stands in a passage again and again (k1 of BM25)") \
    S(f64, text_b, "TEXT_B", "0.75", 0, 1, 0, "",                                        \
      "how much long passages must have more of a word than short ones (b of BM25)")     \
    S(f64, text_title, "TEXT_WEIGHT_TITLE", "2.5", 0, 100, 0, "",                        \
      "what a word in the title counts; 0: nothing")                                     \
    S(f64, text_heading, "TEXT_WEIGHT_HEADING", "1.5", 0, 100, 0, "",                    \
      "what a word in a heading counts")                                                 \
    S(f64, text_body, "TEXT_WEIGHT_BODY", "1", 0, 100, 0, "",                            \
      "what a word in the text itself counts")                                           \
    SH_CHANGEFEED_SETTINGS(S)                                                            \
    SH_KEEPER_SETTINGS(S, "SEARCH_DATA_DIR", "view", "documents change")                 \
    S(u32, lsa_fit_chunks, "LSA_FIT_CHUNKS", "200000", 0, 1000000000, 0, "",             \
      "most passages that builtin:lsa is fitted to; of more a share is taken; 0: all")   \
    S(u32, lsa_refit_s, "LSA_REFIT_INTERVAL", "60", 1, 86400, 0, "",                     \
      "seconds between looks at how far it has grown")                                   \
    S(f64, lsa_refit_growth, "LSA_REFIT_GROWTH", "0.5", 0, 1000, 0, "",                  \
      "builtin:lsa is fitted anew when the corpus has grown by this share; 0: never")    \
    S(f64, boost_score, "BOOST_SCORE", "0.8", 0, 1, 0, "",                               \
      "share of the fused score in combined_score; the boosts are added to it")          \
    S(f64, boost_priority, "BOOST_PRIORITY", "0.01", 0, 1, 0, "",                        \
      "added for each step of a document's priority (0 to 5)")                           \
    S(f64, boost_central, "BOOST_CAMPUS_CENTRAL", "0.1", 0, 1, 0, "",                    \
      "added on the Central Campus to its own documents")                                \
    S(f64, boost_kings_buildings, "BOOST_CAMPUS_KINGS_BUILDINGS", "0.1", 0, 1, 0, "",    \
      "added at King's Buildings to its own documents")                                  \
    S(f64, boost_easter_bush, "BOOST_CAMPUS_EASTER_BUSH", "0.05", 0, 1, 0, "",           \
      "added at Easter Bush to its own documents")                                       \
    S(f64, boost_western_general, "BOOST_CAMPUS_WESTERN_GENERAL", "0.05", 0, 1, 0, "",   \
      "added at the Western General to its own documents")                               \
    S(url, rerank_url, "RERANK_URL", "", 0, 4096, SH_HTTP, "",                           \
      "re-ranking endpoint, the whole URL; empty: none")                                 \
    S(choice, rerank_shape, "RERANK_SHAPE", "tei", 0, 0, 0, "tei|cohere",                \
      "what it speaks: Text Embeddings Inference, or Cohere's shape (vLLM, Jina, …)")    \
    S(str, rerank_model, "RERANK_MODEL", "", 0, 256, 0, "",                              \
      "model named to it in Cohere's shape; empty: none")                                \
    S(str, rerank_api_key, "RERANK_API_KEY", "", 0, 1024, SH_SECRET, "",                 \
      "sent to it as a bearer token")                                                    \
    S(u32, rerank_timeout_ms, "RERANK_TIMEOUT_MS", "500", 1, 60000, 0, "",               \
      "time it has; then the order stands as it was and `degraded` says so")             \
    S(str, deepl_api_key, "DEEPL_API_KEY", "", 0, 1024, SH_SECRET, "",                   \
      "key of DeepL for looking terms up; empty: DeepL is not asked")                    \
    S(url, deepl_url, "DEEPL_URL", "https://api-free.deepl.com/v2/translate", 0, 4096,   \
      SH_HTTP, "", "where DeepL is asked, the whole URL")                                \
    S(url, iate_url, "IATE_URL", "", 0, 4096, SH_HTTP, "",                               \
      "where IATE is asked for terms (…/em-api/entries/_search); empty: it is not "    \
      "asked")                                                                           \
    S(str, iate_api_key, "IATE_API_KEY", "", 0, 1024, SH_SECRET, "",                     \
      "sent to it as a bearer token; empty: none")                                       \
    S(u32, lookup_timeout_ms, "LOOKUP_TIMEOUT_MS", "5000", 1, 25000, 0, "",              \
      "time that these services have for an answer")                                     \
    S(u32, lookup_ttl_s, "LOOKUP_TTL_SECONDS", "2592000", 0, 315360000, 0, "",           \
      "how long their answers are kept and given again; 0: not at all")                  \
    S(f64, shadow_rate, "SHADOW_RECALL_RATE", "0.01", 0, 1, 0, "",                       \
      "share of the searches whose vector leg is checked against an exact scan, in the " \
      "background and as far as there is time")                                          \
    S(u32, rerank_top, "RERANK_TOP", "32", 2, 200, 0, "",                                \
      "so many of the first results are re-ranked; Text Embeddings Inference takes 32 "  \
      "unless it was told otherwise")

struct search_config {
    SEARCH_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings search_settings(struct search_config *into);

#endif
