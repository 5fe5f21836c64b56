#include "services/search/filter/campus.h"
#include "services/search/filter/dense.h"
#include "services/search/filter/gather.h"
#include "services/search/filter/geo.h"
#include "shared/clock.h"

/* --- conditions ------------------------------------------------------------------- */

static enum sh_err gather_text(struct gather *gather, const struct column *column,
                               struct sh_bytes text)
{
    uint32_t hash = texts_hash(text, gather->select->columns->seed);
    const struct text_value *value = texts_find(&column->texts, text, hash);
    return value ? gather_set(gather, &value->set) : SH_OK;
}

/* However the documents wrote it: by key or by name. */
static enum sh_err gather_campus(struct gather *gather, struct sh_bytes text)
{
    const struct column *column = &gather->select->columns->fixed[FIELD_CAMPUS];
    enum campus campus = campus_find(text);
    if (text.len == 0)
        return SH_OK;
    if (campus == CAMPUS_COUNT)
        return gather_text(gather, column, text);
    enum sh_err err = gather_text(gather, column, sh_bytes_of(campus_key(campus)));
    return err == SH_OK ? gather_text(gather, column, sh_bytes_of(campus_name(campus)))
                        : err;
}

static enum sh_err gather_equal(struct gather *gather, const struct filter_node *node,
                                const struct column *column)
{
    const struct metadata_value *value = &node->value;
    if (node->field == FIELD_CAMPUS)
        return gather_campus(gather, value->text);
    if (value->type == METADATA_TEXT)
        return gather_text(gather, column, value->text);
    if (value->type == METADATA_FLAG)
        return gather_set(gather, &column->flags[value->number > 0]);
    const struct ordered_entry *entry = ordered_find(&column->numbers, value->number);
    return entry ? gather_set(gather, &entry->set) : SH_OK;
}

static bool is_below_end(const struct filter_range *range, double number)
{
    return range->high_open ? number < range->high : number <= range->high;
}

static enum sh_err gather_range(struct gather *gather, const struct filter_node *node,
                                const struct column *column)
{
    const struct filter_range *range = &node->range;
    const struct ordered *map = range->dates ? &column->dates : &column->numbers;
    struct ordered_at at = ordered_from(map, range->low, range->low_open);
    const struct ordered_entry *last = ordered_last(map);
    enum sh_err err = SH_OK;
    /* every document has a priority and a clearance: nothing to add up */
    if (node->field != FIELD_METADATA && last && at.block == 0 && at.index == 0 &&
        is_below_end(range, last->key))
        return gather_bitmap(gather, gather->select->columns->all);
    const struct ordered_entry *entry = ordered_next(map, &at);
    while (err == SH_OK && entry && is_below_end(range, entry->key)) {
        err = gather_set(gather, &entry->set);
        entry = ordered_next(map, &at);
    }
    return err;
}

/* An object exists when one of its members does: under KEY itself and KEY.anything. */
static enum sh_err gather_keys(struct gather *gather, struct sh_bytes key)
{
    const struct columns *columns = gather->select->columns;
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < columns->bucket_count; i++) {
        const struct column *column = columns->buckets[i];
        for (; err == SH_OK && column; column = column->next) {
            err = gather_tick(gather);
            bool below = column->key_len > key.len && column->key[key.len] == '.';
            if (err == SH_OK && (below || column->key_len == key.len) &&
                memcmp(column->key, key.data, key.len) == 0)
                err = gather_set(gather, &column->having);
        }
    }
    return err;
}

static enum sh_err gather_all_texts(struct gather *gather, const struct texts *texts)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < texts->bucket_count; i++) {
        const struct text_value *value = texts->buckets[i];
        for (; err == SH_OK && value; value = value->next)
            err = gather_set(gather, &value->set);
    }
    return err;
}

static enum sh_err gather_found(void *arg, const struct slot_set *set)
{
    return gather_set(arg, set);
}

