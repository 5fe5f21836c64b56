#include "services/graph/ask/schema.h"

#include <stdlib.h>

#include "services/graph/ask/asked.h"

enum { NAME_MAX_BYTES = 256, NAMES_MAX = 4096, KEYS_MAX = 1024, ENDS_MAX = 1024 };

/* The tally's items of one kind and what, summed over what the caller may see. */
struct sum {
    uint32_t what[TALLY_WHAT];
    uint64_t count;
};

struct sums { /* of one kind, in order of `what`; none is 0 */
    struct sum *items;
    size_t count;
};

/* --- sums ------------------------------------------------------------------------- */

static bool permitted(const struct graph_reader *reader, const struct tally_key *key)
{
    for (size_t i = 0; i < TALLY_CLASSES; i++)
        if (!graph_permits(reader, key->access[i]))
            return false;
    return true;
}

static enum sh_err sum_up(const struct graph_reader *reader, enum tally_kind kind,
                          struct sh_arena *arena, struct sums *out)
{
    const struct tally_list *list = reader->version->tally;
    size_t most = list ? list->count : 0;
    struct sum *items = sh_arena_array(arena, most + 1, sizeof(*items));
    *out = (struct sums){items, 0};
    if (items == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < most; i++) {
        const struct tally_item *item = &list->items[i];
        if (item->key.kind != (uint32_t)kind || !permitted(reader, &item->key))
            continue;
        struct sum *last = out->count > 0 ? &items[out->count - 1] : NULL;
        if (last == NULL || memcmp(last->what, item->key.what, sizeof(last->what)) != 0) {
            last = &items[out->count++];
            memcpy(last->what, item->key.what, sizeof(last->what));
        }
        last->count += (uint64_t)item->count;
    }
    return SH_OK;
}

/* How many from `first` on have the same first number. */
static size_t run_length(const struct sums *sums, size_t first)
{
    size_t end = first;
    while (end < sums->count && sums->items[end].what[0] == sums->items[first].what[0])
        end++;
    return end - first;
}

/* The first that has this number first; the sums' count when none has. */
static size_t find(const struct sums *sums, uint32_t number)
{
    size_t low = 0;
    size_t high = sums->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (sums->items[middle].what[0] < number)
            low = middle + 1;
        else
            high = middle;
    }
    return low < sums->count && sums->items[low].what[0] == number ? low : sums->count;
}

static int compare_texts(struct sh_bytes a, struct sh_bytes b)
{
    size_t len = a.len < b.len ? a.len : b.len;
    int order = len > 0 ? memcmp(a.data, b.data, len) : 0;
    return order != 0 ? order : (a.len > b.len) - (a.len < b.len);
}

/* --- labels ----------------------------------------------------------------------- */

static int compare_properties(const void *left, const void *right)
{
    const struct graph_property *a = left;
    const struct graph_property *b = right;
    return compare_texts(a->name, b->name);
}

static int compare_labels(const void *left, const void *right)
{
    const struct graph_label *a = left;
    const struct graph_label *b = right;
    return compare_texts(a->name, b->name);
}

/* The property whose types are the sums from `first` on; how many those are. */
static size_t build_property(const struct graph_reader *reader, const struct sums *sums,
                             size_t first, size_t end, struct sh_bytes *types,
                             struct graph_property *out)
{
    uint32_t key = sums->items[first].what[1];
    size_t count = 0;
    for (; first + count < end && sums->items[first + count].what[1] == key; count++)
        types[count] = sh_bytes_of(
            value_type_name((enum value_type)sums->items[first + count].what[2]));
    *out = (struct graph_property){.name = symbols_text(graph_keys(reader->graph), key),
                                   .types = types,
                                   .types_count = count};
    return count;
}

static enum sh_err build_properties(const struct graph_reader *reader,
                                    const struct sums *sums, size_t first, size_t count,
                                    struct sh_arena *arena, struct graph_label *label)
{
    struct graph_property *list = sh_arena_array(arena, count + 1, sizeof(*list));
    struct sh_bytes *types = sh_arena_array(arena, count + 1, sizeof(*types));
    size_t end = first + count;
    size_t built = 0;
    if (list == NULL || types == NULL)
        return SH_NOMEM;
    for (size_t at = first; at < end;) {
        at += build_property(reader, sums, at, end, &types[at - first], &list[built]);
        built += list[built].name.len <= NAME_MAX_BYTES;
    }
    qsort(list, built, sizeof(*list), compare_properties);
    label->properties = list;
    label->properties_count = built < KEYS_MAX ? built : KEYS_MAX;
    return SH_OK;
}

