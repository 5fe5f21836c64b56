#include "services/search/view/view_legs.h"
#include "services/search/view/view_results.h"

static struct group_passage passage_of(const void *arg, uint32_t slot)
{
    const struct search *search = arg;
    const struct slot *at = &search->view->slots[slot];
    return (struct group_passage){at->document, at->chunk->ordinal, at->chunk->text.len};
}

static enum sh_err rank_and_group(struct search *search, size_t depth, size_t wanted,
                                  struct fusion_result *fused)
{
    const struct search_query *query = search->query;
    const struct group_options options = {query->merge, query->per_document, passage_of,
                                          search};
    search->depth = depth;
    enum sh_err err = search_rank(search, fused);
    return err == SH_OK
               ? groups_make(fused, &options, wanted, &search->scratch, &search->groups)
               : err;
}

/* How many passages are looked at does not change what came of those before, so it may
 * depend on how many results are asked for. */
enum sh_err search_group(struct search *search, struct fusion_result *fused)
{
    const struct search_query *query = search->query;
    size_t wanted = (size_t)query->offset + query->max_results;
    size_t depth = query->merge ? wanted + GROUP_POOL : wanted;
    if (query->per_document > 0) {
        size_t most = search->allowed_count > VIEW_COMPLETE ? search->candidates
                                                            : search->allowed_count;
        depth = depth > most ? depth : most;
    }
    enum sh_err err = rank_and_group(search, depth, wanted, fused);
    /* perhaps a few documents have all the best passages */
    if (err == SH_OK && query->per_document > 0 && search->groups.count < wanted &&
        depth < search->allowed_count)
        err = rank_and_group(search, search->allowed_count, wanted, fused);
    return err;
}

/* --- one result of several passages ----------------------------------------------- */

static enum sh_err name_passages(const struct search *search, const struct group *group,
                                 struct search_hit *hit)
{
    struct sh_bytes *names = sh_arena_array(search->arena, group->count, sizeof(*names));
    if (!names)
        return SH_NOMEM;
    for (uint32_t i = 0; i < group->count; i++) {
        const struct slot *slot = &search->view->slots[group->slots[i]];
        names[i] = sh_arena_copy(search->arena, slot->chunk->chunk_id);
        if (!names[i].data)
            return SH_NOMEM;
    }
    hit->merged = names;
    hit->merged_count = group->count;
    return SH_OK;
}

enum sh_err group_fill(struct search *search, const struct group *group,
                       struct search_hit *hit)
{
    struct sh_bytes texts[GROUP_MOST];
    const struct stored_chunk *first = search->view->slots[group->slots[0]].chunk;
    if (group->count < 2)
        return SH_OK;
    for (uint32_t i = 0; i < group->count; i++)
        texts[i] = search->view->slots[group->slots[i]].chunk->text;
    hit->section_title = first->section_title;
    hit->page_number = first->page_number;
    enum sh_err err = group_join(texts, group->count, &search->scratch, &hit->text);
    return err == SH_OK ? name_passages(search, group, hit) : err;
}
