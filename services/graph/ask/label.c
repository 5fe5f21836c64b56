/* A page of the nodes of a label. */
#include <roaring/roaring.h>
#include <stdlib.h>

#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"
#include "services/graph/find/value_finder.h"

enum { FILTERS_MAX = 16 };

struct filter {
    uint32_t key;
    struct sh_bytes text;
};

struct sorted {
    uint32_t place;
    struct value value;
};

struct listing {
    struct question *question;
    struct filter filters[FILTERS_MAX];
    size_t filter_count;
    uint32_t sort; /* key; WALK_ANY: by place */
    struct sorted *items;
    size_t count;
};

/* --- filters ---------------------------------------------------------------------- */

/* What a person writes in an address: a number equals one however it is written. */
static bool equals(const struct value *value, struct sh_bytes text)
{
    char copy[64] = "";
    char *end;
    if (value->type == VALUE_STRING)
        return sh_bytes_equal(value->text, text);
    if (value->type == VALUE_BOOLEAN)
        return sh_bytes_is(text, value->flag ? "true" : "false");
    if (text.len == 0 || text.len >= sizeof(copy))
        return false;
    memcpy(copy, text.data, text.len);
    if (value->type == VALUE_INTEGER) {
        long long number = strtoll(copy, &end, 10);
        return *end == '\0' && number == value->integer;
    }
    return value->type == VALUE_FLOAT && strtod(copy, &end) == value->real &&
           *end == '\0';
}

static bool passes(const struct listing *listing, const struct node *node)
{
    for (size_t i = 0; i < listing->filter_count; i++) {
        struct value value;
        if (!values_get(node->body->properties, listing->filters[i].key, &value) ||
            !equals(&value, listing->filters[i].text))
            return false;
    }
    return true;
}

/* False: some name is no property of anything. */
static bool read_filters(struct listing *listing, const struct graph_label_query *query)
{
    const struct symbols *keys = graph_keys(listing->question->reader.graph);
    for (size_t i = 0; i + 1 < query->filters_count; i += 2) {
        struct filter *filter = &listing->filters[listing->filter_count++];
        filter->text = query->filters[i + 1];
        if (!symbols_find(keys, query->filters[i], &filter->key))
            return false;
    }
    return true;
}

/* --- what there is
 * ------------------------------------------------------------------------ */

static const roaring_bitmap_t *places_of(const struct question *question,
                                         struct sh_bytes label)
{
    uint32_t number;
    if (!symbols_find(graph_labels(question->reader.graph), label, &number))
        return NULL;
    const roaring_bitmap_t *const *places =
        pages_at(&question->reader.version->labels, number);
    return places ? *places : NULL;
}

static bool keep(uint32_t place, void *arg)
{
    struct listing *listing = arg;
    const struct node *node = graph_node(&listing->question->reader, place);
    if (node == NULL || !passes(listing, node))
        return true;
    struct sorted *item = &listing->items[listing->count++];
    *item = (struct sorted){.place = place, .value.type = VALUE_NULL};
    if (listing->sort != WALK_ANY)
        (void)values_get(node->body->properties, listing->sort, &item->value);
    return true;
}

/* What equals() takes for equal to that text; how many ranges. */
static size_t ranges_of(struct sh_bytes text, struct value_range out[4])
{
    char copy[64] = "";
    struct value boolean = {.type = VALUE_BOOLEAN, .flag = sh_bytes_is(text, "true")};
    struct value string = {.type = VALUE_STRING, .text = text};
    size_t count = 0;
    (void)value_range_equal(&string, &out[count++]);
    if (boolean.flag || sh_bytes_is(text, "false"))
        (void)value_range_equal(&boolean, &out[count++]);
    if (text.len == 0 || text.len >= sizeof(copy))
        return count;
    memcpy(copy, text.data, text.len);
    struct value real = {.type = VALUE_FLOAT, .real = strtod(copy, NULL)};
    struct value integer = {.type = VALUE_INTEGER, .integer = strtoll(copy, NULL, 10)};
    count += value_range_equal(&real, &out[count]);
    count += value_range_equal(&integer, &out[count]);
    return count;
}

