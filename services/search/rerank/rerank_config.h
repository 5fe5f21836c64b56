/* rerank_config: the re-ranker that the settings ask for. */
#ifndef SEARCH_RERANK_CONFIG_H
#define SEARCH_RERANK_CONFIG_H

#include "services/search/rerank/rerank.h"
#include "services/search/settings.h"

/* *out stays NULL when none is asked for. Errors: those of reranker_create(). */
SH_CHECK enum sh_err reranker_of_settings(uv_loop_t *loop,
                                          const struct search_config *config,
                                          struct reranker **out);

#endif
