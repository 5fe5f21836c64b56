#include "services/graph/find/value_index.h"

#include <math.h>
#include <stdlib.h>

/* --- order ------------------------------------------------------------------------ */

/* The first eight bytes, as a number. */
static uint64_t text_order(struct sh_bytes text, unsigned char filling)
{
    unsigned char first[sizeof(uint64_t)];
    uint64_t order = 0;
    memset(first, filling, sizeof(first));
    if (text.len > 0)
        memcpy(first, text.data, text.len < sizeof(first) ? text.len : sizeof(first));
    for (size_t i = 0; i < sizeof(first); i++)
        order = order << 8 | first[i];
    return order;
}

/* The bits of a double rise with it when the sign is turned round, and those below zero
 * all are. Whole numbers beyond 2^53 meet; that is allowed. */
static uint64_t number_order(double number)
{
    uint64_t bits;
    if (number == 0)
        number = 0; /* -0 */
    memcpy(&bits, &number, sizeof(bits));
    return bits >> 63 != 0 ? ~bits : bits | UINT64_C(1) << 63;
}

/* False: it is in no index. */
static bool read_value(const struct value *value, enum value_kind *kind,
                       struct value_entry *out)
{
    *out = (struct value_entry){0};
    switch (value->type) {
    case VALUE_STRING:
        *kind = VALUES_TEXTS;
        out->order = text_order(value->text, 0);
        out->mix = (uint32_t)lookup_hash(value->text);
        return true;
    case VALUE_INTEGER:
    case VALUE_FLOAT:
        *kind = VALUES_NUMBERS;
        out->order = number_order(value->type == VALUE_INTEGER ? (double)value->integer
                                                               : value->real);
        return value->type == VALUE_INTEGER || !isnan(value->real);
    case VALUE_BOOLEAN:
        *kind = VALUES_BOOLEANS;
        out->order = value->flag;
        return true;
    case VALUE_NULL:
    case VALUE_LIST:
    case VALUE_MAP:
        break;
    }
    return false;
}

static int compare(const void *left, const void *right)
{
    const struct value_entry *a = left;
    const struct value_entry *b = right;
    if (a->order != b->order)
        return a->order < b->order ? -1 : 1;
    if (a->mix != b->mix)
        return a->mix < b->mix ? -1 : 1;
    return (a->place > b->place) - (a->place < b->place);
}

/* --- making ----------------------------------------------------------------------- */

static bool entry_of(const struct graph_version *version, uint32_t place, uint32_t key,
                     enum value_kind *kind, struct value_entry *out)
{
    const struct node *node = pages_at(&version->nodes, place);
    struct value value;
    if (node == NULL || node->body == NULL ||
        !values_get(node->body->properties, key, &value) ||
        !read_value(&value, kind, out))
        return false;
    out->place = place;
    return true;
}

static void count_kinds(const struct graph_version *version, uint32_t key,
                        uint32_t counts[VALUE_KINDS])
{
    enum value_kind kind;
    struct value_entry entry;
    for (uint32_t place = 0; place < version->node_end; place++)
        if (entry_of(version, place, key, &kind, &entry))
            counts[kind]++;
}

static void fill(struct value_index *index, const struct graph_version *version,
                 uint32_t key)
{
    uint32_t at[VALUE_KINDS];
    enum value_kind kind;
    struct value_entry entry;
    memcpy(at, index->starts, sizeof(at));
    for (uint32_t place = 0; place < version->node_end; place++)
        if (entry_of(version, place, key, &kind, &entry))
            index->entries[at[kind]++] = entry;
    for (int i = 0; i < VALUE_KINDS; i++)
        if (at[i] - index->starts[i] > 1)
            qsort(index->entries + index->starts[i], at[i] - index->starts[i],
                  sizeof(entry), compare);
}

