#include "services/search/filter/columns_facets.h"

#include <stdlib.h>

#include "services/search/filter/columns_internal.h"
#include "shared/clock.h"

enum {
    CLOCK_EVERY = 1024, /* values between two looks at the clock */
    DIVIDING = 8,       /* fields that are offered where none were named */
    CANDIDATES = 32,    /* columns that are looked at for them */
    KNOWN_MOST = 4096,  /* values of such a column, as of titles */
    OFFERED_MOST = 64,  /* values in the set; of more one does not choose */
};

struct counting {
    const struct columns *columns;
    const struct facets_wanted *wanted;
    struct facet *facet;
    uint32_t seen;
};

/* --- a value ---------------------------------------------------------------------- */

static uint64_t count_runs(const struct columns *columns, uint32_t document,
                           const roaring_bitmap_t *of)
{
    uint32_t count = 0;
    const struct slot_run *runs = places_runs(&columns->places, document, &count);
    uint64_t total = 0;
    for (uint32_t i = 0; i < count; i++)
        total += roaring_bitmap_range_cardinality(
            of, runs[i].first, (uint64_t)runs[i].first + runs[i].count);
    return total;
}

static uint64_t count_set(const struct columns *columns, const struct slot_set *set,
                          const roaring_bitmap_t *of)
{
    if (set->count == 0)
        return 0;
    if (slot_set_is_many(set))
        return roaring_bitmap_and_cardinality(set->many->slots, of);
    const uint32_t *documents = slot_set_documents(set);
    uint64_t total = 0;
    for (uint32_t i = 0; i < set->count; i++)
        total += count_runs(columns, documents[i], of);
    return total;
}

static int rank_of(enum metadata_type type)
{
    return type == METADATA_NUMBER ? 0 : type == METADATA_TEXT ? 1 : 2;
}

static int compare_texts(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* < 0: `a` comes first. */
static int compare(const struct facet_value *a, const struct facet_value *b)
{
    if (a->count != b->count)
        return a->count > b->count ? -1 : 1;
    if (a->type != b->type)
        return rank_of(a->type) - rank_of(b->type);
    if (a->type == METADATA_TEXT)
        return compare_texts(a->text, b->text);
    return (a->number > b->number) - (a->number < b->number);
}

static void keep(struct facet *facet, uint32_t most, const struct facet_value *value)
{
    uint32_t at = facet->count;
    if (at == most && compare(value, &facet->values[most - 1]) >= 0)
        return;
    if (at == most)
        at--;
    else
        facet->count++;
    for (; at > 0 && compare(value, &facet->values[at - 1]) < 0; at--)
        facet->values[at] = facet->values[at - 1];
    facet->values[at] = *value;
}

static enum sh_err take(struct counting *counting, const struct slot_set *set,
                        struct facet_value value)
{
    const struct facets_wanted *wanted = counting->wanted;
    if (++counting->seen % CLOCK_EVERY == 0 && sh_now_ms() >= wanted->deadline_ms)
        return SH_TIMEOUT;
    value.count = count_set(counting->columns, set, wanted->of);
    if (value.count == 0)
        return SH_OK;
    counting->facet->distinct++;
    if (value.type != METADATA_TEXT || value.text.len <= FACET_TEXT)
        keep(counting->facet, wanted->values, &value);
    return SH_OK;
}

/* --- a column --------------------------------------------------------------------- */

static enum sh_err take_texts(struct counting *counting, const struct texts *texts)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < texts->bucket_count; i++) {
        const struct text_value *value = texts->buckets[i];
        for (; err == SH_OK && value; value = value->next)
            err = take(counting, &value->set,
                       (struct facet_value){.type = METADATA_TEXT,
                                            .text = {value->text, value->len}});
    }
    return err;
}

static enum sh_err take_numbers(struct counting *counting, const struct ordered *numbers)
{
    struct ordered_at at = {0};
    const struct ordered_entry *entry = NULL;
    enum sh_err err = SH_OK;
    while (err == SH_OK && (entry = ordered_next(numbers, &at)) != NULL)
        err = take(counting, &entry->set,
                   (struct facet_value){.type = METADATA_NUMBER, .number = entry->key});
    return err;
}

