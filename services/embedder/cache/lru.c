#include "services/embedder/cache/lru.h"

#include "shared/mem.h"

struct entry {
    struct entry *bucket_next;
    struct entry *newer;
    struct entry *older;
    uint8_t key[LRU_KEY_BYTES];
    uint32_t dimension;
    uint32_t tokens;
    float vector[];
};

struct lru {
    size_t max_bytes;
    size_t bytes;
    size_t count;
    size_t buckets; /* a power of two */
    struct entry **table;
    struct entry *newest;
    struct entry *oldest;
};

static size_t entry_bytes(uint32_t dimension)
{
    return sizeof(struct entry) + dimension * sizeof(float);
}

enum sh_err lru_create(size_t max_bytes, struct lru **out)
{
    *out = NULL;
    struct lru *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->max_bytes = max_bytes;
    self->buckets = 64;
    while (self->buckets < max_bytes / 2048)
        self->buckets *= 2;
    self->table = sh_alloc_array(self->buckets, sizeof(struct entry *));
    if (!self->table) {
        sh_free(self);
        return SH_NOMEM;
    }
    *out = self;
    return SH_OK;
}

/* Keys are hashes already: any eight bytes of them are as good as others. */
static struct entry **bucket_of(const struct lru *self, const uint8_t *key)
{
    uint64_t bits;
    memcpy(&bits, key, sizeof(bits));
    return &self->table[bits & (self->buckets - 1)];
}

static struct entry **find(const struct lru *self, const uint8_t *key)
{
    struct entry **at = bucket_of(self, key);
    while (*at && memcmp((*at)->key, key, LRU_KEY_BYTES) != 0)
        at = &(*at)->bucket_next;
    return at;
}

static void unlink_entry(struct lru *self, struct entry *entry)
{
    *(entry->newer ? &entry->newer->older : &self->newest) = entry->older;
    *(entry->older ? &entry->older->newer : &self->oldest) = entry->newer;
}

static void link_newest(struct lru *self, struct entry *entry)
{
    entry->newer = NULL;
    entry->older = self->newest;
    *(self->newest ? &self->newest->newer : &self->oldest) = entry;
    self->newest = entry;
}

static void drop(struct lru *self, struct entry *entry)
{
    *find(self, entry->key) = entry->bucket_next;
    unlink_entry(self, entry);
    self->bytes -= entry_bytes(entry->dimension);
    self->count--;
    sh_free(entry);
}

void lru_clear(struct lru *self)
{
    while (self->oldest)
        drop(self, self->oldest);
}

void lru_free(struct lru **self)
{
    if (!*self)
        return;
    lru_clear(*self);
    sh_free((*self)->table);
    sh_free(*self);
    *self = NULL;
}

const float *lru_get(struct lru *self, const uint8_t key[LRU_KEY_BYTES],
                     uint32_t dimension, uint32_t *tokens)
{
    struct entry *entry = *find(self, key);
    if (!entry || entry->dimension != dimension)
        return NULL;
    unlink_entry(self, entry);
    link_newest(self, entry);
    *tokens = entry->tokens;
    return entry->vector;
}

void lru_put(struct lru *self, const uint8_t key[LRU_KEY_BYTES], const float *vector,
             uint32_t dimension, uint32_t tokens)
{
    size_t need = entry_bytes(dimension);
    struct entry *old = *find(self, key);
    if (old)
        drop(self, old);
    if (need > self->max_bytes)
        return;
    while (self->bytes > self->max_bytes - need)
        drop(self, self->oldest);
    struct entry *entry = sh_alloc(need);
    if (!entry)
        return;
    memcpy(entry->key, key, LRU_KEY_BYTES);
    entry->dimension = dimension;
    entry->tokens = tokens;
    memcpy(entry->vector, vector, dimension * sizeof(float));
    struct entry **bucket = bucket_of(self, key);
    entry->bucket_next = *bucket;
    *bucket = entry;
    link_newest(self, entry);
    self->bytes += need;
    self->count++;
}

size_t lru_bytes(const struct lru *self)
{
    return self->bytes;
}

size_t lru_count(const struct lru *self)
{
    return self->count;
}
