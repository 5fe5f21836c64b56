#include "services/search/view/view_legs.h"

double search_boost(const struct search *search, const struct filter_row *row)
{
    const struct boosts *boosts = &search->boosts;
    return boosts_priority(boosts, row->priority) +
           boosts_campus(boosts, search->asked->caller->campus, row->campus);
}

static double boost_of(const void *arg, uint32_t slot)
{
    const struct search *search = arg;
    return search_boost(search, &search->view->slots[slot].document->row);
}

/* All that are allowed are lifted alike: nothing need be read of their documents. */
static bool is_boosted_alike(const struct search *search)
{
    return search->least_boost <= search->most_boost &&
           search->least_boost >= search->most_boost;
}

static double same_boost(const void *arg, uint32_t slot)
{
    const struct search *search = arg;
    (void)slot;
    return search->least_boost;
}

static int compare(struct sh_bytes a, struct sh_bytes b)
{
    size_t shorter = a.len < b.len ? a.len : b.len;
    int order = shorter > 0 ? memcmp(a.data, b.data, shorter) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

int search_order(const struct search *search, uint32_t a, uint32_t b)
{
    const struct slot *slots = search->view->slots;
    int order = compare(slots[a].chunk->chunk_id, slots[b].chunk->chunk_id);
    return order != 0 ? order : (a > b) - (a < b);
}

static int order_of(const void *arg, uint32_t a, uint32_t b)
{
    return search_order(arg, a, b);
}

/* Without vectors, passages of one document count as alike. */
static double likeness_of(const void *arg, uint32_t a, uint32_t b)
{
    const struct search *search = arg;
    const struct view *view = search->view;
    float cosine = 0;
    if (view->vectors && vector_index_between(view->vectors, a, b, &cosine))
        return cosine > 0 ? (double)cosine : 0;
    return view->slots[a].document == view->slots[b].document ? 1 : 0;
}

/* Boosts are read of documents all over the memory: they are on their way before the
 * first is needed. */
static void prefetch_documents(const struct search *search, const struct leg *leg)
{
    const struct slot *slots = search->view->slots;
    if (leg->count / 4 > VIEW_POOL)
        return;
    for (size_t i = 0; i < leg->count; i++)
        __builtin_prefetch(&slots[leg->hits[i].slot]);
    for (size_t i = 0; i < leg->count; i++)
        __builtin_prefetch(&slots[leg->hits[i].slot].document->row.priority);
}

static enum sh_err fuse(struct search *search, size_t most, struct fusion_result *fused)
{
    const struct search_query *query = search->query;
    bool alike = is_boosted_alike(search);
    const struct fusion_input input = {
        .method = query->fusion == 1 ? FUSION_RRF : FUSION_WEIGHTED,
        .text = search->want_text ? &search->text : NULL,
        .vector = search->want_vector ? &search->vector : NULL,
        .threshold = query->similarity_threshold,
        .weight = search->weight,
        .score_weight = search->boosts.score,
        .boost = alike ? same_boost : boost_of,
        .order = order_of,
        .arg = search,
    };
    if (!alike) {
        prefetch_documents(search, &search->text);
        prefetch_documents(search, &search->vector);
    }
    enum sh_err err = fusion_run(&input, most, &search->scratch, fused);
    /* the leg may hold only a part of the hits that it counted */
    if (search->want_text)
        fused->total += search->text_total - search->text.count;
    return err;
}

static enum sh_err diversify(struct search *search, struct fusion_result *fused)
{
    if (search->query->diversity <= 0)
        return SH_OK;
    return fusion_diversify(fused, search->query->diversity, likeness_of, search,
                            &search->scratch);
}

/* `head` stays in front; of `rest` follows what is not in it. */
static enum sh_err follow(struct search *search, const struct fusion_result *head,
                          const struct fusion_result *rest, struct fusion_result *fused)
{
    struct fusion_hit *hits =
        sh_arena_array(&search->scratch, head->count + rest->count + 1, sizeof(*hits));
    struct bitmap seen = {.bits = search->allowed.bits};
    seen.words =
        sh_arena_array(&search->scratch, bitmap_words(seen.bits) + 1, sizeof(uint64_t));
    if (!hits || !seen.words)
        return SH_NOMEM;
    size_t count = 0;
    for (size_t i = 0; i < head->count; i++) {
        bitmap_add(&seen, head->hits[i].slot);
        hits[count++] = head->hits[i];
    }
    for (size_t i = 0; i < rest->count; i++) {
        if (!bitmap_has(&seen, rest->hits[i].slot))
            hits[count++] = rest->hits[i];
    }
    size_t total = rest->total > head->total ? rest->total : head->total;
    *fused = (struct fusion_result){hits, count, total};
    return SH_OK;
}

/* The first places, as many as there are candidates of a leg, are given by the best of
 * the legs, whatever is asked for; whoever wants more gets the rest of everything after
 * them. */
static enum sh_err rank_best(struct search *search, size_t most,
                             struct fusion_result *fused)
{
    struct fusion_result head = {0};
    struct fusion_result rest = {0};
    enum sh_err err = legs_best(search);
    if (err == SH_OK)
        err = fuse(search, search->candidates, &head);
    if (err == SH_OK)
        err = diversify(search, &head);
    *fused = head;
    if (err != SH_OK || most <= search->candidates || !search->want_vector)
        return err;
    err = legs_complete(search);
    if (err == SH_OK)
        err = fuse(search, most, &rest);
    if (err == SH_OK)
        return follow(search, &head, &rest, fused);
    if (err != SH_TIMEOUT)
        return err;
    legs_tell_deadline(search);
    return SH_OK;
}

enum sh_err search_rank(struct search *search, struct fusion_result *fused)
{
    size_t most = search->depth;
    size_t pool = search->query->diversity > 0 && most < FUSION_POOL ? FUSION_POOL : most;
    enum sh_err err = SH_OK;
    if (search->want_vector && !search->asked->exact &&
        search->allowed_count > VIEW_COMPLETE)
        return rank_best(search, most, fused);
    err = search->want_vector ? legs_complete(search) : legs_text(search, pool);
    if (err == SH_OK)
        err = fuse(search, pool, fused);
    return err == SH_OK ? diversify(search, fused) : err;
}