static enum sh_err gather_leaf(struct gather *gather, const struct filter_node *node)
{
    const struct columns *columns = gather->select->columns;
    const struct column *column = node->field == FIELD_METADATA
                                      ? columns_find(columns, node->key)
                                      : &columns->fixed[node->field];
    if (sh_now_ms() >= gather->select->deadline_ms)
        return SH_TIMEOUT;
    if (node->kind == FILTER_EXISTS && node->field == FIELD_ID)
        return gather_bitmap(gather, columns->all);
    if (node->kind == FILTER_EXISTS)
        return node->field == FIELD_METADATA ? gather_keys(gather, node->key)
                                             : gather_all_texts(gather, &column->texts);
    if (!column)
        return SH_OK;
    if (node->kind == FILTER_GEO)
        return geo_within(&column->cells[node->geo.sphere], &node->geo, gather_found,
                          gather);
    return node->kind == FILTER_RANGE ? gather_range(gather, node, column)
                                      : gather_equal(gather, node, column);
}

/* --- composition ---------------------------------------------------------------------
 *
 * What is picked need be right only inside `within` (NULL: everywhere), the slots that
 * the conditions before have left.
 */

static enum sh_err pick(struct select *select, const struct filter_node *node,
                        const roaring_bitmap_t *within, struct picked *out);

/* A group of one that adds nothing is its child. */
static const struct filter_node *bare(const struct filter_node *node)
{
    while (node->kind == FILTER_ALL && node->first && !node->first->next)
        node = node->first;
    return node;
}

static bool is_group(const struct filter_node *node)
{
    return node->kind <= FILTER_NONE;
}

/* The union of those children that are groups; *out stays empty when there are none. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err pick_groups(struct select *select, const struct filter_node *node,
                               const roaring_bitmap_t *within, struct picked *out)
{
    enum sh_err err = SH_OK;
    for (const struct filter_node *child = node->first; err == SH_OK && child;
         child = child->next) {
        struct picked one = {0};
        if (!is_group(bare(child)))
            continue;
        err = pick(select, child, within, &one);
        if (err == SH_OK && !out->set) {
            *out = one;
            continue;
        }
        if (err == SH_OK)
            err = picked_keep(out, roaring_bitmap_or(out->set, one.set));
        picked_drop(&one);
    }
    return err;
}

/* The union of the children: groups first, as they need the dense words themselves. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err pick_any(struct select *select, const struct filter_node *node,
                            const roaring_bitmap_t *within, struct picked *out)
{
    struct picked groups = {0};
    struct gather gather = {.select = select, .within = within};
    enum sh_err err = pick_groups(select, node, within, &groups);
    if (err == SH_OK && groups.set)
        err = gather_bitmap(&gather, groups.set);
    for (const struct filter_node *child = node->first; err == SH_OK && child;
         child = child->next) {
        if (!is_group(bare(child)))
            err = gather_leaf(&gather, bare(child));
    }
    err = gather_end(&gather, err, out);
    if (err == SH_OK && out->set == groups.set) /* nothing came to it */
        *out = groups;
    else
        picked_drop(&groups);
    return err;
}

/* One child of FILTER_ALL: what it has stays in *acc, or as FILTER_NONE goes from it. An
 * *acc without a set is everything. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err narrow(struct select *select, const struct filter_node *child,
                          const roaring_bitmap_t *within, struct picked *acc)
{
    struct picked one = {0};
    bool none = child->kind == FILTER_NONE;
    within = acc->set ? acc->set : within;
    enum sh_err err =
        none ? pick_any(select, child, within, &one) : pick(select, child, within, &one);
    if (err != SH_OK)
        return err;
    if (!none && !acc->set) {
        *acc = one;
        return SH_OK;
    }
    const roaring_bitmap_t *from = acc->set ? acc->set : select->columns->all;
    err = picked_keep(acc, none ? roaring_bitmap_andnot(from, one.set)
                                : roaring_bitmap_and(from, one.set));
    picked_drop(&one);
    return err;
}

/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err pick_all(struct select *select, const struct filter_node *node,
                            const roaring_bitmap_t *within, struct picked *out)
{
    enum sh_err err = SH_OK;
    for (int round = 0; round < 2; round++) { /* what takes away comes last */
        for (const struct filter_node *child = node->first; err == SH_OK && child;
             child = child->next) {
            const struct filter_node *only = bare(child);
            if ((only->kind == FILTER_NONE) == (round == 1) &&
                !(out->set && roaring_bitmap_is_empty(out->set)))
                err = narrow(select, only, within, out);
        }
    }
    if (!out->set)
        out->set = select->columns->all;
    return err;
}

