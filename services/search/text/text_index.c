#include <sys/mman.h>

#include "services/search/text/text_internal.h"
#include "shared/mem.h"

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
    lexicon_free(&self->lexicon);
    sh_free(self->bodies);
    sh_free(self->slots);
    sh_free(self->numbers);
    sh_free(self->live_numbers);
    sh_free(self->live_slots);
    if (self->mapped)
        (void)munmap(self->mapped, self->mapped_len);
    sh_free(self);
    *index = NULL;
}

static enum sh_err resize(uint32_t **array, size_t old, size_t count, uint32_t fill)
{
    uint32_t *grown = sh_realloc(*array, count * sizeof(**array));
    if (!grown)
        return SH_NOMEM;
    for (size_t i = old; i < count; i++)
        grown[i] = fill;
    *array = grown;
    return SH_OK;
}

static enum sh_err resize_bits(uint64_t **words, uint32_t old, uint32_t bits)
{
    size_t before = *words ? bitmap_words(old) : 0;
    size_t count = bitmap_words(bits);
    uint64_t *grown = sh_realloc(*words, count * sizeof(**words));
    if (!grown)
        return SH_NOMEM;
    memset(grown + before, 0, (count - before) * sizeof(*grown));
    *words = grown;
    return SH_OK;
}

enum sh_err text_reserve(struct text_index *self, uint64_t numbers, uint64_t slots)
{
    uint32_t had = self->slots_capacity;
    uint32_t held = self->numbers_capacity;
    enum sh_err err = SH_OK;
    if (numbers > UINT32_MAX / 2 || slots > UINT32_MAX / 2)
        return SH_TOOBIG;
    if (numbers > had) {
        err = resize(&self->slots, had, numbers, UINT32_MAX);
        if (err == SH_OK)
            err = resize(&self->bodies, had, numbers, 0);
        if (err == SH_OK)
            err = resize_bits(&self->live_numbers, had, (uint32_t)numbers);
        if (err == SH_OK)
            self->slots_capacity = (uint32_t)numbers;
    }
    if (err == SH_OK && slots > held) {
        err = resize(&self->numbers, held, slots, UINT32_MAX);
        if (err == SH_OK)
            err = resize_bits(&self->live_slots, held, (uint32_t)slots);
        if (err == SH_OK)
            self->numbers_capacity = (uint32_t)slots;
    }
    return err;
}

void text_link(struct text_index *self, uint32_t number, uint32_t slot)
{
    self->slots[number] = slot;
    self->numbers[slot] = number;
    self->live_numbers[number / 64] |= UINT64_C(1) << (number % 64);
    self->live_slots[slot / 64] |= UINT64_C(1) << (slot % 64);
}

static void unlink_slot(struct text_index *self, uint32_t slot)
{
    uint32_t number = self->numbers[slot];
    self->slots[number] = UINT32_MAX;
    self->numbers[slot] = UINT32_MAX;
    self->live_numbers[number / 64] &= ~(UINT64_C(1) << (number % 64));
    self->live_slots[slot / 64] &= ~(UINT64_C(1) << (slot % 64));
}

static uint64_t with_slack(uint64_t needed, uint32_t capacity)
{
    return needed > capacity ? needed + needed / 8 + 256 : capacity;
}

static enum sh_err append_all(struct text_index *self, uint32_t number,
                              const struct entry *entry)
{
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < entry->count; i++) {
        const struct entry_term *from = &entry->terms[i];
        struct posting posting = {.passage = number, .positions = from->positions};
        memcpy(posting.tf, from->tf, sizeof(posting.tf));
        struct term *term = terms_add(&self->terms, from->text, from->hash);
        err = term ? postings_append(&term->postings, &posting, self->bodies) : SH_NOMEM;
    }
    return err;
}

static void count_terms(struct text_index *self, const struct entry *entry, int by)
{
    for (size_t i = 0; i < entry->count; i++) {
        const struct entry_term *from = &entry->terms[i];
        struct term *term = terms_find(&self->terms, from->text, from->hash);
        if (term)
            term->passages += (uint32_t)by;
    }
    self->body_total += (uint64_t)((int64_t)entry->length[TEXT_BODY] * by);
    self->live += (uint32_t)by;
}

enum sh_err text_index_add(struct text_index *self, uint32_t slot,
                           const struct entry *entry)
{
    uint64_t numbers = with_slack((uint64_t)self->count + 1, self->slots_capacity);
    uint64_t slots = with_slack((uint64_t)slot + 1, self->numbers_capacity);
    enum sh_err err = text_reserve(self, numbers, slots);
    if (err != SH_OK)
        return err;
    uint32_t number = self->count++;
    self->slots[number] = UINT32_MAX; /* gone, until all is in */
    self->bodies[number] = entry->length[TEXT_BODY];
    err = append_all(self, number, entry);
    if (err != SH_OK)
        return err;
    text_link(self, number, slot);
    count_terms(self, entry, 1);
    return SH_OK;
}

void text_index_remove(struct text_index *self, uint32_t slot, const struct entry *entry)
{
    if (slot >= self->numbers_capacity || self->numbers[slot] == UINT32_MAX)
        return;
    unlink_slot(self, slot);
    count_terms(self, entry, -1);
}

size_t text_index_bytes(const struct text_index *self)
{
    return sizeof(*self) + terms_bytes(&self->terms) +
           (size_t)self->slots_capacity * 2 * sizeof(uint32_t) +
           ((size_t)self->numbers_capacity + 2 * (size_t)self->lexicon.count) *
               sizeof(uint32_t) +
           ((size_t)self->slots_capacity + self->numbers_capacity) / 8;
}

uint32_t text_index_passages(const struct text_index *self)
{
    return self->live;
}

bool text_index_has(const struct text_index *self, uint32_t slot)
{
    return slot < self->numbers_capacity && self->numbers[slot] != UINT32_MAX;
}