/* `column` NULL: nothing has the field. Errors: SH_NOMEM, SH_TIMEOUT. */
static enum sh_err count_column(struct counting *counting, const struct column *column,
                                struct sh_bytes field, struct sh_arena *arena)
{
    struct facet *facet = counting->facet;
    *facet = (struct facet){.field = field};
    facet->values =
        sh_arena_array(arena, counting->wanted->values, sizeof(*facet->values));
    if (!facet->values)
        return SH_NOMEM;
    if (!column)
        return SH_OK;
    enum sh_err err = take_texts(counting, &column->texts);
    if (err == SH_OK)
        err = take_numbers(counting, &column->numbers);
    for (int flag = 0; err == SH_OK && flag < 2; flag++)
        err = take(counting, &column->flags[flag],
                   (struct facet_value){.type = METADATA_FLAG, .number = flag});
    return err;
}

/* --- where no fields are named ---------------------------------------------------- */

struct candidate {
    const struct column *column;
    struct sh_bytes field;
    uint64_t rank; /* more is better */
    struct facet facet;
};

static const char collection[] = "collection";

static uint64_t values_of(const struct column *column)
{
    uint64_t count = column->texts.count;
    for (uint32_t i = 0; i < column->numbers.count; i++)
        count += column->numbers.blocks[i].count;
    return count + (column->flags[0].count > 0) + (column->flags[1].count > 0);
}

static int by_rank(const void *a, const void *b)
{
    const struct candidate *left = a;
    const struct candidate *right = b;
    if (left->rank != right->rank)
        return left->rank > right->rank ? -1 : 1;
    return compare_texts(left->field, right->field);
}

/* The columns that most documents have: `room` of them at most. */
static size_t find_candidates(const struct columns *columns, struct candidate *out)
{
    size_t count = 0;
    out[count++] = (struct candidate){.column = &columns->fixed[FIELD_COLLECTION],
                                      .field = sh_bytes_of(collection),
                                      .rank = UINT64_MAX};
    for (uint32_t i = 0; i < columns->bucket_count; i++) {
        for (const struct column *column = columns->buckets[i]; column;
             column = column->next) {
            struct candidate one = {column,
                                    {column->key, column->key_len},
                                    column->having.count,
                                    {{0}, 0, NULL, 0}};
            if (sh_bytes_is(one.field, collection) || values_of(column) < 2 ||
                values_of(column) > KNOWN_MOST)
                continue;
            if (count == CANDIDATES && by_rank(&one, &out[count - 1]) >= 0)
                continue;
            size_t at = count < CANDIDATES ? count++ : count - 1;
            for (; at > 0 && by_rank(&one, &out[at - 1]) < 0; at--)
                out[at] = out[at - 1];
            out[at] = one;
        }
    }
    return count;
}

static enum sh_err dividing_fields(struct counting *counting, struct sh_arena *arena,
                                   struct facet *out, size_t *count)
{
    struct candidate *found = sh_arena_array(arena, CANDIDATES, sizeof(*found));
    enum sh_err err = found ? SH_OK : SH_NOMEM;
    size_t most = found ? find_candidates(counting->columns, found) : 0;
    size_t kept = 0;
    for (size_t i = 0; err == SH_OK && i < most; i++) {
        struct candidate *one = &found[i];
        counting->facet = &one->facet;
        err = count_column(counting, one->column, one->field, arena);
        if (one->facet.distinct < 2 || one->facet.distinct > OFFERED_MOST)
            continue;
        one->rank = 0;
        for (uint32_t v = 0; v < one->facet.count; v++)
            one->rank += one->facet.values[v].count;
        found[kept++] = *one;
    }
    if (kept > 1)
        qsort(found, kept, sizeof(*found), by_rank);
    for (*count = 0; err == SH_OK && *count < kept && *count < DIVIDING; (*count)++)
        out[*count] = found[*count].facet;
    return err;
}

enum sh_err columns_facets(const struct columns *self, const struct facets_wanted *wanted,
                           struct sh_arena *arena, struct facet **out, size_t *count)
{
    struct counting counting = {.columns = self, .wanted = wanted};
    enum sh_err err = SH_OK;
    *count = 0;
    *out = sh_arena_array(arena, FACET_FIELDS, sizeof(**out));
    if (!*out)
        return SH_NOMEM;
    if (wanted->field_count == 0)
        return dividing_fields(&counting, arena, *out, count);
    for (size_t i = 0; err == SH_OK && i < wanted->field_count && i < FACET_FIELDS; i++) {
        struct sh_bytes field = wanted->fields[i];
        counting.facet = &(*out)[(*count)++];
        err = count_column(&counting,
                           sh_bytes_is(field, collection) ? &self->fixed[FIELD_COLLECTION]
                                                          : columns_find(self, field),
                           field, arena);
    }
    return err;
}
