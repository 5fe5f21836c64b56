#include <math.h>
#include <stdlib.h>

#include "services/search/meaning/entry_set_internal.h"
#include "shared/mem.h"

/* --- by id
 * -------------------------------------------------------------------------- */

static size_t slot_of(const struct entry_set *self, struct sh_bytes id)
{
    size_t mask = self->table_size - 1;
    size_t i = (size_t)XXH3_64bits(id.data, id.len) & mask;

    for (; self->table[i] != 0; i = (i + 1) & mask)
        if (sh_bytes_equal(entry_id_at(self, self->table[i] - 1), id))
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
            self->table[slot_of(self, entry_id_at(self, before[i] - 1))] = before[i];
    sh_free(before);
    return SH_OK;
}

static void kill_at(struct entry_set *self, size_t slot)
{
    struct entry_place *place;

    if (self->table[slot] == 0)
        return;
    place = entry_place_at(self, self->table[slot] - 1);
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
    struct entry_chunk **chunk = &self->chunks[end / ENTRY_CHUNK % ENTRY_CHUNKS];
    struct entry_place *place;
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
        *chunk = sh_alloc(sizeof(**chunk) + ENTRY_CHUNK * self->coder.bytes);
    id = *chunk != NULL ? sh_strndup(facts->id.data, facts->id.len) : NULL;
    if (id == NULL)
        return SH_NOMEM;
    place = entry_place_at(self, end);
    (*chunk)->ids[end % ENTRY_CHUNK] = (struct sh_bytes){id, facts->id.len};
    place->department = entry_hash(facts->department);
    place->language = entry_hash(facts->language);
    place->domain = entry_hash(facts->domain);
    place->status = entry_hash(facts->status);
    place->clearance = (uint8_t)facts->clearance_level;
    coder_encode(&self->coder, self->vector, self->code);
    memcpy(entry_head_at(self, end), self->code, self->head);
    memcpy(entry_rest_at(self, end), self->code + self->head,
           self->coder.bytes - self->head);
    slot = slot_of(self, facts->id);
    self->table[slot] = end + 1;
    atomic_store_explicit(&self->end, end + 1, memory_order_release);
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
        sh_free(sh_unconst(entry_id_at(self, at).data));
    for (size_t i = 0; i < ENTRY_CHUNKS; i++)
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
