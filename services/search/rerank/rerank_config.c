#include "services/search/rerank/rerank_config.h"

#include <string.h>

enum sh_err reranker_of_settings(uv_loop_t *loop, const struct search_config *config,
                                 struct reranker **out)
{
    bool cohere = strcmp(config->rerank_shape, "cohere") == 0;
    struct reranker_options options = {.url = config->rerank_url,
                                       .shape = cohere ? RERANK_COHERE : RERANK_TEI,
                                       .model = config->rerank_model,
                                       .api_key = config->rerank_api_key,
                                       .timeout_ms = config->rerank_timeout_ms,
                                       .top = config->rerank_top};

    if (config->rerank_url[0] == '\0')
        return SH_OK;
    return reranker_create(loop, &options, out);
}
