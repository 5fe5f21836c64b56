#include "services/gateway/cache/shelf.h"

#include <pthread.h>
#include <stdatomic.h>

#include "shared/mem.h"

enum { PARTS = 8, BUCKETS_MIN = 64, BUCKETS_MAX = 1 << 16, TYPICAL = 4096 };

/* `holders`: the shelf while it lists the item, and whoever got it. */
struct shelf_item {
    atomic_uint holders;
    uint64_t hash[2];
    uint64_t expires_ms;
    struct shelf_item *next; /* of the bucket */
    struct shelf_item *newer;
    struct shelf_item *older;
    size_t len;
    char bytes[];
};

struct part {
    pthread_mutex_t lock;
    struct shelf_item **buckets;
    struct shelf_item *newest;
    struct shelf_item *oldest;
    size_t items;
    size_t bytes;
};

struct shelf {
    size_t part_bytes;
    size_t buckets; /* of a part; a power of two */
    struct part parts[PARTS];
};

/* --- life ------------------------------------------------------------------------- */

static size_t bucket_count(size_t part_bytes)
{
    size_t count = BUCKETS_MIN;

    while (count < BUCKETS_MAX && count * TYPICAL < part_bytes)
        count *= 2;
    return count;
}

enum sh_err shelf_create(size_t max_bytes, struct shelf **out)
{
    struct shelf *self = sh_alloc(sizeof *self);
    bool whole = self != NULL;

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    self->part_bytes = max_bytes / PARTS;
    self->buckets = bucket_count(self->part_bytes);
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &self->parts[i];
        pthread_mutex_init(&part->lock, NULL);
        part->buckets = sh_alloc_array(self->buckets, sizeof(struct shelf_item *));
        whole = whole && part->buckets != NULL;
    }
    *out = self;
    if (!whole)
        shelf_free(out);
    return whole ? SH_OK : SH_NOMEM;
}

void shelf_free(struct shelf **self_in)
{
    struct shelf *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    (void)shelf_clear(self);
    for (size_t i = 0; i < PARTS; i++) {
        sh_free(self->parts[i].buckets);
        pthread_mutex_destroy(&self->parts[i].lock);
    }
    sh_free(self);
}

/* --- one part, under its lock ----------------------------------------------------- */

static struct part *part_of(struct shelf *self, const uint64_t hash[2])
{
    return &self->parts[hash[1] % PARTS];
}

static struct shelf_item **bucket_of(const struct shelf *self, struct part *part,
                                     const uint64_t hash[2])
{
    return &part->buckets[hash[0] & (self->buckets - 1)];
}

static bool is_for(const struct shelf_item *item, const struct kept_key *key)
{
    return item->hash[0] == key->hash[0] && item->hash[1] == key->hash[1] &&
           kept_key_equal(key, kept_parts(shelf_item_bytes(item)).key);
}

static struct shelf_item *find(const struct shelf *self, struct part *part,
                               const struct kept_key *key)
{
    struct shelf_item *item = *bucket_of(self, part, key->hash);

    while (item != NULL && !is_for(item, key))
        item = item->next;
    return item;
}

static void line_leave(struct part *part, struct shelf_item *item)
{
    *(item->newer != NULL ? &item->newer->older : &part->newest) = item->older;
    *(item->older != NULL ? &item->older->newer : &part->oldest) = item->newer;
}

static void line_enter(struct part *part, struct shelf_item *item)
{
    item->newer = NULL;
    item->older = part->newest;
    *(part->newest != NULL ? &part->newest->newer : &part->oldest) = item;
    part->newest = item;
}

static size_t size_of(const struct shelf_item *item)
{
    return sizeof *item + item->len;
}

static void drop(const struct shelf *self, struct part *part, struct shelf_item *item)
{
    struct shelf_item **at = bucket_of(self, part, item->hash);

    while (*at != item)
        at = &(*at)->next;
    *at = item->next;
    line_leave(part, item);
    part->items--;
    part->bytes -= size_of(item);
    shelf_release(item);
}

/* --- all of it -------------------------------------------------------------------- */

struct shelf_item *shelf_get(struct shelf *self, const struct kept_key *key,
                             uint64_t now_ms)
{
    struct part *part = part_of(self, key->hash);

    pthread_mutex_lock(&part->lock);
    struct shelf_item *item = find(self, part, key);
    if (item != NULL && item->expires_ms <= now_ms) {
        drop(self, part, item);
        item = NULL;
    }
    if (item != NULL) {
        atomic_fetch_add(&item->holders, 1);
        line_leave(part, item);
        line_enter(part, item);
    }
    pthread_mutex_unlock(&part->lock);
    return item;
}

struct sh_bytes shelf_item_bytes(const struct shelf_item *item)
{
    return (struct sh_bytes){item->bytes, item->len};
}

void shelf_release(struct shelf_item *item)
{
    if (atomic_fetch_sub(&item->holders, 1) == 1)
        sh_free(item);
}

static struct shelf_item *make(const struct kept_key *key, struct sh_bytes bytes)
{
    struct shelf_item *item = sh_alloc(sizeof *item + bytes.len);

    if (item == NULL)
        return NULL;
    atomic_init(&item->holders, 1);
    item->hash[0] = key->hash[0];
    item->hash[1] = key->hash[1];
    item->expires_ms = kept_parts(bytes).expires_ms;
    item->len = bytes.len;
    memcpy(item->bytes, bytes.data, bytes.len);
    return item;
}

void shelf_put(struct shelf *self, const struct kept_key *key, struct sh_bytes bytes)
{
    struct part *part = part_of(self, key->hash);
    struct shelf_item *item = NULL;

    /* One that would drive out nearly all others is not worth it. */
    if (bytes.len <= self->part_bytes / 4)
        item = make(key, bytes);
    if (item == NULL)
        return;
    pthread_mutex_lock(&part->lock);
    struct shelf_item *before = find(self, part, key);
    if (before != NULL)
        drop(self, part, before);
    while (part->oldest != NULL && part->bytes + size_of(item) > self->part_bytes)
        drop(self, part, part->oldest);
    struct shelf_item **bucket = bucket_of(self, part, key->hash);
    item->next = *bucket;
    *bucket = item;
    line_enter(part, item);
    part->items++;
    part->bytes += size_of(item);
    pthread_mutex_unlock(&part->lock);
}

size_t shelf_clear(struct shelf *self)
{
    size_t count = 0;

    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &self->parts[i];
        pthread_mutex_lock(&part->lock);
        count += part->items;
        while (part->oldest != NULL)
            drop(self, part, part->oldest);
        pthread_mutex_unlock(&part->lock);
    }
    return count;
}

void shelf_figures(struct shelf *self, size_t *items, size_t *bytes)
{
    *items = *bytes = 0;
    for (size_t i = 0; i < PARTS; i++) {
        struct part *part = &self->parts[i];
        pthread_mutex_lock(&part->lock);
        *items += part->items;
        *bytes += part->bytes;
        pthread_mutex_unlock(&part->lock);
    }
}
