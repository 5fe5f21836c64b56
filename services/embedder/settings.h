/* settings: what the embedder can be told, besides what every service can. */
#ifndef EMBEDDER_SETTINGS_H
#define EMBEDDER_SETTINGS_H

#include "shared/config.h"

#define EMBEDDER_SETTINGS(S)                                                             \
    S(choice, provider, "EMBEDDING_PROVIDER", "builtin", 0, 0, 0, "builtin|ollama",      \
      "where vectors come from: this process, or an Ollama-compatible endpoint")         \
    S(str, model, "EMBEDDING_MODEL", "", 0, 256, 0, "",                                  \
      "builtin: use-lite or hashing, empty takes the best at hand; ollama: required")    \
    S(str, query_prefix, "EMBEDDING_QUERY_PREFIX", "auto", 0, 1024, 0, "",               \
      "put before queries; auto: what the model is known to want")                       \
    S(str, document_prefix, "EMBEDDING_DOCUMENT_PREFIX", "auto", 0, 1024, 0, "",         \
      "put before documents; auto: what the model is known to want")                     \
    S(str, model_dir, "MODEL_DIR", "var/models/use-lite", 1, 4000, 0, "",                \
      "where scripts/fetch-model.sh left use-lite.pack")                                 \
    S(str, fitted_dir, "FITTED_MODEL_DIR", "var/models/fitted", 1, 4000, 0, "",          \
      "where files of models that were fitted to the corpus are kept; they are fetched " \
      "from search when they are not there")                                             \
    S(str, search_endpoints, "SEARCH_ENDPOINTS", "", 0, 4096, 0, "",                     \
      "where search listens, which keeps fitted models; empty: none are fetched")        \
    S(u32, fit_mb, "EMBEDDER_FIT_MB", "1536", 64, 1048576, 0, "",                        \
      "most megabytes that fitting a model to the corpus may take")                      \
    S(u32, threads, "EMBEDDER_THREADS", "0", 0, 256, 0, "",                              \
      "threads of the built-in model; 0: one per core")                                  \
    S(choice, kernel, "EMBEDDER_KERNEL", "auto", 0, 0, 0,                                \
      "auto|amx|vnni|avx512|avx2|generic", "instruction set of the built-in model")      \
    S(u32, queue_max, "EMBEDDER_QUEUE", "16384", 1, 1000000, 0, "",                      \
      "texts that may wait before requests are refused as overloaded")                   \
    S(u32, cache_mb, "EMBEDDING_CACHE_MB", "8", 0, 65536, 0, "",                         \
      "vectors kept in memory")                                                          \
    S(u32, cache_ttl_s, "EMBEDDING_CACHE_TTL", "604800", 1, 315360000, 0, "",            \
      "seconds that Redis keeps a vector")                                               \
    S(choice, cache_redis, "EMBEDDING_CACHE_REDIS", "auto", 0, 0, 0, "auto|on|off",      \
      "vectors in Redis; auto: all of a remote model's, of the built-in one only "       \
      "queries, since computing is as fast as asking")                                   \
    S(url, url, "EMBEDDING_URL", "http://localhost:11434/api/embed", 1, 4000, SH_HTTP,   \
      "", "the endpoint of provider ollama")                                             \
    S(f64, timeout_s, "EMBEDDING_TIMEOUT", "30", 0.05, 3600, 0, "",                      \
      "seconds that one call of the endpoint may take")                                  \
    S(u32, batch_size, "EMBEDDING_BATCH_SIZE", "10", 1, 1024, 0, "",                     \
      "texts sent to the endpoint in one call")                                          \
    S(u32, batch_chars, "EMBEDDING_BATCH_CHARS", "100000", 100, 10000000, 0, "",         \
      "bytes of text sent to the endpoint in one call")                                  \
    S(u32, concurrency, "EMBEDDING_CONCURRENCY", "4", 1, 256, 0, "",                     \
      "calls of the endpoint at a time")                                                 \
    S(u32, retries, "EMBEDDING_RETRIES", "2", 0, 10, 0, "",                              \
      "further attempts after a failed connection, 429 or 5xx")                          \
    S(u32, breaker_failures, "EMBEDDING_BREAKER_FAILURES", "5", 1, 1000, 0, "",          \
      "failures in a row that stop further calls; one probe a second then")

struct embedder_config {
    EMBEDDER_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings embedder_settings(struct embedder_config *into);

#endif
