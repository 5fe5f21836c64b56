#include "services/embedder/embedder.h"

#include <jansson.h>
#include <stdlib.h>

#include "services/embedder/provider/builtin.h"
#include "services/embedder/provider/ollama.h"
#include "shared/log.h"

static enum sh_err open_ollama(const struct embedder_config *config, uv_loop_t *loop,
                               struct provider **out)
{
    return ollama_create(loop,
                         &(struct ollama_options){
                             .url = config->url,
                             .model = config->model,
                             .query_prefix = config->query_prefix,
                             .document_prefix = config->document_prefix,
                             .timeout_ms = (uint64_t)(config->timeout_s * 1000),
                             .batch_texts = config->batch_size,
                             .batch_bytes = config->batch_chars,
                             .concurrency = config->concurrency,
                             .retries = config->retries,
                             .breaker_failures = config->breaker_failures,
                         },
                         out);
}

static enum sh_err open_builtin(const struct embedder_config *config, uv_loop_t *loop,
                                struct provider **out)
{
    return builtin_create(loop,
                          &(struct builtin_options){
                              .model = config->model,
                              .model_dir = config->model_dir,
                              .kernel = config->kernel,
                              .threads = config->threads,
                          },
                          out);
}

enum sh_err embedder_open_provider(struct embedder *embedder, uv_loop_t *loop)
{
    const struct embedder_config *config = &embedder->config;
    bool remote = strcmp(config->provider, "ollama") == 0;
    enum sh_err err = remote ? open_ollama(config, loop, &embedder->provider)
                             : open_builtin(config, loop, &embedder->provider);
    if (err != SH_OK)
        sh_error(NULL, "EMBEDDING_PROVIDER=%s cannot start: %s", config->provider,
                 sh_err_text(err));
    return err;
}

void embedder_report(struct embedder *embedder)
{
    const struct provider *provider = embedder->provider;
    const struct card *card = &provider->card;
    json_t *json = json_pack("{s:s, s:s, s:i, s:s}", "provider", card->provider, "model",
                             card->name, "embedding_length", (int)card->dimension,
                             "fingerprint", card->fingerprint);
    char *detail = json ? json_dumps(json, JSON_COMPACT) : NULL;
    json_decref(json);
    bool lexical = provider->ready && strcmp(card->name, "hashing") == 0;
    const char *words = provider->why;
    if (lexical)
        words = "the hashing model serves: it matches words, not meaning";
    sh_health_set(embedder->model_check,
                  provider->ready && provider->known ? SH_HEALTHY : SH_UNHEALTHY,
                  provider->response_time_s, words, detail);
    free(detail); /* jansson's */
}
