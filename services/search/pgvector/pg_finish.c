#include <math.h>
#include <stdlib.h>

#include "services/search/pgvector/pg_search.h"
#include "services/search/text/highlight.h"
#include "services/search/view/view_internal.h"

/* --- what was shown --------------------------------------------------------------- */

/* Rows by slot. Ids of candidates and rows are both sorted to be brought together. */
struct named {
    struct sh_bytes id;
    uint32_t number;
};

static int by_id(const void *a, const void *b)
{
    return strcmp(((const struct named *)a)->id.data, ((const struct named *)b)->id.data);
}

static struct named *slots_by_id(struct pg_search *search)
{
    struct named *slots =
        sh_arena_array(&search->scratch, search->hit_count + 1, sizeof(*slots));

    for (uint32_t i = 0; slots && i < search->hit_count; i++)
        slots[i] = (struct named){search->hits[i].chunk_id, i};
    if (slots)
        qsort(slots, search->hit_count, sizeof(*slots), by_id);
    return slots;
}

static int digit(char c)
{
    return c >= 'a' ? c - 'a' + 10 : c - '0';
}

/* "\x0000803f…": bytes of little-endian floats. NULL when it is none of the dimension. */
static float *read_vector(struct pg_search *search, int row)
{
    struct sh_bytes hex = sh_pg_text(search->shown, row, DETAIL_VECTOR);
    const char *at = hex.data;
    uint32_t dimension = search->plan.dimension;
    float *vector = NULL;

    if (hex.len == 2 + (size_t)dimension * 8)
        vector = sh_arena_array(&search->scratch, dimension, sizeof(*vector));
    for (uint32_t i = 0; vector && i < dimension; i++) {
        uint32_t bits = 0;
        for (unsigned byte = 0; byte < 4; byte++) {
            const char *pair = at + 2 + (size_t)i * 8 + 2 * (size_t)byte;
            bits |= (uint32_t)(digit(pair[0]) * 16 + digit(pair[1])) << (8 * byte);
        }
        memcpy(&vector[i], &bits, sizeof(bits));
    }
    return vector;
}

static enum sh_err read_details(struct pg_search *search)
{
    struct named *slots = slots_by_id(search);
    struct pg_detail *details =
        sh_arena_array(&search->scratch, search->hit_count + 1, sizeof(*details));

    if (!slots || !details)
        return SH_NOMEM;
    for (size_t i = 0; i < search->hit_count; i++)
        details[i].row = -1;
    for (int row = 0; row < PQntuples(search->shown); row++) {
        const struct named key = {sh_pg_text(search->shown, row, DETAIL_ID), 0};
        const struct named *slot =
            bsearch(&key, slots, search->hit_count, sizeof(*slots), by_id);
        if (slot)
            details[slot->number] = (struct pg_detail){row, read_vector(search, row)};
    }
    search->shown_by_slot = details;
    return SH_OK;
}

/* --- order among them ------------------------------------------------------------- */

static double cosine(const float *a, const float *b, uint32_t dimension)
{
    double dot = 0;
    double aa = 0;
    double bb = 0;

    for (uint32_t i = 0; i < dimension; i++) {
        dot += (double)a[i] * (double)b[i];
        aa += (double)a[i] * (double)a[i];
        bb += (double)b[i] * (double)b[i];
    }
    return aa > 0 && bb > 0 ? dot / sqrt(aa * bb) : 0;
}

/* Without vectors, passages of one document count as alike. */
static double likeness_of(const void *arg, uint32_t a, uint32_t b)
{
    const struct pg_search *search = arg;
    const float *left = search->shown_by_slot[a].vector;
    const float *right = search->shown_by_slot[b].vector;

    if (left && right)
        return fmax(0, cosine(left, right, search->plan.dimension));
    return search->hits[a].document == search->hits[b].document;
}

/* --- results ---------------------------------------------------------------------- */

static enum sh_err copy(struct sh_arena *arena, struct sh_bytes *bytes)
{
    if (bytes->len == 0) {
        *bytes = (struct sh_bytes){"", 0};
        return SH_OK;
    }
    *bytes = sh_arena_copy(arena, *bytes);
    return bytes->data ? SH_OK : SH_NOMEM;
}

static enum sh_err copy_hit(struct pg_search *search, const struct group *group,
                            struct search_hit *hit)
{
    const struct fusion_hit *from = group->hit;
    const PGresult *rows = search->shown;
    int row = search->shown_by_slot[from->slot].row;
    double similarity = fmin(1, fmax(-1, (double)from->similarity));

    *hit = (struct search_hit){
        .chunk_id = sh_pg_text(rows, row, DETAIL_ID),
        .document_id = sh_pg_text(rows, row, DETAIL_DOCUMENT),
        .document_title = sh_pg_text(rows, row, DETAIL_TITLE),
        .section_title = sh_pg_text(rows, row, DETAIL_HEADING),
        .text = sh_pg_text(rows, row, DETAIL_TEXT),
        .page_number = (uint32_t)sh_pg_u64(rows, row, DETAIL_PAGE),
        .metadata = sh_pg_text(rows, row, DETAIL_METADATA),
        .has_file = *PQgetvalue(rows, row, DETAIL_HAS_FILE) == 't',
        .similarity = from->has_vector ? similarity : 0,
        .text_score = (double)from->text,
        .combined_score = from->combined,
        .boost =
            pg_boost_priority(search, from->slot) + pg_boost_campus(search, from->slot),
    };
    enum sh_err err = pg_group_fill(search, group, hit);
    struct sh_bytes *texts[] = {&hit->chunk_id,       &hit->document_id,
                                &hit->document_title, &hit->section_title,
                                &hit->text,           &hit->metadata};
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(texts); i++)
        err = copy(&search->job->arena, texts[i]);
    return err;
}

