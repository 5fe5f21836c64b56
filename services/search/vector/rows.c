#include <stddef.h>
#include <sys/mman.h>
#include <unistd.h>

#include <xxhash.h>

#include "services/search/vector/rows_internal.h"

enum {
    ROW_ALIGN = 64,
    PREFETCHED = 1024, /* bytes; the rest of a row follows by itself */
};

enum row_state { ROW_UNKNOWN, ROW_SOUND, ROW_DAMAGED };

static char *record_at(const struct rows *self, uint32_t slot)
{
    return self->region.base + REGION_PAGE + slot * self->record;
}

static _Atomic uint8_t *state_of(const struct rows *self, uint32_t slot)
{
    void *states = self->states.base;
    return (_Atomic uint8_t *)states + slot;
}

static uint32_t checksum_of(const struct rows *self, uint32_t slot)
{
    size_t bytes = self->dimension * sizeof(float);
    return (uint32_t)XXH3_64bits_withSeed(record_at(self, slot), bytes, slot);
}

static uint32_t *checksum_at(const struct rows *self, uint32_t slot)
{
    void *at = record_at(self, slot) + self->dimension * sizeof(float);
    return at;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err rows_make(const struct rows_options *options, struct rows **out)
{
    *out = NULL;
    if (options->dimension == 0 || options->dimension > 65536 || options->most == 0)
        return SH_INVALID;
    struct rows *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    size_t record = options->dimension * sizeof(float) + sizeof(uint32_t);
    self->dimension = options->dimension;
    self->most = options->most;
    self->record = (record + ROW_ALIGN - 1) / ROW_ALIGN * ROW_ALIGN;
    self->fd = -1;
    pthread_mutex_init(&self->growing, NULL);
    enum sh_err err =
        region_open(2 * (size_t)REGION_PAGE + self->most * self->record, &self->region);
    if (err == SH_OK)
        err = region_open(self->most, &self->states);
    if (err != SH_OK)
        rows_free(&self);
    *out = self;
    return err;
}

void rows_free(struct rows **rows)
{
    struct rows *self = *rows;
    if (!self)
        return;
    region_close(&self->region);
    region_close(&self->states);
    if (self->fd >= 0)
        close(self->fd);
    if (self->path)
        (void)unlink(self->path); /* or never was there */
    sh_free(self->path);
    pthread_mutex_destroy(&self->growing);
    sh_free(self);
    *rows = NULL;
}

enum sh_err rows_create(const struct rows_options *options, struct rows **out)
{
    enum sh_err err = rows_make(options, out);
    if (err == SH_OK && options->dir)
        err = rows_new_file(*out, options->dir);
    if (err != SH_OK)
        rows_free(out);
    return err;
}

/* --- rows ------------------------------------------------------------------------- */

uint32_t rows_in(const struct rows *self, size_t bytes)
{
    size_t slots = bytes <= REGION_PAGE ? 0 : (bytes - REGION_PAGE) / self->record;
    return slots < self->most ? (uint32_t)slots : self->most;
}

static enum sh_err grow(struct rows *self, uint32_t slot)
{
    size_t needed = REGION_PAGE + (slot + (size_t)1) * self->record;
    enum sh_err err = SH_OK;
    if (needed > self->region.usable)
        err = self->fd >= 0 ? rows_grow_file(self, needed)
                            : region_grow(&self->region, needed);
    uint32_t slots = rows_in(self, self->region.usable);
    if (err == SH_OK)
        err = region_grow(&self->states, slots);
    if (err == SH_OK)
        atomic_store_explicit(&self->slots, slots, memory_order_release);
    return err;
}

static enum sh_err reserve(struct rows *self, uint32_t slot)
{
    enum sh_err err = SH_OK;
    if (slot >= self->most)
        return SH_TOOBIG;
    if (slot < atomic_load_explicit(&self->slots, memory_order_acquire))
        return SH_OK;
    pthread_mutex_lock(&self->growing);
    if (slot >= atomic_load(&self->slots))
        err = grow(self, slot);
    pthread_mutex_unlock(&self->growing);
    return err;
}

enum sh_err rows_set(struct rows *self, uint32_t slot, const float *vector)
{
    enum sh_err err = reserve(self, slot);
    if (err != SH_OK)
        return err;
    memcpy(record_at(self, slot), vector, self->dimension * sizeof(float));
    *checksum_at(self, slot) = checksum_of(self, slot);
    atomic_store_explicit(state_of(self, slot), ROW_SOUND, memory_order_release);
    return SH_OK;
}

/* Of the file, when it is read for the first time. */
static bool check_row(const struct rows *self, uint32_t slot)
{
    if (slot >= self->filed)
        return false;
    bool sound = *checksum_at(self, slot) == checksum_of(self, slot);
    atomic_store_explicit(state_of(self, slot), sound ? ROW_SOUND : ROW_DAMAGED,
                          memory_order_release);
    return sound;
}

const float *rows_get(const struct rows *self, uint32_t slot)
{
    if (slot >= atomic_load_explicit(&self->slots, memory_order_acquire))
        return NULL;
    uint8_t state = atomic_load_explicit(state_of(self, slot), memory_order_acquire);
    if (state == ROW_DAMAGED || (state == ROW_UNKNOWN && !check_row(self, slot)))
        return NULL;
    const void *row = record_at(self, slot);
    return row;
}

void rows_prefetch(const struct rows *self, uint32_t slot)
{
    if (slot >= atomic_load_explicit(&self->slots, memory_order_relaxed))
        return;
    const char *row = record_at(self, slot);
    size_t bytes = self->record < PREFETCHED ? self->record : PREFETCHED;
    __builtin_prefetch(state_of(self, slot));
    for (size_t i = 0; i < bytes; i += ROW_ALIGN)
        __builtin_prefetch(row + i);
}

enum sh_err rows_sync(struct rows *self)
{
    if (self->fd < 0)
        return SH_OK;
    pthread_mutex_lock(&self->growing);
    bool good = msync(self->region.base, self->region.usable, MS_SYNC) == 0 &&
                fsync(self->fd) == 0;
    pthread_mutex_unlock(&self->growing);
    return good ? SH_OK : SH_IO;
}

uint64_t rows_identity(const struct rows *self)
{
    return self->identity;
}

uint32_t rows_damaged(const struct rows *self)
{
    uint32_t damaged = 0;
    for (uint32_t slot = 0; slot < self->filed; slot++)
        damaged += atomic_load(state_of(self, slot)) == ROW_DAMAGED;
    return damaged;
}

size_t rows_bytes(const struct rows *self)
{
    return REGION_PAGE +
           atomic_load_explicit(&self->slots, memory_order_acquire) * self->record;
}