static enum sh_err build_labels(const struct graph_reader *reader, struct sh_arena *arena,
                                struct graph_schema_reply *out)
{
    struct sums labels;
    struct sums properties;
    enum sh_err err = sum_up(reader, TALLY_LABEL, arena, &labels);
    if (err == SH_OK)
        err = sum_up(reader, TALLY_PROPERTY, arena, &properties);
    if (err != SH_OK)
        return err;
    struct graph_label *list = sh_arena_array(arena, labels.count + 1, sizeof(*list));
    size_t built = 0;
    if (list == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < labels.count && err == SH_OK; i++) {
        uint32_t number = labels.items[i].what[0];
        struct sh_bytes name = symbols_text(graph_labels(reader->graph), number);
        if (name.len > NAME_MAX_BYTES)
            continue;
        list[built] = (struct graph_label){.name = name, .count = labels.items[i].count};
        size_t first = find(&properties, number);
        err = build_properties(reader, &properties, first, run_length(&properties, first),
                               arena, &list[built++]);
    }
    qsort(list, built, sizeof(*list), compare_labels);
    out->labels = list;
    out->labels_count = built < NAMES_MAX ? built : NAMES_MAX;
    return err;
}

/* --- relationship types ----------------------------------------------------------- */

static int compare_names(const void *left, const void *right)
{
    return compare_texts(*(const struct sh_bytes *)left, *(const struct sh_bytes *)right);
}

static int compare_types(const void *left, const void *right)
{
    const struct graph_type *a = left;
    const struct graph_type *b = right;
    return compare_texts(a->name, b->name);
}

/* The labels at one end of the joins of a type, each once. NULL: out of memory. */
static const struct sh_bytes *build_ends(const struct graph_reader *reader,
                                         const struct sums *joins, size_t end,
                                         struct sh_arena *arena, size_t *count)
{
    struct sh_bytes *names = sh_arena_array(arena, joins->count + 1, sizeof(*names));
    size_t kept = 0;
    if (names == NULL)
        return NULL;
    for (size_t i = 0; i < joins->count; i++)
        names[i] = symbols_text(graph_labels(reader->graph), joins->items[i].what[end]);
    qsort(names, joins->count, sizeof(*names), compare_names);
    for (size_t i = 0; i < joins->count; i++)
        if (names[i].len <= NAME_MAX_BYTES &&
            (kept == 0 || !sh_bytes_equal(names[i], names[kept - 1])))
            names[kept++] = names[i];
    *count = kept < ENDS_MAX ? kept : ENDS_MAX;
    return names;
}

static enum sh_err build_type(const struct graph_reader *reader, const struct sums *joins,
                              uint32_t number, struct sh_arena *arena,
                              struct graph_type *type)
{
    size_t first = find(joins, number);
    const struct sums own = {joins->items + first, run_length(joins, first)};
    type->from_labels = build_ends(reader, &own, 1, arena, &type->from_labels_count);
    type->to_labels = build_ends(reader, &own, 2, arena, &type->to_labels_count);
    return type->from_labels && type->to_labels ? SH_OK : SH_NOMEM;
}

static enum sh_err build_types(const struct graph_reader *reader, struct sh_arena *arena,
                               struct graph_schema_reply *out)
{
    struct sums types;
    struct sums joins;
    enum sh_err err = sum_up(reader, TALLY_EDGES, arena, &types);
    if (err == SH_OK)
        err = sum_up(reader, TALLY_JOIN, arena, &joins);
    if (err != SH_OK)
        return err;
    struct graph_type *list = sh_arena_array(arena, types.count + 1, sizeof(*list));
    size_t built = 0;
    if (list == NULL)
        return SH_NOMEM;
    for (size_t i = 0; i < types.count && err == SH_OK; i++) {
        uint32_t number = types.items[i].what[0];
        struct sh_bytes name = symbols_text(graph_types(reader->graph), number);
        out->edges += types.items[i].count;
        if (name.len > NAME_MAX_BYTES)
            continue;
        list[built] = (struct graph_type){.name = name, .count = types.items[i].count};
        err = build_type(reader, &joins, number, arena, &list[built++]);
    }
    qsort(list, built, sizeof(*list), compare_types);
    out->types = list;
    out->types_count = built < NAMES_MAX ? built : NAMES_MAX;
    return err;
}

/* --- the whole -------------------------------------------------------------------- */

enum sh_err schema_build(const struct graph_reader *reader, struct sh_arena *arena,
                         struct graph_schema_reply *out)
{
    struct sums nodes;
    *out = (struct graph_schema_reply){.nodes = 0};
    enum sh_err err = sum_up(reader, TALLY_NODES, arena, &nodes);
    if (err == SH_OK && nodes.count > 0)
        out->nodes = nodes.items[0].count;
    if (err == SH_OK)
        err = build_labels(reader, arena, out);
    return err == SH_OK ? build_types(reader, arena, out) : err;
}

static enum sh_err answer(struct question *question)
{
    return schema_build(&question->reader, &question->arena, question->reply);
}

const struct question_kind schema_question = {
    .method = METHOD_GRAPH_SCHEMA,
    .name = "graph.schema",
    .reply = graph_schema_reply_desc,
    .reply_size = sizeof(struct graph_schema_reply),
    .answer = answer,
};
