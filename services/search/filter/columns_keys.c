/* The columns of metadata: a hash table by key. */
#include "services/search/filter/columns_internal.h"
#include "services/search/filter/geo.h"
#include "shared/mem.h"

static struct column **bucket_of(const struct columns *self, uint32_t hash)
{
    return &self->buckets[hash & (self->bucket_count - 1)];
}

static struct column *find(const struct columns *self, struct sh_bytes key, uint32_t hash)
{
    if (self->bucket_count == 0)
        return NULL;
    struct column *column = *bucket_of(self, hash);
    while (column &&
           (column->hash != hash ||
            !sh_bytes_equal((struct sh_bytes){column->key, column->key_len}, key)))
        column = column->next;
    return column;
}

struct column *columns_find(const struct columns *self, struct sh_bytes key)
{
    return find(self, key, texts_hash(key, self->seed));
}

static enum sh_err grow(struct columns *self)
{
    uint32_t old = self->bucket_count;
    struct column **from = self->buckets;
    struct column **buckets = sh_alloc_array(old ? old * 2 : 32, sizeof(struct column *));
    if (!buckets)
        return SH_NOMEM;
    self->buckets = buckets;
    self->bucket_count = old ? old * 2 : 32;
    for (uint32_t i = 0; i < old; i++) {
        for (struct column *column = from[i], *next; column; column = next) {
            next = column->next;
            struct column **bucket = bucket_of(self, column->hash);
            column->next = *bucket;
            *bucket = column;
        }
    }
    self->bytes += (self->bucket_count - old) * sizeof(struct column *);
    sh_free(from);
    return SH_OK;
}

struct column *columns_add(struct columns *self, struct sh_bytes key)
{
    uint32_t hash = texts_hash(key, self->seed);
    struct column *column = find(self, key, hash);
    if (column)
        return column;
    if (self->column_count >= self->bucket_count && grow(self) != SH_OK)
        return NULL;
    column = sh_alloc(sizeof(*column) + key.len);
    if (!column)
        return NULL;
    column->hash = hash;
    column->key_len = (uint32_t)key.len;
    column->key = (char *)(column + 1);
    if (key.len > 0)
        memcpy(column->key, key.data, key.len);
    column->next = *bucket_of(self, hash);
    *bucket_of(self, hash) = column;
    self->column_count++;
    self->bytes += sizeof(*column) + key.len;
    return column;
}

static bool is_empty(const struct column *column)
{
    return column->having.count == 0 && column->cells[GEO_GLOBE].count == 0 &&
           column->cells[GEO_SKY].count == 0;
}

static void free_sets(struct ordered *map, size_t *bytes)
{
    for (uint32_t i = 0; i < map->count; i++) {
        for (uint32_t n = 0; n < map->blocks[i].count; n++)
            slot_set_free(&map->blocks[i].entries[n].set, bytes);
    }
    ordered_free(map, bytes);
}

void column_clear(struct column *column, size_t *bytes)
{
    slot_set_free(&column->having, bytes);
    slot_set_free(&column->flags[0], bytes);
    slot_set_free(&column->flags[1], bytes);
    texts_free(&column->texts, bytes);
    free_sets(&column->numbers, bytes);
    free_sets(&column->dates, bytes);
    for (size_t i = 0; i < GEO_SPHERES; i++)
        geo_free(&column->cells[i], bytes);
}

void columns_drop_if_empty(struct columns *self, struct column *column)
{
    struct column **at = bucket_of(self, column->hash);
    if (!is_empty(column))
        return;
    while (*at != column)
        at = &(*at)->next;
    *at = column->next;
    self->column_count--;
    column_clear(column, &self->bytes);
    self->bytes -= sizeof(*column) + column->key_len;
    sh_free(column);
}
