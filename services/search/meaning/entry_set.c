#include "services/search/meaning/entry_set.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <xxhash.h>

#include "proto/access.h"
#include "services/search/vector/codes.h"
#include "shared/mem.h"

enum { CHUNK = 1024, CHUNKS = ENTRY_SET_MAX / CHUNK };

/* What is looked at of every entry; texts by their hashes: whether one may be
 * seen is asked of the record again. */
struct place {
    uint32_t department;
    uint32_t language;
    uint32_t domain;
    uint32_t status;
    uint8_t clearance;
    _Atomic bool dead;
};

/* Codes in two: the upper halves of the numbers with what bounds the rest, one
 * behind the other, so that the memory that is read for every entry is half;
 * and the lower ones. */
struct chunk {
    struct place places[CHUNK];
    struct sh_bytes ids[CHUNK]; /* owned */
    unsigned char codes[];      /* CHUNK × head, then CHUNK × the rest of coder.bytes */
};

struct entry_set {
    struct coder coder;
    struct chunk *chunks[CHUNKS];
    _Atomic uint32_t end; /* places in use */
    size_t dead;
    uint32_t *table; /* place + 1; 0: free; of those that live, and of dead ones */
    size_t table_size;
    size_t head;   /* bytes of the first part of a code */
    float *vector; /* padded */
    unsigned char *code;
};

/* 0: there is none. */
static uint32_t hash_of(struct sh_bytes text)
{
    return text.len > 0 ? (uint32_t)XXH3_64bits(text.data, text.len) | 1U : 0;
}

static struct place *place_at(const struct entry_set *self, uint32_t at)
{
    return &self->chunks[at / CHUNK]->places[at % CHUNK];
}

static struct sh_bytes id_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / CHUNK]->ids[at % CHUNK];
}

static unsigned char *head_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / CHUNK]->codes + at % CHUNK * self->head;
}

static unsigned char *rest_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / CHUNK]->codes + CHUNK * self->head +
           at % CHUNK * (self->coder.bytes - self->head);
}

/* --- by id
 * -------------------------------------------------------------------------- */

static size_t slot_of(const struct entry_set *self, struct sh_bytes id)
{
    size_t mask = self->table_size - 1;
    size_t i = (size_t)XXH3_64bits(id.data, id.len) & mask;

    for (; self->table[i] != 0; i = (i + 1) & mask)
        if (sh_bytes_equal(id_at(self, self->table[i] - 1), id))
            break;
    return i;
}

static enum sh_err grow(struct entry_set *self)
{
    uint32_t *before = self->table;
    size_t size = self->table_size;
    uint32_t *table = sh_alloc_array(size * 2, sizeof(*table));

    if (table == NULL)
        return SH_NOMEM;
    self->table = table;
    self->table_size = size * 2;
    for (size_t i = 0; i < size; i++)
        if (before[i] != 0)
            self->table[slot_of(self, id_at(self, before[i] - 1))] = before[i];
    sh_free(before);
    return SH_OK;
}

static void kill_at(struct entry_set *self, size_t slot)
{
    struct place *place;

    if (self->table[slot] == 0)
        return;
    place = place_at(self, self->table[slot] - 1);
    if (!atomic_load_explicit(&place->dead, memory_order_relaxed))
        self->dead++;
    atomic_store_explicit(&place->dead, true, memory_order_relaxed);
}

void entry_set_remove(struct entry_set *self, struct sh_bytes id)
{
    kill_at(self, slot_of(self, id));
}

/* --- putting
 * ------------------------------------------------------------------------ */

/* False: it has no direction. */
static bool take_vector(struct entry_set *self, const float *vector)
{
    double sum = 0;

    for (uint32_t i = 0; i < self->coder.dimension; i++)
        sum += (double)vector[i] * (double)vector[i];
    if (sum < 1e-20 || !isfinite(sum))
        return false;
    for (uint32_t i = 0; i < self->coder.dimension; i++)
        self->vector[i] = (float)((double)vector[i] / sqrt(sum));
    return true;
}

