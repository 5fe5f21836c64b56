#include "services/search/text/terms.h"

#include "shared/mem.h"

enum { LEAST_TABLE = 1024, MOST_TEXT = UINT8_MAX };

/* FNV-1a with a final mix: terms are short and the table's size is a power of two. */
uint32_t terms_hash(struct sh_bytes text)
{
    const uint8_t *data = text.data;
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < text.len; i++)
        hash = (hash ^ data[i]) * UINT64_C(0x100000001b3);
    hash ^= hash >> 32;
    return (uint32_t)(hash * UINT64_C(0x9e3779b97f4a7c15) >> 32);
}

/* Where the term stands or would stand. The table is never full. */
static uint32_t *cell_of(const struct terms *terms, struct sh_bytes text, uint32_t hash)
{
    uint32_t mask = terms->table_size - 1;
    for (uint32_t i = hash & mask;; i = (i + 1) & mask) {
        uint32_t *cell = &terms->table[i];
        if (*cell == 0)
            return cell;
        if (sh_bytes_equal(terms_text(terms, &terms->items[*cell - 1]), text))
            return cell;
    }
}

struct term *terms_find(const struct terms *terms, struct sh_bytes text, uint32_t hash)
{
    if (terms->table_size == 0)
        return NULL;
    uint32_t found = *cell_of(terms, text, hash);
    return found ? &terms->items[found - 1] : NULL;
}

static void fill_table(struct terms *terms)
{
    uint32_t mask = terms->table_size - 1;
    for (uint32_t n = 0; n < terms->count; n++) {
        uint32_t i = terms_hash(terms_text(terms, &terms->items[n])) & mask;
        while (terms->table[i] != 0)
            i = (i + 1) & mask;
        terms->table[i] = n + 1;
    }
}

static enum sh_err grow_table(struct terms *terms)
{
    if (terms->table_size / 4 * 3 > terms->count)
        return SH_OK;
    if (terms->table_size > UINT32_MAX / 4)
        return SH_TOOBIG;
    uint32_t size = terms->table_size ? terms->table_size * 2 : LEAST_TABLE;
    uint32_t *table = sh_alloc_array(size, sizeof(*table));
    if (!table)
        return SH_NOMEM;
    sh_free(terms->table);
    terms->table = table;
    terms->table_size = size;
    fill_table(terms);
    return SH_OK;
}

static enum sh_err grow_items(struct terms *terms)
{
    if (terms->count < terms->capacity)
        return SH_OK;
    uint32_t capacity = terms->capacity + terms->capacity / 8 + 256;
    struct term *items = sh_realloc(terms->items, capacity * sizeof(*items));
    if (!items)
        return SH_NOMEM;
    terms->items = items;
    terms->capacity = capacity;
    return SH_OK;
}

static enum sh_err grow_pool(struct terms *terms, size_t more)
{
    if (more <= terms->pool_capacity - terms->pool_len)
        return SH_OK;
    if (terms->pool_len > UINT32_MAX / 2)
        return SH_TOOBIG;
    uint32_t capacity = terms->pool_len + terms->pool_len / 8 + 4096;
    char *pool = sh_realloc(terms->pool, capacity);
    if (!pool)
        return SH_NOMEM;
    terms->pool = pool;
    terms->pool_capacity = capacity;
    return SH_OK;
}

struct term *terms_add(struct terms *terms, struct sh_bytes text, uint32_t hash)
{
    struct term *found = terms_find(terms, text, hash);
    if (found)
        return found;
    if (text.len > MOST_TEXT || grow_table(terms) != SH_OK ||
        grow_items(terms) != SH_OK || grow_pool(terms, 1 + text.len) != SH_OK ||
        !terms->items)
        return NULL;
    struct term *term = &terms->items[terms->count];
    uint32_t *cell = cell_of(terms, text, hash);
    *term = (struct term){.text = terms->pool_len};
    terms->pool[terms->pool_len] = (char)text.len;
    memcpy(terms->pool + terms->pool_len + 1, text.data, text.len);
    terms->pool_len += 1 + (uint32_t)text.len;
    *cell = terms->count + 1;
    terms->count++;
    return term;
}

enum sh_err terms_reserve(struct terms *terms, uint32_t count, struct sh_bytes pool)
{
    uint32_t size = LEAST_TABLE;
    if (count > UINT32_MAX / 8 || pool.len > UINT32_MAX / 2)
        return SH_TOOBIG;
    while (size / 4 * 3 <= count)
        size *= 2;
    terms->items = sh_alloc_array((size_t)count + 1, sizeof(*terms->items));
    terms->table = sh_alloc_array(size, sizeof(*terms->table));
    terms->pool = sh_alloc(pool.len + 1);
    if (!terms->items || !terms->table || !terms->pool)
        return SH_NOMEM;
    terms->capacity = count;
    terms->table_size = size;
    terms->pool_len = (uint32_t)pool.len;
    terms->pool_capacity = (uint32_t)pool.len;
    if (pool.len > 0)
        memcpy(terms->pool, pool.data, pool.len);
    return SH_OK;
}

void terms_reindex(struct terms *terms)
{
    fill_table(terms);
}

void terms_free(struct terms *terms)
{
    for (uint32_t n = 0; n < terms->count; n++)
        postings_free(&terms->items[n].postings);
    sh_free(terms->items);
    sh_free(terms->table);
    sh_free(terms->pool);
    *terms = (struct terms){0};
}

size_t terms_bytes(const struct terms *terms)
{
    size_t bytes = terms->capacity * sizeof(*terms->items) +
                   terms->table_size * sizeof(*terms->table) + terms->pool_capacity;
    for (uint32_t n = 0; n < terms->count; n++)
        bytes += postings_bytes(&terms->items[n].postings);
    return bytes;
}
