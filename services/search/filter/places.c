#include "services/search/filter/places.h"

#include <stdlib.h>

#include "shared/mem.h"

static int by_slot(const void *a, const void *b)
{
    uint32_t left = *(const uint32_t *)a;
    uint32_t right = *(const uint32_t *)b;
    return (left > right) - (left < right);
}

/* Runs of what `sorted` holds; with `runs` NULL they are only counted. */
static uint32_t make_runs(const uint32_t *sorted, size_t count, struct slot_run *runs)
{
    uint32_t made = 0;
    for (size_t i = 0; i < count;) {
        size_t end = i + 1;
        while (end < count && sorted[end] == sorted[end - 1] + 1)
            end++;
        if (runs)
            runs[made] = (struct slot_run){sorted[i], (uint32_t)(end - i)};
        made++;
        i = end;
    }
    return made;
}

static uint32_t *sorted_copy(const struct slot_list *slots)
{
    uint32_t *sorted = sh_alloc_array(slots->count, sizeof(*sorted));
    const char *at = (const char *)slots->first;
    if (!sorted)
        return NULL;
    for (size_t i = 0; i < slots->count; i++)
        memcpy(&sorted[i], at + i * slots->stride, sizeof(*sorted));
    qsort(sorted, slots->count, sizeof(*sorted), by_slot);
    return sorted;
}

static enum sh_err make_place(const struct slot_list *slots, struct place *out)
{
    enum sh_err err = SH_OK;
    uint32_t *sorted = sorted_copy(slots);
    if (!sorted)
        return SH_NOMEM;
    struct place place = {.run_count = make_runs(sorted, slots->count, NULL)};
    if (place.run_count == 1) {
        place.run = (struct slot_run){sorted[0], (uint32_t)slots->count};
    } else {
        place.runs = sh_alloc_array(place.run_count, sizeof(*place.runs));
        if (place.runs)
            (void)make_runs(sorted, slots->count, place.runs);
        else
            err = SH_NOMEM;
    }
    sh_free(sorted);
    *out = place;
    return err;
}

static enum sh_err reserve(struct places *places)
{
    if (places->free > 0 || places->count < places->capacity)
        return SH_OK;
    uint32_t capacity = places->capacity + places->capacity / 2 + 16;
    struct place *items = sh_realloc(places->items, capacity * sizeof(*items));
    if (!items)
        return SH_NOMEM;
    places->bytes += (capacity - places->capacity) * sizeof(*items);
    places->items = items;
    places->capacity = capacity;
    return SH_OK;
}

static size_t apart(const struct place *place)
{
    return place->run_count > 1 ? place->run_count * sizeof(struct slot_run) : 0;
}

enum sh_err places_add(struct places *places, const struct slot_list *slots,
                       uint32_t *number)
{
    struct place place;
    enum sh_err err = reserve(places);
    if (err == SH_OK)
        err = make_place(slots, &place);
    if (err != SH_OK)
        return err;
    if (places->free > 0) {
        *number = places->free - 1;
        places->free = places->items[*number].next_free;
    } else {
        *number = places->count++;
    }
    places->items[*number] = place;
    places->bytes += apart(&place);
    return SH_OK;
}

void places_drop(struct places *places, uint32_t number)
{
    struct place *place = &places->items[number];
    places->bytes -= apart(place);
    if (place->run_count > 1)
        sh_free(place->runs);
    *place = (struct place){.next_free = places->free};
    places->free = number + 1;
}

void places_free(struct places *places)
{
    for (uint32_t i = 0; i < places->count; i++) {
        if (places->items[i].run_count > 1)
            sh_free(places->items[i].runs);
    }
    sh_free(places->items);
    *places = (struct places){0};
}
