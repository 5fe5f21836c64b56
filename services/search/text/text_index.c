#include "services/search/text/text_index.h"

#include <math.h>

#include "services/search/text/terms.h"
#include "services/search/text/text_internal.h"
#include "shared/mem.h"

enum { GONE_SLACK = 64, NUMBERS_SLACK = 65536 };

struct text_options text_defaults(void)
{
    /* By nDCG@10 on two judged collections of abstracts: titles at 2.5 rather than 1 give
     * +0.013 and +0.002; beyond 3 one of them loses. */
    return (struct text_options){
        1.2, 0.75, {[TEXT_TITLE] = 2.5, [TEXT_HEADING] = 1.5, [TEXT_BODY] = 1.0}};
}

enum sh_err text_index_create(const struct text_options *options, struct text_index **out)
{
    *out = sh_alloc(sizeof(**out));
    if (!*out)
        return SH_NOMEM;
    (*out)->options = *options;
    return SH_OK;
}

void text_index_free(struct text_index **index)
{
    struct text_index *self = *index;
    if (!self)
        return;
    terms_free(&self->terms);
    sh_free(self->passages);
    sh_free(self->slots);
    sh_free(self->numbers);
    sh_free(self);
    *index = NULL;
}

static enum sh_err grow(void **array, uint32_t *capacity, uint64_t needed, size_t size)
{
    if (needed <= *capacity)
        return SH_OK;
    if (needed > UINT32_MAX / 2)
        return SH_TOOBIG;
    uint32_t wanted = (uint32_t)needed + (uint32_t)needed / 2 + 256;
    void *grown = sh_realloc(*array, wanted * size);
    if (!grown)
        return SH_NOMEM;
    *array = grown;
    *capacity = wanted;
    return SH_OK;
}

/* Room for one more passage and for the slot. */
static enum sh_err reserve(struct text_index *self, uint32_t slot)
{
    uint32_t before = self->numbers_capacity;
    uint32_t passages = self->slots_capacity;
    uint32_t most = self->slots_capacity;
    enum sh_err err =
        grow((void **)&self->slots, &most, (uint64_t)self->count + 1, sizeof(uint32_t));
    if (err == SH_OK)
        err = grow((void **)&self->passages, &passages, (uint64_t)self->count + 1,
                   sizeof(*self->passages));
    if (err == SH_OK)
        self->slots_capacity = most;
    if (err == SH_OK)
        err = grow((void **)&self->numbers, &self->numbers_capacity, (uint64_t)slot + 1,
                   sizeof(uint32_t));
    for (uint32_t i = before; i < self->numbers_capacity; i++)
        self->numbers[i] = UINT32_MAX;
    return err;
}

static enum sh_err append_all(struct text_index *self, uint32_t number,
                              const struct entry *entry)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < entry->count; i++) {
        const struct entry_term *from = &entry->terms[i];
        struct posting posting = {.passage = number};
        memcpy(posting.tf, from->tf, sizeof(posting.tf));
        struct term *term = terms_add(&self->terms, from->text, from->hash);
        err = term ? postings_append(&term->postings, &posting) : SH_NOMEM;
    }
    return err;
}

static void count_terms(struct text_index *self, const struct entry *entry, int by)
{
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_term *from = &entry->terms[i];
        struct term *term = terms_find(&self->terms, from->text, from->hash);
        if (!term)
            continue;
        term->passages += (uint32_t)by;
        if (term->postings.count > 2 * term->passages + GONE_SLACK)
            postings_prune(&term->postings, self->slots);
    }
    self->body_total += (uint64_t)((int64_t)entry->length[TEXT_BODY] * by);
    self->live += (uint32_t)by;
}

/* Numbers are given in ascending order and never twice; when most are of passages long
 * gone, all begin anew. In place: it cannot fail. */
static void renumber(struct text_index *self)
{
    uint32_t next = 0;
    uint32_t *map = self->slots; /* becomes old number to new */
    for (uint32_t n = 0; n < self->count; n++) {
        if (map[n] == UINT32_MAX)
            continue;
        self->passages[next] = self->passages[n];
        self->numbers[map[n]] = next;
        map[n] = next++;
    }
    for (uint32_t n = 0; n < self->terms.count; n++)
        postings_squeeze(&self->terms.items[n].postings, map);
    terms_squeeze(&self->terms);
    for (uint32_t slot = 0; slot < self->numbers_capacity; slot++) {
        if (self->numbers[slot] != UINT32_MAX)
            map[self->numbers[slot]] = slot;
    }
    self->count = next;
}

enum sh_err text_index_add(struct text_index *self, uint32_t slot,
                           const struct entry *entry)
{
    if (self->count > 4 * (uint64_t)self->live + NUMBERS_SLACK)
        renumber(self);
    enum sh_err err = reserve(self, slot);
    if (err != SH_OK)
        return err;
    uint32_t number = self->count++;
    self->slots[number] = UINT32_MAX; /* gone, until all is in */
    err = append_all(self, number, entry);
    if (err != SH_OK)
        return err;
    self->slots[number] = slot;
    self->numbers[slot] = number;
    self->passages[number] = (struct text_passage){entry->length[TEXT_BODY]};
    count_terms(self, entry, 1);
    return SH_OK;
}

void text_index_remove(struct text_index *self, uint32_t slot, const struct entry *entry)
{
    if (slot >= self->numbers_capacity || self->numbers[slot] == UINT32_MAX)
        return;
    self->slots[self->numbers[slot]] = UINT32_MAX;
    self->numbers[slot] = UINT32_MAX;
    count_terms(self, entry, -1);
}

size_t text_index_bytes(const struct text_index *self)
{
    return sizeof(*self) + terms_bytes(&self->terms) +
           (size_t)self->slots_capacity * (sizeof(uint32_t) + sizeof(*self->passages)) +
           (size_t)self->numbers_capacity * sizeof(uint32_t);
}
