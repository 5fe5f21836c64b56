#include "services/search/view/view_results.h"

#include "services/search/text/highlight.h"
#include "services/search/view/view_legs.h"

static enum sh_err copy(struct sh_arena *arena, struct sh_bytes *bytes)
{
    if (bytes->len == 0) {
        *bytes = (struct sh_bytes){"", 0};
        return SH_OK;
    }
    *bytes = sh_arena_copy(arena, *bytes);
    return bytes->data ? SH_OK : SH_NOMEM;
}

static double clamp_cosine(float cosine)
{
    return cosine > 1 ? 1 : cosine < -1 ? -1 : (double)cosine;
}

static enum sh_err copy_hit(struct search *search, const struct group *group,
                            struct search_hit *hit)
{
    const struct fusion_hit *from = group->hit;
    const struct slot *slot = &search->view->slots[from->slot];
    *hit = (struct search_hit){
        .chunk_id = slot->chunk->chunk_id,
        .document_id = slot->document->row.id,
        .document_title = slot->document->title,
        .section_title = slot->chunk->section_title,
        .text = slot->chunk->text,
        .page_number = slot->chunk->page_number,
        .metadata = slot->document->metadata,
        .similarity = from->has_vector ? clamp_cosine(from->similarity) : 0,
        .text_score = (double)from->text,
        .combined_score = from->combined,
        .boost = search_boost(search, &slot->document->row),
        .has_file = slot->document->has_file,
    };
    enum sh_err err = group_fill(search, group, hit);
    if (hit->metadata.len == 0)
        hit->metadata = sh_bytes_of("{}");
    struct sh_bytes *texts[] = {&hit->chunk_id,       &hit->document_id,
                                &hit->document_title, &hit->section_title,
                                &hit->text,           &hit->metadata};
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(texts); i++)
        err = copy(search->arena, texts[i]);
    return err;
}

enum sh_err results_copy(struct search *search, const struct fusion_result *fused,
                         struct search_results *results)
{
    size_t first = search->query->offset;
    size_t all = search->groups.count;
    size_t count = all > first ? all - first : 0;
    struct explainer explainer;
    enum sh_err err = SH_OK;

    if (count > search->query->max_results)
        count = search->query->max_results;
    results->total = fused->total;
    results->fingerprint = sh_bytes_of(search->view->fingerprint);
    err = copy(search->arena, &results->fingerprint);
    if (err != SH_OK || count == 0)
        return err;
    struct search_hit *hits = sh_arena_array(search->arena, count, sizeof(*hits));
    search->languages = sh_arena_array(&search->scratch, count, sizeof(unsigned));
    if (!hits || !search->languages)
        return SH_NOMEM;
    if (search->query->explain)
        err = explain_view_start(search, &explainer);
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        const struct group *group = &search->groups.items[first + i];
        const struct fusion_hit *from = group->hit;
        search->languages[i] = search->view->slots[from->slot].document->language;
        err = copy_hit(search, group, &hits[i]);
        if (err == SH_OK && search->query->explain)
            err = explain_view_hit(search, &explainer, from, &hits[i].explanation);
    }
    search->hits = hits;
    results->hits = hits;
    results->hits_count = count;
    return err;
}

static enum sh_err mark(struct search *search, struct sh_buffer *buffer, size_t i)
{
    struct search_hit *hit = &search->hits[i];
    unsigned language = search->languages[i];
    sh_buffer_clear(buffer);
    enum sh_err err = language_analyzer(search->analyzers, language);
    if (err == SH_OK)
        err = highlight(search->analyzers[language], &search->text_query, hit->text,
                        buffer);
    hit->highlight = sh_buffer_bytes(buffer);
    return err == SH_OK ? copy(search->arena, &hit->highlight) : err;
}

static enum sh_err mark_all(struct search *search, size_t count)
{
    struct sh_buffer buffer = {0};
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < count; i++)
        err = mark(search, &buffer, i);
    sh_buffer_free(&buffer);
    return err;
}

enum sh_err results_finish(struct search *search, struct search_results *results)
{
    enum sh_err err = SH_OK;
    struct sh_bytes *degraded = NULL;
    results->expanded = search->expanded.items;
    results->expanded_count = search->expanded.count;
    if (search->query->highlight)
        err = mark_all(search, results->hits_count);
    if (err == SH_OK)
        err = explain_view_plan(search, &results->plan);
    if (err != SH_OK || search->degraded_count == 0)
        return err;
    degraded = sh_arena_array(search->arena, search->degraded_count, sizeof(*degraded));
    if (!degraded)
        return SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < search->degraded_count; i++) {
        degraded[i] = search->degraded[i];
        err = copy(search->arena, &degraded[i]);
    }
    results->degraded = degraded;
    results->degraded_count = search->degraded_count;
    return err;
}