/* A passage that went meanwhile is left out. */
static enum sh_err copy_hits(struct pg_search *search)
{
    struct search_results *results = &search->job->results;
    const struct search_query *query = search->job->ask.query;
    struct explainer explainer;
    size_t end = (size_t)query->offset + query->max_results;
    enum sh_err err = SH_OK;
    struct search_hit *hits = sh_arena_array(
        &search->job->arena, (size_t)query->max_results + 1, sizeof(*hits));

    if (!hits)
        return SH_NOMEM;
    if (query->explain)
        err = pg_explain_start(search, &explainer);
    for (size_t i = query->offset; err == SH_OK && i < end && i < search->groups.count;
         i++) {
        const struct group *group = &search->groups.items[i];
        struct search_hit *hit = &hits[results->hits_count];
        if (search->shown_by_slot[group->hit->slot].row < 0)
            continue;
        err = copy_hit(search, group, hit);
        if (err == SH_OK && query->explain)
            err = pg_explain_hit(search, &explainer, group->hit, &hit->explanation);
        results->hits_count++;
    }
    results->hits = search->results = hits;
    return err;
}

/* --- highlights ------------------------------------------------------------------- */

static enum sh_err language_of_hit(const struct search_hit *hit, unsigned *language)
{
    struct metadata *values = NULL;
    enum sh_err err = metadata_parse(hit->metadata, &values);

    *language = err == SH_OK ? language_in(values) : LANGUAGE_NONE;
    sh_free(values);
    return err == SH_NOMEM ? err : SH_OK;
}

/* The question's words as the languages of the hits have them. */
static enum sh_err read_words(struct pg_search *search, const unsigned *languages,
                              struct text_query *words)
{
    struct analyzer *analyzers[TEXT_LANGUAGES];
    const struct search_results *results = &search->job->results;
    const struct view_query *asked = &search->job->ask;
    size_t count = 0;
    enum sh_err err = SH_OK;

    for (size_t i = 0; err == SH_OK && i < results->hits_count; i++)
        err = language_analyzer(search->analyzers, languages[i]);
    for (unsigned i = 0; i < LANGUAGE_COUNT && count < TEXT_LANGUAGES; i++) {
        if (search->analyzers[i])
            analyzers[count++] = search->analyzers[i];
    }
    if (err == SH_OK)
        err = text_query_make(analyzers, count, asked->query->query, &search->scratch,
                              words);
    struct glossary_found again = {0};
    if (err == SH_OK && search->expanded.count > 0)
        err = glossary_widen(asked->glossary, asked->query->query, search->analyzers,
                             &search->scratch, words, &again);
    return err;
}

static enum sh_err mark(struct pg_search *search)
{
    struct search_hit *hits = search->results;
    size_t count = search->job->results.hits_count;
    unsigned *languages = sh_arena_array(&search->scratch, count + 1, sizeof(*languages));
    struct text_query words;
    struct sh_buffer buffer = {0};
    enum sh_err err = languages ? SH_OK : SH_NOMEM;

    for (size_t i = 0; err == SH_OK && i < count; i++)
        err = language_of_hit(&hits[i], &languages[i]);
    if (err == SH_OK)
        err = read_words(search, languages, &words);
    for (size_t i = 0; err == SH_OK && i < count; i++) {
        sh_buffer_clear(&buffer);
        err = highlight(search->analyzers[languages[i]], &words, hits[i].text, &buffer);
        hits[i].highlight = sh_buffer_bytes(&buffer);
        if (err == SH_OK)
            err = copy(&search->job->arena, &hits[i].highlight);
    }
    sh_buffer_free(&buffer);
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

static enum sh_err tell_degraded(struct pg_search *search)
{
    struct search_results *results = &search->job->results;
    struct sh_bytes *degraded = sh_arena_array(
        &search->job->arena, search->degraded_count + 1, sizeof(*degraded));
    enum sh_err err = degraded ? SH_OK : SH_NOMEM;

    for (size_t i = 0; err == SH_OK && i < search->degraded_count; i++) {
        degraded[i] = search->degraded[i];
        err = copy(&search->job->arena, &degraded[i]);
    }
    results->degraded = degraded;
    results->degraded_count = search->degraded_count;
    return err;
}

static enum sh_err show(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    enum sh_err err = read_details(search);

    if (err == SH_OK && query->diversity > 0)
        err = fusion_diversify(&search->fused, query->diversity, likeness_of, search,
                               &search->scratch);
    if (err == SH_OK)
        err = pg_group(search);
    if (err == SH_OK)
        err = copy_hits(search);
    return err == SH_OK && query->highlight ? mark(search) : err;
}

enum sh_err pg_finish(struct pg_search *search)
{
    struct search_results *results = &search->job->results;
    enum sh_err err = search->shown ? show(search) : SH_OK;

    results->total = search->figures.total;
    results->expanded = search->expanded.items;
    results->expanded_count = search->expanded.count;
    results->fingerprint = sh_bytes_of(search->fingerprint);
    if (err == SH_OK)
        err = copy(&search->job->arena, &results->fingerprint);
    if (err == SH_OK)
        err = tell_degraded(search);
    if (err == SH_OK)
        err = pg_explain_plan(search, &results->plan);
    return err;
}