enum sh_err entry_set_put(struct entry_set *self, const struct entry_facts *facts,
                          const float *vector)
{
    uint32_t end = atomic_load_explicit(&self->end, memory_order_relaxed);
    struct chunk **chunk = &self->chunks[end / CHUNK % CHUNKS];
    struct place *place;
    size_t slot;
    char *id;

    if (end == ENTRY_SET_MAX)
        return SH_TOOBIG;
    entry_set_remove(self, facts->id);
    if (!take_vector(self, vector))
        return SH_OK;
    if (end >= self->table_size / 2 && grow(self) != SH_OK)
        return SH_NOMEM;
    if (*chunk == NULL)
        *chunk = sh_alloc(sizeof(**chunk) + CHUNK * self->coder.bytes);
    id = *chunk != NULL ? sh_strndup(facts->id.data, facts->id.len) : NULL;
    if (id == NULL)
        return SH_NOMEM;
    place = place_at(self, end);
    (*chunk)->ids[end % CHUNK] = (struct sh_bytes){id, facts->id.len};
    place->department = hash_of(facts->department);
    place->language = hash_of(facts->language);
    place->domain = hash_of(facts->domain);
    place->status = hash_of(facts->status);
    place->clearance = (uint8_t)facts->clearance_level;
    coder_encode(&self->coder, self->vector, self->code);
    memcpy(head_at(self, end), self->code, self->head);
    memcpy(rest_at(self, end), self->code + self->head, self->coder.bytes - self->head);
    slot = slot_of(self, facts->id);
    self->table[slot] = end + 1;
    atomic_store_explicit(&self->end, end + 1, memory_order_release);
    return SH_OK;
}

/* --- searching
 * ---------------------------------------------------------------------- */

struct scan {
    bool unlimited;
    bool every_department;
    uint32_t clearance;
    uint32_t department;
    uint32_t language;
    uint32_t domain;
    uint32_t status;
    struct entry_hit *hits; /* a heap, the worst first */
    size_t most;
    size_t count;
};

/* As proto/readable.h says. */
static bool may_see(const struct scan *scan, const struct place *place)
{
    return scan->unlimited ||
           (place->clearance <= scan->clearance &&
            (place->clearance <= ACCESS_PUBLIC_LEVEL || scan->every_department ||
             (scan->department != 0 && place->department == scan->department)));
}

static bool wanted(const struct scan *scan, const struct place *place)
{
    return !atomic_load_explicit(&place->dead, memory_order_relaxed) &&
           (scan->language == 0 || scan->language == place->language) &&
           (scan->domain == 0 || scan->domain == place->domain) &&
           (scan->status == 0 || scan->status == place->status) && may_see(scan, place);
}

/* The better first; of equals in the order of ids. */
static int order(const struct entry_hit *a, const struct entry_hit *b)
{
    size_t least = a->id.len < b->id.len ? a->id.len : b->id.len;
    int ids;

    if (a->score > b->score || a->score < b->score)
        return a->score > b->score ? -1 : 1;
    ids = memcmp(a->id.data, b->id.data, least);
    return ids != 0 ? ids : (a->id.len > b->id.len) - (a->id.len < b->id.len);
}

static int by_score(const void *a, const void *b)
{
    return order(a, b);
}

static void sift_down(struct scan *scan)
{
    struct entry_hit *hits = scan->hits;
    size_t at = 0;

    for (;;) {
        size_t worst = at;
        for (size_t child = 2 * at + 1; child <= 2 * at + 2 && child < scan->count;
             child++)
            if (order(&hits[child], &hits[worst]) > 0)
                worst = child;
        if (worst == at)
            return;
        struct entry_hit moved = hits[at];
        hits[at] = hits[worst];
        hits[worst] = moved;
        at = worst;
    }
}

static void sift_up(struct scan *scan)
{
    struct entry_hit *hits = scan->hits;

    for (size_t at = scan->count - 1; at > 0; at = (at - 1) / 2) {
        size_t parent = (at - 1) / 2;
        if (order(&hits[at], &hits[parent]) <= 0)
            return;
        struct entry_hit moved = hits[at];
        hits[at] = hits[parent];
        hits[parent] = moved;
    }
}

static void take_hit(struct scan *scan, struct entry_hit hit)
{
    if (scan->count < scan->most) {
        scan->hits[scan->count++] = hit;
        sift_up(scan);
    } else if (order(&hit, &scan->hits[0]) < 0) {
        scan->hits[0] = hit;
        sift_down(scan);
    }
}

/* Half of the code tells, with a bound, whether it can be among the best. */
static bool may_enter(const struct entry_set *self, const struct scan *scan,
                      const struct code_query *query, uint32_t at)
{
    float error;
    float rough = coder_rough(&self->coder, query, head_at(self, at), &error);

    return (double)rough + (double)error >= scan->hits[0].score;
}

