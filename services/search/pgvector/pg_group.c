#include "services/search/pgvector/pg_search.h"

static int row_of(const struct pg_search *search, uint32_t slot)
{
    return search->shown_by_slot ? search->shown_by_slot[slot].row : -1;
}

static struct group_passage passage_of(const void *arg, uint32_t slot)
{
    const struct pg_search *search = arg;
    const struct pg_candidate *hit = &search->hits[slot];
    int row = row_of(search, slot);
    size_t bytes = row < 0 ? 0 : sh_pg_text(search->shown, row, DETAIL_TEXT).len;

    return (struct group_passage){&search->hits[hit->document], hit->ordinal, bytes};
}

size_t pg_hits_wanted(const struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    size_t wanted = (size_t)query->offset + query->max_results;

    if (query->merge)
        wanted += GROUP_POOL;
    if (query->per_document > 0 && wanted < search->plan.depth)
        wanted = search->plan.depth;
    return wanted;
}

enum sh_err pg_group(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    const struct group_options options = {query->merge, query->per_document, passage_of,
                                          search};

    return groups_make(&search->fused, &options,
                       (size_t)query->offset + query->max_results, &search->scratch,
                       &search->groups);
}

static enum sh_err name_passage(struct pg_search *search, struct sh_bytes id,
                                struct sh_bytes *name)
{
    *name = sh_arena_copy(&search->job->arena, id);
    return name->data ? SH_OK : SH_NOMEM;
}

/* Passages that went meanwhile are left out. */
enum sh_err pg_group_fill(struct pg_search *search, const struct group *group,
                          struct search_hit *hit)
{
    struct sh_bytes texts[GROUP_MOST];
    struct sh_bytes *names;
    size_t count = 0;
    enum sh_err err = SH_OK;

    if (group->count < 2)
        return SH_OK;
    names = sh_arena_array(&search->job->arena, group->count, sizeof(*names));
    if (!names)
        return SH_NOMEM;
    for (uint32_t i = 0; err == SH_OK && i < group->count; i++) {
        int row = row_of(search, group->slots[i]);
        if (row < 0)
            continue;
        if (count == 0) {
            hit->section_title = sh_pg_text(search->shown, row, DETAIL_HEADING);
            hit->page_number = (uint32_t)sh_pg_u64(search->shown, row, DETAIL_PAGE);
        }
        texts[count] = sh_pg_text(search->shown, row, DETAIL_TEXT);
        err = name_passage(search, sh_pg_text(search->shown, row, DETAIL_ID),
                           &names[count++]);
    }
    if (err != SH_OK || count < 2)
        return err;
    hit->merged = names;
    hit->merged_count = count;
    return group_join(texts, count, &search->scratch, &hit->text);
}
