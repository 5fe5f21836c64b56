#include <math.h>

#include "services/search/text/text_internal.h"
#include "shared/clock.h"

enum { DEADLINE_EVERY = 4096 };

enum sh_err text_query_make(struct analyzer *analyzer, struct sh_bytes text,
                            struct sh_arena *arena, struct text_query *query)
{
    struct sh_bytes fields[TEXT_FIELDS] = {[TEXT_BODY] = text};
    struct entry entry;
    size_t telling = 0;
    *query = (struct text_query){0};
    enum sh_err err = entry_make(analyzer, fields, arena, &entry);
    if (err != SH_OK)
        return err;
    for (size_t i = 0; i < entry.count; i++)
        telling += !entry.terms[i].stop && !entry.terms[i].extra;
    query->terms = entry.terms;
    for (size_t i = 0; i < entry.count && query->count < TEXT_QUERY_TERMS; i++) {
        struct entry_term term = entry.terms[i];
        if (!term.extra && (!term.stop || telling == 0))
            query->terms[query->count++] = term;
    }
    return SH_OK;
}

struct scoring {
    const struct text_index *index;
    const struct bitmap *allowed;
    uint64_t deadline_ms;
    float *scores; /* by slot */
    float idf;     /* times the term's count in the query */
    float k1;
    float floor; /* 1 - b */
    float slope; /* b / mean length */
    float weight[TEXT_FIELDS];
};

static float term_score(const struct scoring *scoring, const struct posting *posting)
{
    uint32_t body = scoring->index->passages[posting->passage].body;
    float norm = fmaxf(scoring->floor + scoring->slope * (float)body, 0.05F);
    float tf = scoring->weight[TEXT_BODY] * (float)posting->tf[TEXT_BODY] / norm +
               scoring->weight[TEXT_HEADING] * (float)posting->tf[TEXT_HEADING] +
               scoring->weight[TEXT_TITLE] * (float)posting->tf[TEXT_TITLE];
    return scoring->idf * tf * (scoring->k1 + 1) / (tf + scoring->k1);
}

static enum sh_err score_term(const struct scoring *scoring, const struct term *term)
{
    struct postings_cursor cursor = postings_read(&term->postings);
    struct posting posting;
    for (uint32_t n = 1; postings_next(&cursor, &posting); n++) {
        if (n % DEADLINE_EVERY == 0 && sh_now_ms() >= scoring->deadline_ms)
            return SH_TIMEOUT;
        uint32_t slot = scoring->index->slots[posting.passage];
        if (bitmap_has(scoring->allowed, slot))
            scoring->scores[slot] += term_score(scoring, &posting);
    }
    return SH_OK;
}

static enum sh_err score_all(struct scoring *scoring, const struct text_query *query)
{
    const struct text_index *self = scoring->index;
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < query->count; i++) {
        const struct entry_term *asked = &query->terms[i];
        const struct term *term = terms_find(&self->terms, asked->text, asked->hash);
        if (!term || term->passages == 0)
            continue;
        double all = self->live;
        double with = term->passages;
        scoring->idf =
            (float)(log(1 + (all - with + 0.5) / (with + 0.5)) * asked->tf[TEXT_BODY]);
        err = score_term(scoring, term);
    }
    return err;
}

static enum sh_err collect(const float *scores, uint32_t bits, struct sh_arena *arena,
                           struct leg *leg)
{
    size_t count = 0;
    for (uint32_t slot = 0; slot < bits; slot++)
        count += scores[slot] > 0;
    if (count == 0)
        return SH_OK;
    leg->hits = sh_arena_array(arena, count, sizeof(*leg->hits));
    if (!leg->hits)
        return SH_NOMEM;
    for (uint32_t slot = 0; slot < bits; slot++) {
        if (scores[slot] > 0)
            leg->hits[leg->count++] = (struct leg_hit){slot, scores[slot]};
    }
    return SH_OK;
}

enum sh_err text_index_search(const struct text_index *self,
                              const struct text_query *query,
                              const struct bitmap *allowed, uint64_t deadline_ms,
                              struct sh_arena *arena, struct leg *leg)
{
    const struct text_options *options = &self->options;
    *leg = (struct leg){0};
    if (self->live == 0 || query->count == 0 || allowed->bits == 0)
        return SH_OK;
    double mean = (double)self->body_total / self->live;
    struct scoring scoring = {
        .index = self,
        .allowed = allowed,
        .deadline_ms = deadline_ms,
        .k1 = (float)options->k1,
        .floor = (float)(1 - options->b),
        .slope = (float)(options->b / (mean > 0 ? mean : 1)),
    };
    for (int field = 0; field < TEXT_FIELDS; field++)
        scoring.weight[field] = (float)options->weight[field];
    scoring.scores = sh_arena_array(arena, allowed->bits, sizeof(float));
    if (!scoring.scores)
        return SH_NOMEM;
    enum sh_err err = score_all(&scoring, query);
    return err == SH_OK ? collect(scoring.scores, allowed->bits, arena, leg) : err;
}