enum sh_err value_index_build(const struct graph_version *version, uint32_t key,
                              struct value_index **out)
{
    struct value_index *index = sh_alloc(sizeof(*index));
    uint32_t counts[VALUE_KINDS] = {0};
    *out = NULL;
    if (index == NULL)
        return SH_NOMEM;
    count_kinds(version, key, counts);
    for (int i = 0; i < VALUE_KINDS; i++)
        index->starts[i + 1] = index->starts[i] + counts[i];
    index->entries =
        sh_alloc_array((size_t)index->starts[VALUE_KINDS] + 1, sizeof(*index->entries));
    enum sh_err err = index->entries ? seen_take(version, &index->seen) : SH_NOMEM;
    if (err != SH_OK) {
        value_index_free(&index);
        return err;
    }
    fill(index, version, key);
    *out = index;
    return SH_OK;
}

void value_index_free(struct value_index **index)
{
    if (*index == NULL)
        return;
    seen_free(&(*index)->seen);
    sh_free((*index)->entries);
    sh_free(*index);
    *index = NULL;
}

size_t value_index_bytes(const struct value_index *index)
{
    return sizeof(*index) + index->seen.count * sizeof(*index->seen.versions) +
           index->starts[VALUE_KINDS] * sizeof(*index->entries);
}

/* --- ranges ----------------------------------------------------------------------- */

bool value_range_equal(const struct value *value, struct value_range *out)
{
    struct value_entry entry;
    *out = (struct value_range){0};
    if (!read_value(value, &out->kind, &entry))
        return false;
    out->low = out->high = entry.order;
    out->one = out->kind == VALUES_TEXTS;
    out->mix = entry.mix;
    return true;
}

bool value_range_from(const struct value *value, struct value_range *out)
{
    bool known = value_range_equal(value, out);
    out->high = UINT64_MAX;
    out->one = false;
    return known;
}

bool value_range_to(const struct value *value, struct value_range *out)
{
    bool known = value_range_equal(value, out);
    out->low = 0;
    out->one = false;
    return known;
}

void value_range_prefix(struct sh_bytes prefix, struct value_range *out)
{
    *out = (struct value_range){.kind = VALUES_TEXTS,
                                .low = text_order(prefix, 0),
                                .high = text_order(prefix, UINT8_MAX)};
}

/* --- looking ---------------------------------------------------------------------- */

/* The first entry of the kind that is not before this one. */
static uint32_t find(const struct value_index *index, enum value_kind kind,
                     const struct value_entry *wanted)
{
    uint32_t low = index->starts[kind];
    uint32_t high = index->starts[kind + 1];
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        if (compare(&index->entries[middle], wanted) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint32_t first_of(const struct value_index *index, const struct value_range *range)
{
    const struct value_entry wanted = {range->low, range->one ? range->mix : 0, 0};
    return find(index, range->kind, &wanted);
}

/* No place is UINT32_MAX. */
static uint32_t end_of(const struct value_index *index, const struct value_range *range)
{
    const struct value_entry wanted = {range->high, range->one ? range->mix : UINT32_MAX,
                                       UINT32_MAX};
    return find(index, range->kind, &wanted);
}

size_t value_index_count(const struct value_index *index, const struct value_range *range)
{
    uint32_t first = first_of(index, range);
    uint32_t end = end_of(index, range);
    return end > first ? end - first : 0;
}

void value_index_add(const struct value_index *index, const struct graph_version *version,
                     const struct value_range *range, roaring_bitmap_t *out)
{
    uint32_t end = end_of(index, range);
    for (uint32_t i = first_of(index, range); i < end; i++)
        if (seen_place(&index->seen, version, index->entries[i].place))
            roaring_bitmap_add(out, index->entries[i].place);
}

void value_index_add_changed(const struct value_index *index,
                             const struct graph_version *version, roaring_bitmap_t *out)
{
    for (uint32_t page = 0; page < version->nodes.page_count; page++) {
        uint64_t first = (uint64_t)page << PAGE_BITS;
        if (!seen_page(&index->seen, version, page))
            roaring_bitmap_add_range(out, first, first + PAGE_ITEMS);
    }
}
