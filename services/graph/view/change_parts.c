#include "services/graph/view/change.h"
#include "shared/log.h"

enum { DEPARTMENT_MAX = 256 }; /* of a caller */

enum sh_err change_push(struct list *list, const void *item, size_t size)
{
    if (list->count == list->capacity) {
        size_t capacity = list->capacity == 0 ? 64 : list->capacity * 2;
        void *items = sh_realloc(list->items, capacity * size);
        if (items == NULL)
            return SH_NOMEM;
        list->items = items;
        list->capacity = capacity;
    }
    memcpy((char *)list->items + list->count++ * size, item, size);
    return SH_OK;
}

int change_compare_numbers(const void *left, const void *right)
{
    uint32_t a = *(const uint32_t *)left;
    uint32_t b = *(const uint32_t *)right;
    return (a > b) - (a < b);
}

/* --- memory that belongs to versions ---------------------------------------------- */

void *change_make(struct change *change, size_t size)
{
    void *made = sh_alloc(size);
    if (made != NULL && retired_add(&change->memory.made, made, sh_free) != SH_OK) {
        sh_free(made);
        return NULL;
    }
    return made;
}

enum sh_err change_replace(struct change *change, void *memory)
{
    if (memory == NULL)
        return SH_OK;
    return retired_add(&change->memory.replaced, memory, sh_free);
}

struct node *change_edit_node(struct change *change, uint32_t place)
{
    return pages_edit(&change->next->nodes, place, &change->memory);
}

struct edge *change_edit_edge(struct change *change, uint32_t place)
{
    return pages_edit(&change->next->edges, place, &change->memory);
}

const struct node *change_node(const struct change *change, uint32_t place)
{
    return pages_at(&change->next->nodes, place);
}

const struct edge *change_edge(const struct change *change, uint32_t place)
{
    return pages_at(&change->next->edges, place);
}

/* A department that is longer than any caller's can be is nobody's. */
enum sh_err change_class(struct change *change, uint32_t clearance,
                         struct sh_bytes department, uint32_t *class)
{
    char text[1 + DEPARTMENT_MAX + 1];
    size_t len =
        department.len <= DEPARTMENT_MAX ? department.len : (size_t)DEPARTMENT_MAX + 1;
    text[0] = (char)clearance;
    if (len > 0)
        memcpy(text + 1, department.data, len);
    return symbols_add(change->graph->classes, (struct sh_bytes){text, len + 1}, class);
}

struct sh_bytes change_place_text(char **end, struct sh_bytes text)
{
    struct sh_bytes placed = {*end, text.len};
    if (text.len > 0)
        memcpy(*end, text.data, text.len);
    *end += text.len;
    return placed;
}

/* The record has made sure of an object; what is left is a number that nothing here can
 * hold, which must not keep the rest of the graph away. */
enum sh_err change_pack(struct change *change, struct sh_bytes id,
                        struct sh_bytes properties)
{
    struct symbols *keys = change->graph->keys;
    sh_buffer_clear(&change->packed);
    enum sh_err err = values_pack(properties, keys, &change->packed);
    if (err != SH_MALFORMED)
        return err;
    sh_error(NULL, "the properties of %.*s cannot be read and are left out", (int)id.len,
             (const char *)id.data);
    sh_buffer_clear(&change->packed);
    return values_pack(sh_bytes_of("{}"), keys, &change->packed);
}

uint32_t change_take_place(const struct freed *freed, size_t *left, uint32_t *end)
{
    return *left > 0 ? freed->places[--*left] : (*end)++;
}

static struct lookup *larger_ids(struct change *change, struct lookup *old, uint32_t end,
                                 bool nodes)
{
    struct lookup *table = lookup_create(end + 1);
    if (table == NULL || retired_add(&change->memory.made, table, sh_free) != SH_OK) {
        sh_free(table);
        return NULL;
    }
    if (change_replace(change, old) != SH_OK)
        return NULL;
    for (uint32_t i = 0; i < end; i++) {
        const struct node *node = nodes ? change_node(change, i) : NULL;
        const struct edge *edge = nodes ? NULL : change_edge(change, i);
        if (node && node->body)
            lookup_add(table, lookup_hash(node->body->id), i);
        if (edge && edge->body)
            lookup_add(table, lookup_hash(edge->body->id), i);
    }
    return table;
}

enum sh_err change_file_id(struct change *change, struct sh_bytes id, uint32_t place,
                           bool node)
{
    struct lookup **table = node ? &change->next->node_ids : &change->next->edge_ids;
    if (lookup_is_full(*table)) {
        uint32_t end = node ? change->next->node_end : change->next->edge_end;
        struct lookup *larger = larger_ids(change, *table, end, node);
        if (larger == NULL)
            return SH_NOMEM;
        *table = larger;
    }
    lookup_add(*table, lookup_hash(id), place);
    return SH_OK;
}

static struct numbers *larger_numbers(struct change *change, struct numbers *old,
                                      uint32_t end, bool nodes)
{
    struct numbers *table = numbers_create(end + 1);
    if (table == NULL || retired_add(&change->memory.made, table, sh_free) != SH_OK) {
        sh_free(table);
        return NULL;
    }
    if (change_replace(change, old) != SH_OK)
        return NULL;
    for (uint32_t i = 0; i < end; i++) {
        const struct node *node = nodes ? change_node(change, i) : NULL;
        const struct edge *edge = nodes ? NULL : change_edge(change, i);
        if (node && node->body && node->body->number != 0)
            numbers_add(table, node->body->number, i);
        if (edge && edge->body && edge->body->number != 0)
            numbers_add(table, edge->body->number, i);
    }
    return table;
}

enum sh_err change_file_number(struct change *change, uint64_t number, uint32_t place,
                               bool node)
{
    struct numbers **table =
        node ? &change->next->node_numbers : &change->next->edge_numbers;
    if (number == 0)
        return SH_OK;
    if (numbers_is_full(*table)) {
        uint32_t end = node ? change->next->node_end : change->next->edge_end;
        struct numbers *larger = larger_numbers(change, *table, end, node);
        if (larger == NULL)
            return SH_NOMEM;
        *table = larger;
    }
    numbers_add(*table, number, place);
    return SH_OK;
}
