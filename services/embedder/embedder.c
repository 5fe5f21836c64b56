#include "services/embedder/embedder.h"

#include <jansson.h>
#include <stdlib.h>

void embedder_report(struct embedder *embedder)
{
    const struct provider *provider = embedder->shelf.models[0]->provider;
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
