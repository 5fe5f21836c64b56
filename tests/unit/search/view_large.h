/* view_large: a view with so many passages that the vector leg takes the graph. Passage n
 * says its number, and its vector is large_vector(n), so that every hit can be checked.
 */
#ifndef TEST_VIEW_LARGE_H
#define TEST_VIEW_LARGE_H

#include <math.h>
#include <stdlib.h>

#include "services/search/view/view.h"
#include "shared/clock.h"

enum { LARGE_DIMENSION = 12, LARGE_CHUNKS = 20 };
#define LARGE_MODEL "large"

static inline void large_vector(uint32_t number, float *vector)
{
    uint64_t z = number * UINT64_C(0x9e3779b97f4a7c15);
    float square = 0;
    for (int i = 0; i < LARGE_DIMENSION; i++) {
        z = (z ^ z >> 31) * UINT64_C(0xbf58476d1ce4e5b9) + 1;
        vector[i] = (float)(int32_t)(z >> 32) / 2147483648.0F;
        square += vector[i] * vector[i];
    }
    for (int i = 0; i < LARGE_DIMENSION; i++)
        vector[i] /= sqrtf(square);
}

static inline enum sh_err large_open(struct view **view)
{
    struct view_options options = view_defaults();
    options.vectors.links = 6; /* quick under the sanitizers */
    options.vectors.ef_construction = 12;
    enum sh_err err = view_create(&options, view);
    return err ? err : view_set_model(*view, LARGE_MODEL, LARGE_DIMENSION, 0.3);
}

/* Document `number` has the passages from number · LARGE_CHUNKS on. Of its words, "all"
 * is in every passage, "some" in every third, "few" in every hundredth. */
static inline enum sh_err large_put(struct view *view, uint32_t number)
{
    static _Thread_local char ids[LARGE_CHUNKS][24];
    static _Thread_local char texts[LARGE_CHUNKS][64];
    static _Thread_local float vectors[LARGE_CHUNKS][LARGE_DIMENSION];
    struct view_chunk chunks[LARGE_CHUNKS];
    char id[24];
    char collection[24];
    (void)snprintf(id, sizeof(id), "d%u", number);
    (void)snprintf(collection, sizeof(collection), "c%u", number % 100);
    for (uint32_t i = 0; i < LARGE_CHUNKS; i++) {
        uint32_t passage = number * LARGE_CHUNKS + i;
        (void)snprintf(ids[i], sizeof(ids[i]), "%u", passage);
        (void)snprintf(texts[i], sizeof(texts[i]), "all%s%s%s",
                       passage % 3 ? "" : " some", passage % 100 ? "" : " few",
                       passage % 7 ? " and more" : "");
        large_vector(passage, vectors[i]);
        chunks[i] = (struct view_chunk){.chunk_id = sh_bytes_of(ids[i]),
                                        .text = sh_bytes_of(texts[i]),
                                        .ordinal = i,
                                        .vector = vectors[i]};
    }
    const struct view_document document = {.id = sh_bytes_of(id),
                                           .title = sh_bytes_of("Title"),
                                           .collection = sh_bytes_of(collection),
                                           .priority = number % 6,
                                           .clearance_level = 1,
                                           .metadata = sh_bytes_of("{}"),
                                           .chunks = chunks,
                                           .chunk_count = LARGE_CHUNKS};
    return view_put(view, &document);
}

static inline uint32_t large_number(const struct search_hit *hit)
{
    char text[24] = "";
    size_t length = hit->chunk_id.len < sizeof(text) ? hit->chunk_id.len : 0;
    memcpy(text, hit->chunk_id.data, length);
    return (uint32_t)strtoul(text, NULL, 10);
}

/* The cosine of what is told with what the passage's number says. */
static inline bool large_hit_is_right(const struct search_hit *hit, const float *query)
{
    float vector[LARGE_DIMENSION];
    double cosine = 0;
    large_vector(large_number(hit), vector);
    for (int i = 0; i < LARGE_DIMENSION; i++)
        cosine += (double)vector[i] * (double)query[i];
    return fabs(cosine - hit->similarity) < 1e-4;
}

#endif