/* As coder_product(), of a code in two. */
static double product(const struct entry_set *self, const struct code_query *query,
                      uint32_t at)
{
    const struct code_middle *middle = code_middle(&self->coder, head_at(self, at));
    int32_t sum = self->coder.kernel->int8(query->data, head_at(self, at),
                                           rest_at(self, at), self->coder.padded);

    return (double)((float)(sum - query->offset) * (query->scale * middle->scale));
}

static void scan_all(const struct entry_set *self, struct scan *scan,
                     const struct code_query *query, size_t *seen)
{
    uint32_t end = atomic_load_explicit(&self->end, memory_order_acquire);

    for (uint32_t at = 0; at < end; at++) {
        const struct place *place = place_at(self, at);
        double score;
        if (!wanted(scan, place))
            continue;
        ++*seen;
        if (scan->count == scan->most && !may_enter(self, scan, query, at))
            continue;
        score = product(self, query, at);
        if (scan->count < scan->most || score >= scan->hits[0].score)
            take_hit(scan, (struct entry_hit){id_at(self, at), score});
    }
}

enum sh_err entry_set_search(const struct entry_set *self,
                             const struct entry_query *query, struct entry_hit *out,
                             size_t *count, size_t *seen)
{
    const struct caller *caller = query->caller;
    struct scan scan = {.unlimited = caller->role.len == 0,
                        .every_department = caller->all_departments,
                        .clearance = caller->clearance,
                        .department = hash_of(caller->department),
                        .language = hash_of(query->language),
                        .domain = hash_of(query->domain),
                        .status = hash_of(query->status),
                        .hits = out,
                        .most = query->most};
    struct code_query asked = {0};
    size_t room = coder_query_bytes(&self->coder) + CODE_ALIGN;
    float *unit = sh_alloc_array(self->coder.padded, sizeof(*unit));
    double sum = 0;

    *count = *seen = 0;
    asked.data = aligned_alloc(CODE_ALIGN, room / CODE_ALIGN * CODE_ALIGN);
    if (asked.data == NULL || unit == NULL) {
        free(asked.data);
        sh_free(unit);
        return SH_NOMEM;
    }
    for (uint32_t i = 0; i < self->coder.dimension; i++)
        sum += (double)query->vector[i] * (double)query->vector[i];
    for (uint32_t i = 0; sum > 1e-20 && i < self->coder.dimension; i++)
        unit[i] = (float)((double)query->vector[i] / sqrt(sum));
    coder_query(&self->coder, unit, &asked);
    if (query->most > 0 && sum > 1e-20)
        scan_all(self, &scan, &asked, seen);
    qsort(out, scan.count, sizeof(*out), by_score);
    *count = scan.count;
    free(asked.data);
    sh_free(unit);
    return SH_OK;
}

/* --- life
 * ---------------------------------------------------------------------------
 */

enum sh_err entry_set_create(uint32_t dimension, struct entry_set **out)
{
    struct entry_set *self;

    *out = NULL;
    if (dimension == 0 || dimension > 65536)
        return SH_INVALID;
    self = sh_alloc(sizeof(*self));
    if (self == NULL)
        return SH_NOMEM;
    self->coder = coder_make(CODE_INT8, dimension);
    self->head = self->coder.padded / 2 + sizeof(struct code_middle);
    self->table_size = 1024;
    self->table = sh_alloc_array(self->table_size, sizeof(*self->table));
    self->vector = sh_alloc_array(self->coder.padded, sizeof(*self->vector));
    self->code = sh_alloc_array(self->coder.bytes, 1);
    if (self->table == NULL || self->vector == NULL || self->code == NULL)
        entry_set_free(&self);
    *out = self;
    return self != NULL ? SH_OK : SH_NOMEM;
}

void entry_set_free(struct entry_set **self_in)
{
    struct entry_set *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    for (uint32_t at = 0; at < self->end; at++)
        sh_free(sh_unconst(id_at(self, at).data));
    for (size_t i = 0; i < CHUNKS; i++)
        sh_free(self->chunks[i]);
    sh_free(self->table);
    sh_free(self->vector);
    sh_free(self->code);
    sh_free(self);
}

uint32_t entry_set_dimension(const struct entry_set *self)
{
    return self->coder.dimension;
}

size_t entry_set_count(const struct entry_set *self)
{
    return self->end - self->dead;
}

size_t entry_set_dead(const struct entry_set *self)
{
    return self->dead;
}
