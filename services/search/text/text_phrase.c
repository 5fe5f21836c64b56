#include "services/search/text/text_phrase.h"

#include "shared/mem.h"

static const struct term *term_of(const struct text_index *index,
                                  const struct text_form *form)
{
    return terms_find(&index->terms, form->text, form->hash);
}

enum sh_err text_phrase_open(struct text_phrase *self, const struct text_index *index,
                             const struct text_rule *rule, struct sh_arena *arena)
{
    uint32_t forms = 0;
    for (uint32_t i = 0; i < rule->count; i++)
        forms += rule->words[i].count;
    self->reader_count = 0;
    self->readers = sh_arena_array(arena, forms, sizeof(*self->readers));
    if (!self->readers)
        return SH_NOMEM;
    for (uint32_t i = 0; i < rule->count; i++) {
        for (uint32_t f = 0; f < rule->words[i].count; f++) {
            const struct term *term = term_of(index, &rule->words[i].forms[f]);
            if (!term)
                continue;
            struct text_phrase_reader *reader = &self->readers[self->reader_count++];
            reader->word = &rule->words[i];
            postings_open(&reader->cursor, &term->postings);
        }
    }
    return SH_OK;
}

static bool seek(struct text_phrase_reader *reader, uint32_t passage)
{
    return postings_advance(&reader->cursor, passage, &reader->at) &&
           reader->cursor.passages[reader->at] == passage;
}

static void add_place(struct text_places *places, uint32_t bit)
{
    for (; places->used <= bit / 64; places->used++)
        places->words[places->used] = 0;
    places->words[bit / 64] |= UINT64_C(1) << (bit % 64);
}

static void add_places(struct text_phrase_reader *reader, struct text_places *places)
{
    static const struct {
        enum text_field field;
        uint32_t from;
        uint32_t count;
    } fields[TEXT_FIELDS] = {
        {TEXT_BODY, 2 * TEXT_OTHER_PLACES, TEXT_BODY_PLACES},
        {TEXT_HEADING, 0, TEXT_OTHER_PLACES},
        {TEXT_TITLE, TEXT_OTHER_PLACES, TEXT_OTHER_PLACES},
    };
    struct sh_bytes bytes = postings_positions(&reader->cursor, reader->at);
    const uint8_t *at = bytes.data;
    const uint8_t *end = at + bytes.len;
    uint32_t offset = reader->word->offset;
    for (int i = 0; i < TEXT_FIELDS; i++) {
        uint32_t left = reader->cursor.tf[fields[i].field][reader->at];
        uint32_t position = 0;
        for (; left > 0 && at < end; left--) {
            uint32_t distance = 0;
            at = varint_get(at, end, &distance);
            position += distance;
            if (position >= offset && position < fields[i].count)
                add_place(places, fields[i].from + position - offset);
        }
    }
}

static void copy_places(const struct text_places *from, struct text_places *to)
{
    memcpy(to->words, from->words, from->used * sizeof(*to->words));
    to->used = from->used;
}

/* Both have the same beginning: where the phrase would start. */
static bool keep_common(struct text_places *start, const struct text_places *found)
{
    uint64_t any = 0;
    if (found->used < start->used)
        start->used = found->used;
    for (uint32_t i = 0; i < start->used; i++) {
        start->words[i] &= found->words[i];
        any |= start->words[i];
    }
    return any != 0;
}

bool text_phrase_at(struct text_phrase *self, uint32_t passage)
{
    const struct text_word *word = NULL;
    bool first = true;
    for (uint32_t i = 0; i < self->reader_count;) {
        word = self->readers[i].word;
        self->found.used = 0;
        for (; i < self->reader_count && self->readers[i].word == word; i++) {
            if (seek(&self->readers[i], passage))
                add_places(&self->readers[i], &self->found);
        }
        if (first)
            copy_places(&self->found, &self->start);
        else if (!keep_common(&self->start, &self->found))
            return false;
        first = false;
    }
    return !first;
}
