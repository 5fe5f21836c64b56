#include "services/graph/find/name_index.h"

#include <stdlib.h>

static struct sh_bytes term_text(const struct name_index *index, uint32_t term)
{
    uint32_t start = index->texts[term];
    return (struct sh_bytes){index->pool + start, index->texts[term + 1] - start};
}

void name_index_free(struct name_index **index_p)
{
    struct name_index *index = *index_p;
    *index_p = NULL;
    if (index == NULL)
        return;
    seen_free(&index->seen);
    sh_free(index->texts);
    sh_free(index->places);
    sh_free(index->pool);
    sh_free(index->postings);
    sh_free(index);
}

size_t name_index_bytes(const struct name_index *index)
{
    size_t numbers =
        2 * ((size_t)index->term_count + 1) + index->places[index->term_count];
    return sizeof(*index) + index->seen.count * sizeof(*index->seen.versions) +
           numbers * sizeof(uint32_t) + index->texts[index->term_count];
}

/* --- asking ----------------------------------------------------------------------- */

static int compare_texts(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

static uint32_t first_from(const struct name_index *index, struct sh_bytes word)
{
    uint32_t low = 0;
    uint32_t high = index->term_count;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare_texts(term_text(index, middle), word) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static void add_places(const struct name_index *index, uint32_t term,
                       roaring_bitmap_t *out)
{
    uint32_t first = index->places[term];
    roaring_bitmap_add_many(out, index->places[term + 1] - first,
                            index->postings + first);
}

/* What answers the word as it is follows itself in the order; what nearly does is
 * anywhere. */
static roaring_bitmap_t *places_of_word(const struct name_index *index,
                                        const struct words *words, size_t i)
{
    roaring_bitmap_t *out = roaring_bitmap_create();
    uint32_t first = first_from(index, words->words[i]);
    uint32_t end = first;
    if (out == NULL)
        return NULL;
    for (; end < index->term_count && words_begins(words, i, term_text(index, end));
         end++)
        add_places(index, end, out);
    for (uint32_t term = 0; words->edits[i] > 0 && term < index->term_count; term++)
        if ((term < first || term >= end) &&
            words_nearly(words, i, term_text(index, term)))
            add_places(index, term, out);
    return out;
}

roaring_bitmap_t *name_index_candidates(const struct name_index *index,
                                        const struct words *words)
{
    roaring_bitmap_t *all =
        words->count > 0 ? places_of_word(index, words, 0) : roaring_bitmap_create();
    for (size_t i = 1; i < words->count && all != NULL; i++) {
        roaring_bitmap_t *more = places_of_word(index, words, i);
        if (more == NULL) {
            roaring_bitmap_free(all);
            return NULL;
        }
        roaring_bitmap_and_inplace(all, more);
        roaring_bitmap_free(more);
    }
    return all;
}

/* --- building --------------------------------------------------------------------- */

struct pair {
    uint32_t term; /* in order of arrival */
    uint32_t place;
};

struct builder {
    const struct words_keys *keys;
    struct sh_buffer folded;
    struct sh_buffer pool;
    struct lookup *lookup;
    struct sh_bytes *terms; /* .data: offset in the pool, until that is whole */
    uint32_t term_count;
    uint32_t term_room;
    struct pair *pairs;
    size_t pair_count;
    size_t pair_room;
};

static bool grow(void **items, size_t count, size_t *room, size_t size)
{
    if (count < *room)
        return true;
    size_t wanted = *room == 0 ? 1024 : *room * 2;
    void *larger = sh_realloc(*items, wanted * size);
    if (larger == NULL)
        return false;
    *items = larger;
    *room = wanted;
    return true;
}

static struct sh_bytes built_text(const struct builder *builder, uint32_t term)
{
    return (struct sh_bytes){builder->pool.data + (uintptr_t)builder->terms[term].data,
                             builder->terms[term].len};
}

static bool rehash(struct builder *builder)
{
    struct lookup *larger = lookup_create(builder->term_count * 2);
    if (larger == NULL)
        return false;
    for (uint32_t i = 0; i < builder->term_count; i++)
        lookup_add(larger, lookup_hash(built_text(builder, i)), i);
    sh_free(builder->lookup);
    builder->lookup = larger;
    return true;
}

static enum sh_err find_term(struct builder *builder, struct sh_bytes word,
                             uint32_t *term)
{
    struct lookup_probe probe = {lookup_hash(word), 0};
    while (lookup_next(builder->lookup, &probe, term))
        if (sh_bytes_equal(built_text(builder, *term), word))
            return SH_OK;
    size_t room = builder->term_room;
    void *terms = builder->terms;
    if ((lookup_is_full(builder->lookup) && !rehash(builder)) ||
        !grow(&terms, builder->term_count, &room, sizeof(*builder->terms)))
        return SH_NOMEM;
    builder->terms = terms;
    builder->term_room = (uint32_t)room;
    if (builder->pool.len + word.len > UINT32_MAX)
        return SH_TOOBIG;
    *term = builder->term_count++;
    /* NOLINTNEXTLINE(performance-no-int-to-ptr): an offset, no address yet */
    const void *place = (const void *)(uintptr_t)builder->pool.len;
    builder->terms[*term] = (struct sh_bytes){place, word.len};
    sh_buffer_append(&builder->pool, word.data, word.len);
    lookup_add(builder->lookup, probe.hash, *term);
    return builder->pool.err;
}

static enum sh_err add_word(struct builder *builder, struct sh_bytes word, uint32_t place)
{
    uint32_t term = 0;
    void *pairs = builder->pairs;
    enum sh_err err = find_term(builder, word, &term);
    if (err != SH_OK)
        return err;
    if (!grow(&pairs, builder->pair_count, &builder->pair_room, sizeof(*builder->pairs)))
        return SH_NOMEM;
    builder->pairs = pairs;
    builder->pairs[builder->pair_count++] = (struct pair){term, place};
    return SH_OK;
}

static enum sh_err add_node(struct builder *builder, const struct node_body *body,
                            uint32_t place)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; i < builder->keys->count && err == SH_OK; i++) {
        struct value value;
        struct sh_bytes word;
        if (!values_get(body->properties, builder->keys->keys[i], &value) ||
            value.type != VALUE_STRING)
            continue;
        sh_buffer_clear(&builder->folded);
        fold_text(value.text, &builder->folded);
        err = builder->folded.err;
        struct sh_bytes rest = sh_buffer_bytes(&builder->folded);
        while (err == SH_OK && fold_next(&rest, &word))
            err = add_word(builder, word, place);
    }
    return err;
}

