#include "services/graph/find/seen.h"

enum sh_err seen_take(const struct graph_version *version, struct seen *out)
{
    uint32_t count = version->nodes.page_count;
    *out = (struct seen){sh_alloc_array(count + 1, sizeof(*out->versions)), count};
    if (out->versions == NULL)
        return SH_NOMEM;
    for (uint32_t i = 0; i < count; i++)
        out->versions[i] = version->nodes.page[i]->version;
    return SH_OK;
}

void seen_free(struct seen *seen)
{
    sh_free(seen->versions);
    *seen = (struct seen){0};
}

uint32_t seen_differing(const struct seen *seen, const struct graph_version *version)
{
    uint32_t differing = 0;
    for (uint32_t i = 0; i < version->nodes.page_count; i++)
        differing += !seen_page(seen, version, i);
    return differing;
}