/* After an error *out holds nothing. */
/* NOLINTNEXTLINE(misc-no-recursion): FILTER_DEPTH bounds it */
static enum sh_err pick(struct select *select, const struct filter_node *node,
                        const roaring_bitmap_t *within, struct picked *out)
{
    enum sh_err err = SH_OK;
    *out = (struct picked){0};
    node = bare(node);
    if (node->kind == FILTER_ANY) {
        err = pick_any(select, node, within, out);
    } else if (node->kind == FILTER_ALL) {
        err = pick_all(select, node, within, out);
    } else if (node->kind == FILTER_NONE) {
        err = narrow(select, node, within, out);
    } else {
        struct gather gather = {.select = select, .within = within};
        err = gather_leaf(&gather, node);
        err = gather_end(&gather, err, out);
    }
    if (err != SH_OK)
        picked_drop(out);
    return err;
}

/* --- what occurs in the selection ------------------------------------------------- */

static void note_priorities(const struct columns *columns, const roaring_bitmap_t *slots,
                            struct priorities *out)
{
    const struct ordered *map = &columns->fixed[FIELD_PRIORITY].numbers;
    struct ordered_at at = {0};
    const struct ordered_entry *entry = NULL;
    if (roaring_bitmap_is_empty(slots))
        return;
    while ((entry = ordered_next(map, &at)) != NULL) {
        if (!slot_set_meets(&entry->set, &columns->places, slots))
            continue;
        out->least = out->any ? out->least : (uint32_t)entry->key;
        out->most = (uint32_t)entry->key;
        out->any = true;
    }
}

static enum sh_err note_campuses(struct select *select, struct sh_bytes campus,
                                 const roaring_bitmap_t *allowed, struct selection *out)
{
    struct gather gather = {.select = select, .within = allowed};
    struct picked own = {0};
    struct picked others = {0};
    enum sh_err err = gather_campus(&gather, campus);
    err = gather_end(&gather, err, &own);
    if (err == SH_OK && roaring_bitmap_intersect(own.set, allowed)) {
        others.own = roaring_bitmap_andnot(allowed, own.set);
        err = picked_keep(&own, roaring_bitmap_and(allowed, own.set));
        if (!others.own)
            err = SH_NOMEM;
        if (err == SH_OK)
            note_priorities(select->columns, own.set, &out->own);
    }
    if (err == SH_OK)
        note_priorities(select->columns, others.own ? others.own : allowed, &out->others);
    picked_drop(&own);
    picked_drop(&others);
    return err;
}

enum sh_err columns_select(const struct columns *self, const struct filter *filter,
                           uint32_t bits, uint64_t deadline_ms, struct sh_arena *arena,
                           struct selection *out)
{
    struct select select = {.columns = self,
                            .arena = arena,
                            .dense = {.bits = bits},
                            .deadline_ms = deadline_ms};
    struct picked allowed;
    *out = (struct selection){0};
    enum sh_err err = pick(&select, filter->root, NULL, &allowed);
    if (err != SH_OK)
        return err;
    out->count = (uint32_t)roaring_bitmap_get_cardinality(allowed.set);
    err = dense_of(allowed.set, bits, arena, &out->allowed);
    if (err == SH_OK)
        err = note_campuses(&select, filter->caller->campus, allowed.set, out);
    picked_drop(&allowed);
    return err;
}