static enum sh_err add_nodes(struct builder *builder, const struct graph_version *version)
{
    enum sh_err err = SH_OK;
    const struct node *node;
    for (uint32_t i = 0; (node = pages_at(&version->nodes, i)) != NULL && err == SH_OK;
         i++)
        if (node->body != NULL)
            err = add_node(builder, node->body, i);
    return err;
}

struct ranked {
    struct sh_bytes text;
    uint32_t term;
};

static int compare_ranked(const void *left, const void *right)
{
    const struct ranked *a = left;
    const struct ranked *b = right;
    return compare_texts(a->text, b->text);
}

/* The terms in order, with their texts; ranks[term] says where each has come to. */
static enum sh_err lay_terms(struct builder *builder, uint32_t *ranks,
                             struct name_index *index)
{
    uint32_t count = builder->term_count;
    struct ranked *order = sh_alloc_array((size_t)count + 1, sizeof(*order));
    index->pool = sh_alloc(builder->pool.len + 1);
    index->texts = sh_alloc_array((size_t)count + 1, sizeof(*index->texts));
    if (order == NULL || index->pool == NULL || index->texts == NULL) {
        sh_free(order);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < count; i++)
        order[i] = (struct ranked){built_text(builder, i), i};
    qsort(order, count, sizeof(*order), compare_ranked);
    uint32_t at = 0;
    for (uint32_t i = 0; i < count; i++) {
        ranks[order[i].term] = i;
        index->texts[i] = at;
        memcpy(index->pool + at, order[i].text.data, order[i].text.len);
        at += (uint32_t)order[i].text.len;
    }
    index->texts[count] = at;
    index->term_count = count;
    sh_free(order);
    return SH_OK;
}

/* Pairs came in order of place: counting keeps that within each term. */
static enum sh_err lay_places(const struct builder *builder, const uint32_t *ranks,
                              struct name_index *index)
{
    uint32_t *starts = sh_alloc_array((size_t)index->term_count + 2, sizeof(*starts));
    index->places = starts;
    index->postings = sh_alloc_array(builder->pair_count + 1, sizeof(*index->postings));
    if (starts == NULL || index->postings == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < builder->pair_count; i++)
        starts[ranks[builder->pairs[i].term] + 2]++;
    for (uint32_t i = 2; i < index->term_count + 2; i++)
        starts[i] += starts[i - 1];
    for (size_t i = 0; i < builder->pair_count; i++)
        index->postings[starts[ranks[builder->pairs[i].term] + 1]++] =
            builder->pairs[i].place;
    return SH_OK;
}

static enum sh_err lay(struct builder *builder, struct name_index *index)
{
    uint32_t *ranks = sh_alloc_array((size_t)builder->term_count + 1, sizeof(*ranks));
    enum sh_err err = SH_NOMEM;
    if (ranks != NULL && builder->pair_count < UINT32_MAX)
        err = lay_terms(builder, ranks, index);
    if (err == SH_OK)
        err = lay_places(builder, ranks, index);
    sh_free(ranks);
    return err;
}

static void builder_free(struct builder *builder)
{
    sh_buffer_free(&builder->folded);
    sh_buffer_free(&builder->pool);
    sh_free(builder->lookup);
    sh_free(builder->terms);
    sh_free(builder->pairs);
}

enum sh_err name_index_build(const struct graph_version *version,
                             const struct words_keys *keys, struct name_index **out)
{
    struct builder builder = {.keys = keys, .lookup = lookup_create(0)};
    struct name_index *index = sh_alloc(sizeof(*index));
    enum sh_err err = builder.lookup && index ? SH_OK : SH_NOMEM;
    if (err == SH_OK) {
        index->keys = *keys;
        err = seen_take(version, &index->seen);
    }
    if (err == SH_OK)
        err = add_nodes(&builder, version);
    if (err == SH_OK)
        err = lay(&builder, index);
    builder_free(&builder);
    if (err != SH_OK)
        name_index_free(&index);
    *out = index;
    return err;
}