/* Those of the label that may pass the first filter, by the index of its property; NULL:
 * all of the label have to be looked at. The caller frees it. */
static enum sh_err narrow(const struct listing *listing, const roaring_bitmap_t *label,
                          roaring_bitmap_t **out)
{
    const struct question *question = listing->question;
    uint64_t size = roaring_bitmap_get_cardinality(label);
    struct value_range ranges[4];
    *out = NULL;
    if (question->values == NULL || listing->filter_count == 0 ||
        size < VALUE_FINDER_LEAST)
        return SH_OK;
    struct value_question wanted = {
        .key = listing->filters[0].key, .ranges = ranges, .most = (size_t)size / 2};
    wanted.count = ranges_of(listing->filters[0].text, ranges);
    enum sh_err err =
        value_finder_find(question->values, &question->reader, &wanted, out);
    if (*out != NULL)
        roaring_bitmap_and_inplace(*out, label);
    return err;
}

static enum sh_err gather(struct listing *listing, const struct graph_label_query *query)
{
    struct question *question = listing->question;
    const roaring_bitmap_t *places = places_of(question, query->label);
    if (places == NULL || !read_filters(listing, query))
        return SH_OK;
    roaring_bitmap_t *narrowed;
    enum sh_err err = narrow(listing, places, &narrowed);
    if (narrowed != NULL)
        places = narrowed;
    size_t most = (size_t)roaring_bitmap_get_cardinality(places);
    if (err == SH_OK)
        listing->items =
            sh_arena_array(&question->arena, most + 1, sizeof(*listing->items));
    if (err == SH_OK && listing->items == NULL)
        err = SH_NOMEM;
    if (err == SH_OK)
        (void)roaring_iterate(places, keep, listing);
    if (narrowed != NULL)
        roaring_bitmap_free(narrowed);
    return err;
}

/* --- order
 * --------------------------------------------------------------------------------- */

static int compare(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    int order = values_compare(&a->value, &b->value);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

/* What has no such value comes last either way. */
static int compare_descending(const void *left, const void *right)
{
    const struct sorted *a = left;
    const struct sorted *b = right;
    bool last = a->value.type == VALUE_NULL;
    if (last != (b->value.type == VALUE_NULL))
        return last ? 1 : -1;
    int order = values_compare(&b->value, &a->value);
    return order != 0 ? order : (a->place > b->place) - (a->place < b->place);
}

static void sort(struct listing *listing, const struct graph_label_query *query)
{
    if (listing->count > 1 && listing->sort != WALK_ANY)
        qsort(listing->items, listing->count, sizeof(*listing->items),
              query->descending ? compare_descending : compare);
}

/* --- the page
 * -------------------------------------------------------------------------------- */

static enum sh_err write_page(const struct listing *listing,
                              const struct graph_label_query *query,
                              struct graph_node_page *reply)
{
    uint64_t first = (uint64_t)(query->page - 1) * query->per_page;
    uint32_t places[1000];
    size_t count = 0;
    while (count < query->per_page && first + count < listing->count) {
        places[count] = listing->items[first + count].place;
        count++;
    }
    reply->total = listing->count;
    reply->nodes_count = count;
    return write_nodes(listing->question, places, count, &reply->nodes);
}

static enum sh_err answer(struct question *question)
{
    const struct graph_label_query *query = question->request;
    struct listing listing = {.question = question, .sort = WALK_ANY};
    if (query->page == 0 || query->per_page == 0)
        return SH_INVALID;
    if (query->sort.len > 0 &&
        !symbols_find(graph_keys(question->reader.graph), query->sort, &listing.sort))
        listing.sort = WALK_ANY; /* nothing has it: all are equal */
    enum sh_err err = gather(&listing, query);
    if (err != SH_OK)
        return err;
    sort(&listing, query);
    return write_page(&listing, query, question->reply);
}

const struct question_kind label_question = {
    .method = METHOD_GRAPH_LABEL,
    .name = "graph.label",
    .request = graph_label_query_desc,
    .reply = graph_node_page_desc,
    .request_size = sizeof(struct graph_label_query),
    .reply_size = sizeof(struct graph_node_page),
    .answer = answer,
};
