/* entry_set_internal: what a set is made of, for those who change it (entry_set.c) and
 * those who search in it (entry_scan.c). */
#ifndef SEARCH_ENTRY_SET_INTERNAL_H
#define SEARCH_ENTRY_SET_INTERNAL_H

#include <stdatomic.h>
#include <xxhash.h>

#include "services/search/meaning/entry_set.h"
#include "services/search/vector/codes.h"

enum { ENTRY_CHUNK = 1024, ENTRY_CHUNKS = ENTRY_SET_MAX / ENTRY_CHUNK };

/* What is looked at of every entry; texts by their hashes: whether one may be
 * seen is asked of the record again. */
struct entry_place {
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
struct entry_chunk {
    struct entry_place places[ENTRY_CHUNK];
    struct sh_bytes ids[ENTRY_CHUNK]; /* owned */
    unsigned char
        codes[]; /* ENTRY_CHUNK × head, then ENTRY_CHUNK × the rest of coder.bytes */
};

struct entry_set {
    struct coder coder;
    struct entry_chunk *chunks[ENTRY_CHUNKS];
    _Atomic uint32_t end; /* places in use */
    size_t dead;
    uint32_t *table; /* place + 1; 0: free; of those that live, and of dead ones */
    size_t table_size;
    size_t head;   /* bytes of the first part of a code */
    float *vector; /* padded */
    unsigned char *code;
};

/* 0: there is none. */
static inline uint32_t entry_hash(struct sh_bytes text)
{
    return text.len > 0 ? (uint32_t)XXH3_64bits(text.data, text.len) | 1U : 0;
}

static inline struct entry_place *entry_place_at(const struct entry_set *self,
                                                 uint32_t at)
{
    return &self->chunks[at / ENTRY_CHUNK]->places[at % ENTRY_CHUNK];
}

static inline struct sh_bytes entry_id_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / ENTRY_CHUNK]->ids[at % ENTRY_CHUNK];
}

static inline unsigned char *entry_head_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / ENTRY_CHUNK]->codes + at % ENTRY_CHUNK * self->head;
}

static inline unsigned char *entry_rest_at(const struct entry_set *self, uint32_t at)
{
    return self->chunks[at / ENTRY_CHUNK]->codes + ENTRY_CHUNK * self->head +
           at % ENTRY_CHUNK * (self->coder.bytes - self->head);
}

#endif
