#include "services/search/answer_state.h"

#include <xxhash.h>

static uint64_t mix(uint64_t seed, const void *bytes, size_t len)
{
    return XXH3_64bits_withSeed(bytes, len, seed);
}

static uint64_t mix_text(uint64_t seed, const char *text)
{
    return mix(seed, text, strlen(text));
}

uint64_t answer_state_settings(const struct search_config *config)
{
    const double numbers[] = {
        config->text_k1,
        config->text_b,
        config->text_title,
        config->text_heading,
        config->text_body,
        config->boost_score,
        config->boost_priority,
        config->boost_central,
        config->boost_kings_buildings,
        config->boost_easter_bush,
        config->boost_western_general,
        config->vector_links,
        config->vector_ef_construction,
        config->vector_ef_search,
        config->rerank_top,
    };
    uint64_t value = mix_text(0, CAIRN_VERSION);

    value = mix(value, numbers, sizeof(numbers));
    value = mix_text(value, config->vector_codes);
    value = mix_text(value, config->rerank_url);
    value = mix_text(value, config->rerank_shape);
    return mix_text(value, config->rerank_model);
}

void answer_state_refresh(struct answer_state *self)
{
    uint64_t view = self->feed != NULL ? feed_generation(self->feed) : 0;
    const uint64_t parts[] = {
        view, self->glossary != NULL ? glossary_feed_version(self->glossary) : 0,
        self->settings};
    uint64_t value = view != 0 ? XXH3_64bits(parts, sizeof(parts)) : 0;

    self->querier->generation = value;
    sh_rpc_server_set_state(self->rpc, value);
}
