#include "services/embedder/lsa/lsa.h"

#include <stdlib.h>

#include "services/embedder/lsa/lsa_fit.h"
#include "services/embedder/lsa/lsa_format.h"
#include "services/embedder/model/words.h"
#include "shared/mem.h"

struct lsa {
    struct pack *pack;
    struct lsa_about about;
    const char *text;
    const uint32_t *offsets;
    const float *idf;
    const float *v;
};

struct lsa_area {
    const struct lsa *model; /* of the text at hand */
    struct words *splitter;
    uint32_t *terms;
    size_t count;
    size_t room;
};

/* --- the file --------------------------------------------------------------------- */

static struct sh_bytes term_at(const struct lsa *self, uint32_t i)
{
    uint32_t first = self->offsets[i];
    return (struct sh_bytes){self->text + first, self->offsets[i + 1] - first};
}

static bool terms_ok(const struct lsa *self, size_t text_bytes)
{
    uint32_t count = self->about.terms;
    if (self->offsets[0] != 0 || self->offsets[count] != text_bytes)
        return false;
    for (uint32_t i = 0; i < count; i++)
        if (self->offsets[i] >= self->offsets[i + 1] || self->offsets[i + 1] > text_bytes)
            return false;
    for (uint32_t i = 0; i + 1 < count; i++)
        if (lsa_compare(term_at(self, i), term_at(self, i + 1)) >= 0)
            return false;
    for (uint32_t i = 0; i < count; i++)
        if (!isfinite(self->idf[i]))
            return false;
    return true;
}

/* What is wrong, or NULL. */
static const char *read_tensors(struct lsa *self)
{
    const struct pack *pack = self->pack;
    const struct lsa_about *about =
        pack_tensor(pack, LSA_ABOUT, PACK_RAW, 1, sizeof(*about));
    if (!about)
        return "not a fitted model";
    self->about = *about;
    if (about->version != LSA_FORMAT_VERSION)
        return "made by another version: fit it again";
    size_t terms = about->terms;
    size_t dimension = about->dimension;
    if (terms == 0 || terms > LSA_VOCABULARY_MAX || dimension == 0 ||
        dimension > LSA_RANK_MAX)
        return "of an impossible size";
    self->text = pack_tensor(pack, LSA_TEXT, PACK_RAW, 1, 0);
    self->offsets = pack_tensor(pack, LSA_OFFSETS, PACK_RAW, terms + 1, sizeof(uint32_t));
    self->idf = pack_tensor(pack, LSA_IDF, PACK_F32, 1, terms);
    self->v = pack_tensor(pack, LSA_V, PACK_F32, terms, dimension);
    if (!self->text || !self->offsets || !self->idf || !self->v)
        return "a part is missing";
    if (!terms_ok(self, pack_columns(pack, LSA_TEXT)))
        return "its vocabulary is damaged";
    return NULL;
}

enum sh_err lsa_open(const char *path, struct lsa **out, const char **why)
{
    const char *words = "out of memory";
    struct lsa *self = sh_alloc(sizeof(*self));
    enum sh_err err = self ? pack_open(path, &self->pack, &words) : SH_NOMEM;
    if (err == SH_OK) {
        words = read_tensors(self);
        err = words ? SH_MALFORMED : SH_OK;
    }
    if (err != SH_OK)
        lsa_close(&self);
    if (why)
        *why = words;
    *out = self;
    return err;
}

void lsa_close(struct lsa **self)
{
    if (!*self)
        return;
    if ((*self)->pack)
        pack_close(&(*self)->pack);
    sh_free(*self);
    *self = NULL;
}

uint32_t lsa_dimension(const struct lsa *self)
{
    return self->about.dimension;
}

size_t lsa_terms(const struct lsa *self)
{
    return self->about.terms;
}

uint64_t lsa_texts(const struct lsa *self)
{
    return self->about.texts;
}

const struct pack *lsa_pack(const struct lsa *self)
{
    return self->pack;
}

/* --- a text ----------------------------------------------------------------------- */

enum sh_err lsa_area_create(struct lsa_area **out)
{
    struct lsa_area *self = sh_alloc(sizeof(*self));
    if (self && words_create(&self->splitter) != SH_OK)
        lsa_area_free(&self);
    *out = self;
    return self ? SH_OK : SH_NOMEM;
}

void lsa_area_free(struct lsa_area **self)
{
    if (!*self)
        return;
    words_free(&(*self)->splitter);
    sh_free((*self)->terms);
    sh_free(*self);
    *self = NULL;
}

/* By halves; about.terms when it is not there. */
static uint32_t find_term(const struct lsa *model, struct sh_bytes word)
{
    uint32_t low = 0;
    uint32_t high = model->about.terms;
    while (low < high) {
        uint32_t middle = low + (high - low) / 2;
        int order = lsa_compare(term_at(model, middle), word);
        if (order == 0)
            return middle;
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return model->about.terms;
}

static enum sh_err on_word(void *arg, const struct word *word)
{
    struct lsa_area *self = arg;
    uint32_t count = self->model->about.terms;
    uint32_t term = lsa_is_term(word) ? find_term(self->model, word->stem) : count;
    if (term == count)
        return SH_OK;
    if (self->count == self->room) {
        size_t room = self->room + self->room / 2 + 256;
        uint32_t *terms = sh_realloc(self->terms, room * sizeof(*terms));
        if (!terms)
            return SH_NOMEM;
        self->terms = terms;
        self->room = room;
    }
    self->terms[self->count++] = term;
    return SH_OK;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* In ascending order of terms, so that the sums do not depend on that of the words. */
static void add_terms(const struct lsa *model, struct lsa_area *area, float *vector)
{
    size_t dimension = model->about.dimension;
    qsort(area->terms, area->count, sizeof(*area->terms), ascending);
    for (size_t i = 0; i < area->count;) {
        uint32_t term = area->terms[i];
        size_t first = i;
        while (i < area->count && area->terms[i] == term)
            i++;
        float weight = lsa_weight((float)(i - first), model->idf[term]);
        const float *row = model->v + term * dimension;
        for (size_t j = 0; j < dimension; j++)
            vector[j] += weight * row[j];
    }
}

/* A zero vector stays one: its words cancelled each other out, or weigh nothing. */
static enum sh_err make_unit(float *vector, size_t dimension)
{
    double squares = 0;
    for (size_t i = 0; i < dimension; i++)
        squares += (double)vector[i] * (double)vector[i];
    if (!isfinite(squares))
        memset(vector, 0, dimension * sizeof(*vector));
    if (!isfinite(squares) || squares <= 0)
        return isfinite(squares) ? SH_INVALID : SH_INTERNAL;
    double inverse = 1 / sqrt(squares); /* as a float it may be none */
    for (size_t i = 0; i < dimension; i++)
        vector[i] = (float)((double)vector[i] * inverse);
    return SH_OK;
}

enum sh_err lsa_embed(const struct lsa *self, struct lsa_area *area, struct sh_bytes text,
                      bool refuse_long, float *vector, size_t *words)
{
    memset(vector, 0, self->about.dimension * sizeof(*vector));
    *words = 0;
    if (text.len == 0)
        return SH_INVALID;
    if (refuse_long && text.len > LSA_TEXT_MAX)
        return SH_TOOBIG;
    area->model = self;
    area->count = 0;
    enum sh_err err =
        words_each(area->splitter, words_shorten(text, LSA_TEXT_MAX), on_word, area);
    *words = area->count;
    if (err != SH_OK || area->count == 0)
        return err != SH_OK ? err : SH_INVALID;
    add_terms(self, area, vector);
    return make_unit(vector, self->about.dimension);
}
