#include "services/search/text/text_internal.h"
#include "shared/mem.h"

enum { GONE_SLACK = 4096 };

struct text_upkeep {
    struct text_index *fresh; /* all anew, or NULL */
    struct lexicon lexicon;   /* else this one anew */
};

/* --- all anew --------------------------------------------------------------------- */

static enum sh_err copy_passages(const struct text_index *self, struct text_index *fresh)
{
    uint64_t room = (uint64_t)self->live + self->live / 8 + 256;
    enum sh_err err = text_reserve(fresh, room, self->numbers_capacity);
    if (err != SH_OK)
        return err;
    for (uint32_t n = 0; n < self->count; n++) {
        uint32_t slot = self->slots[n];
        if (slot == UINT32_MAX)
            continue;
        fresh->bodies[fresh->count] = self->bodies[n];
        text_link(fresh, fresh->count++, slot);
    }
    fresh->live = self->live;
    fresh->body_total = self->body_total;
    return SH_OK;
}

static enum sh_err copy_block(const struct text_index *self,
                              const struct text_index *fresh,
                              struct postings_cursor *cursor, struct postings *to)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; err == SH_OK && i < cursor->count; i++) {
        uint32_t slot = text_slot(self, cursor->passages[i]);
        if (slot == UINT32_MAX || fresh->numbers[slot] < to->last)
            continue;
        struct posting posting = {.passage = fresh->numbers[slot],
                                  .positions = postings_positions(cursor, i)};
        for (int field = 0; field < TEXT_FIELDS; field++)
            posting.tf[field] = cursor->tf[field][i];
        err = postings_append(to, &posting, fresh->bodies);
    }
    return err;
}

static enum sh_err copy_term(const struct text_index *self, const struct term *term,
                             struct postings_cursor *cursor, struct text_index *fresh)
{
    struct sh_bytes text = terms_text(&self->terms, term);
    struct term *to = terms_add(&fresh->terms, text, terms_hash(text));
    enum sh_err err = to ? SH_OK : SH_NOMEM;
    postings_open(cursor, &term->postings);
    while (err == SH_OK && postings_read(cursor)) {
        postings_counts(cursor);
        err = copy_block(self, fresh, cursor, &to->postings);
    }
    if (err == SH_OK)
        to->passages = term->passages;
    return err;
}

static enum sh_err copy_all(const struct text_index *self, struct text_index **out)
{
    struct postings_cursor *cursor = sh_alloc(sizeof(*cursor));
    enum sh_err err = cursor ? text_index_create(&self->options, out) : SH_NOMEM;
    if (err == SH_OK)
        err = copy_passages(self, *out);
    for (uint32_t i = 0; err == SH_OK && i < self->terms.count; i++) {
        if (self->terms.items[i].passages > 0)
            err = copy_term(self, &self->terms.items[i], cursor, *out);
    }
    if (err == SH_OK)
        err = lexicon_make(&(*out)->terms, &(struct lexicon){0}, &(*out)->lexicon);
    if (err != SH_OK)
        text_index_free(out);
    sh_free(cursor);
    return err;
}

/* --- both ------------------------------------------------------------------------- */

enum sh_err text_upkeep_make(const struct text_index *self, struct text_upkeep **out)
{
    bool gone = self->count - self->live > self->live / 2 + GONE_SLACK;
    *out = NULL;
    if (!gone && !lexicon_is_old(&self->lexicon, &self->terms))
        return SH_OK;
    struct text_upkeep *upkeep = sh_alloc(sizeof(*upkeep));
    if (!upkeep)
        return SH_NOMEM;
    enum sh_err err = gone ? copy_all(self, &upkeep->fresh)
                           : lexicon_make(&self->terms, &self->lexicon, &upkeep->lexicon);
    if (err != SH_OK)
        sh_free(upkeep);
    else
        *out = upkeep;
    return err;
}

void text_upkeep_apply(struct text_upkeep *upkeep, struct text_index *self)
{
    struct lexicon lexicon = self->lexicon;
    if (upkeep->fresh) {
        struct text_index old = *self;
        *self = *upkeep->fresh;
        *upkeep->fresh = old;
        return;
    }
    self->lexicon = upkeep->lexicon;
    upkeep->lexicon = lexicon;
}

void text_upkeep_free(struct text_upkeep **upkeep)
{
    if (!*upkeep)
        return;
    text_index_free(&(*upkeep)->fresh);
    lexicon_free(&(*upkeep)->lexicon);
    sh_free(*upkeep);
    *upkeep = NULL;
}
