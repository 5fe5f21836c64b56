#include "services/search/filter/slot_set.h"

#include "shared/mem.h"

/* What a container takes beside its content: its head, its key, malloc's own. */
enum { CONTAINER = 64 };
/* So many slots of a container's 65,536 are better as words. */
enum { DENSE = 4096 };

/* Slot by slot makes arrays and words, ranges make containers of runs. */
static void add_slots(roaring_bitmap_t *slots, const struct slot_run *run)
{
    uint32_t some[64];
    for (uint32_t done = 0; done < run->count;) {
        uint32_t count = 0;
        for (; count < SH_COUNT(some) && done < run->count; done++)
            some[count++] = run->first + done;
        roaring_bitmap_add_many(slots, count, some);
    }
}

static void add_runs(const struct slot_many *many, const struct places *places,
                     uint32_t document)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(places, document, &count);
    for (uint32_t i = 0; i < count; i++) {
        if (many->dense)
            add_slots(many->slots, &runs[i]);
        else
            roaring_bitmap_add_range_closed(many->slots, runs[i].first,
                                            runs[i].first + (runs[i].count - 1));
    }
}

static bool has(const roaring_bitmap_t *slots, const struct places *places,
                uint32_t document)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(places, document, &count);
    return count > 0 && roaring_bitmap_contains(slots, runs[0].first);
}

/* Whenever it has doubled. Neighbouring passages make runs the shortest form and, where
 * they are few, the fastest; but words are united and intersected several times faster
 * than the same slots in thousands of runs. */
static void weigh(struct slot_set *set, size_t *bytes)
{
    struct slot_many *many = set->many;
    uint64_t containers = (uint64_t)many->slots->high_low_container.size;
    many->dense = roaring_bitmap_get_cardinality(many->slots) > containers * DENSE;
    if (many->dense)
        (void)roaring_bitmap_remove_run_compression(many->slots);
    else
        (void)roaring_bitmap_run_optimize(many->slots);
    *bytes -= many->bytes;
    many->bytes = sizeof(*many) + sizeof(*many->slots) +
                  (size_t)many->slots->high_low_container.size * CONTAINER +
                  roaring_bitmap_portable_size_in_bytes(many->slots);
    *bytes += many->bytes;
    many->weighed_at = set->count;
}

static enum sh_err to_many(struct slot_set *set, const struct places *places,
                           size_t *bytes)
{
    struct slot_many *many = sh_alloc(sizeof(*many));
    roaring_bitmap_t *slots = many ? roaring_bitmap_create() : NULL;
    if (!slots) {
        sh_free(many);
        return SH_NOMEM;
    }
    many->slots = slots;
    for (uint32_t i = 0; i < set->count; i++)
        add_runs(many, places, set->few[i]);
    sh_free(set->few);
    *bytes -= set->capacity * sizeof(*set->few);
    set->many = many;
    set->capacity = UINT32_MAX;
    weigh(set, bytes);
    return SH_OK;
}

static enum sh_err add_to_many(struct slot_set *set, const struct places *places,
                               uint32_t document, size_t *bytes)
{
    if (has(set->many->slots, places, document))
        return SH_OK;
    add_runs(set->many, places, document);
    set->count++;
    if (set->count / 2 >= set->many->weighed_at)
        weigh(set, bytes);
    return SH_OK;
}

static enum sh_err grow_few(struct slot_set *set, size_t *bytes)
{
    uint32_t capacity = set->capacity ? set->capacity * 2 : 4;
    uint32_t *few =
        sh_realloc(set->capacity ? set->few : NULL, capacity * sizeof(*set->few));
    if (!few)
        return SH_NOMEM;
    if (set->capacity == 0)
        few[0] = set->one;
    *bytes += (capacity - set->capacity) * sizeof(*few);
    set->few = few;
    set->capacity = capacity;
    return SH_OK;
}

enum sh_err slot_set_add(struct slot_set *set, const struct places *places,
                         uint32_t document, size_t *bytes)
{
    enum sh_err err = SH_OK;
    if (slot_set_is_many(set))
        return add_to_many(set, places, document, bytes);
    const uint32_t *documents = slot_set_documents(set);
    for (uint32_t i = set->count; i > 0; i--) { /* if it is there, it came last */
        if (documents[i - 1] == document)
            return SH_OK;
    }
    if (set->count == 0 && set->capacity == 0) {
        set->one = document;
        set->count = 1;
        return SH_OK;
    }
    if (set->count == SLOT_SET_FEW) {
        err = to_many(set, places, bytes);
        return err == SH_OK ? add_to_many(set, places, document, bytes) : err;
    }
    if (set->count >= set->capacity)
        err = grow_few(set, bytes);
    if (err == SH_OK)
        set->few[set->count++] = document;
    return err;
}

static void remove_from_many(struct slot_set *set, const struct places *places,
                             uint32_t document)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(places, document, &count);
    if (!has(set->many->slots, places, document))
        return;
    for (uint32_t i = 0; i < count; i++)
        roaring_bitmap_remove_range_closed(set->many->slots, runs[i].first,
                                           runs[i].first + (runs[i].count - 1));
    set->count--;
}

static void remove_from_few(struct slot_set *set, uint32_t document)
{
    uint32_t *documents = set->capacity == 0 ? &set->one : set->few;
    for (uint32_t i = 0; i < set->count; i++) {
        if (documents[i] != document)
            continue;
        documents[i] = documents[--set->count];
        return;
    }
}

void slot_set_remove(struct slot_set *set, const struct places *places, uint32_t document,
                     size_t *bytes)
{
    if (slot_set_is_many(set))
        remove_from_many(set, places, document);
    else
        remove_from_few(set, document);
    if (set->count == 0)
        slot_set_free(set, bytes);
}

bool slot_set_meets(const struct slot_set *set, const struct places *places,
                    const roaring_bitmap_t *slots)
{
    if (slot_set_is_many(set))
        return roaring_bitmap_intersect(set->many->slots, slots);
    const uint32_t *documents = slot_set_documents(set);
    for (uint32_t i = 0; i < set->count; i++) {
        if (has(slots, places, documents[i]))
            return true;
    }
    return false;
}

void slot_set_free(struct slot_set *set, size_t *bytes)
{
    if (slot_set_is_many(set)) {
        *bytes -= set->many->bytes;
        roaring_bitmap_free(set->many->slots);
        sh_free(set->many);
    } else if (set->capacity > 0) {
        *bytes -= set->capacity * sizeof(*set->few);
        sh_free(set->few);
    }
    *set = (struct slot_set){0};
}
