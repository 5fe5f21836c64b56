#include "services/embedder/lsa/lsa_fit.h"

#include <math.h>
#include <stdlib.h>

#include "services/embedder/lsa/lsa_format.h"
#include "services/embedder/lsa/svd.h"
#include "services/embedder/lsa/terms.h"
#include "services/embedder/model/words.h"
#include "shared/mem.h"

_Static_assert((int)LSA_FIT_STEPS == (int)SVD_STEPS, "what a watcher counts to");

static const uint64_t SEED = 0x6c73612d63616972u;

struct lsa_fit {
    struct lsa_fit_options options;
    struct words *splitter;
    struct terms terms;
    struct matrix matrix; /* counts, then weights */
    uint32_t *words;      /* of the text at hand */
    float *counts;
    size_t count;
    size_t room;
    /* the vocabulary: its terms by bytes, and where each term of `terms` went */
    uint32_t *chosen;
    uint32_t *place;
    size_t chosen_count;
};

/* --- texts ------------------------------------------------------------------------ */

enum sh_err lsa_fit_create(const struct lsa_fit_options *options, struct lsa_fit **out)
{
    *out = NULL;
    if (options->rank > LSA_RANK_MAX)
        return SH_INVALID;
    struct lsa_fit *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->options = *options;
    if (self->options.rank == 0)
        self->options.rank = LSA_RANK;
    enum sh_err err = words_create(&self->splitter);
    if (err != SH_OK)
        lsa_fit_free(&self);
    *out = self;
    return err;
}

void lsa_fit_free(struct lsa_fit **fit)
{
    struct lsa_fit *self = *fit;
    if (!self)
        return;
    *fit = NULL;
    words_free(&self->splitter);
    terms_free(&self->terms);
    matrix_free(&self->matrix);
    sh_free(self->words);
    sh_free(self->counts);
    sh_free(self->chosen);
    sh_free(self->place);
    sh_free(self);
}

static enum sh_err on_word(void *arg, const struct word *word)
{
    struct lsa_fit *self = arg;
    if (!lsa_is_term(word))
        return SH_OK;
    if (self->count == self->room) {
        size_t room = self->room + self->room / 2 + 256;
        uint32_t *words = sh_realloc(self->words, room * sizeof(*words));
        if (!words)
            return SH_NOMEM;
        self->words = words;
        float *counts = sh_realloc(self->counts, room * sizeof(*counts));
        if (!counts)
            return SH_NOMEM;
        self->counts = counts;
        self->room = room;
    }
    uint32_t number = TERMS_NONE;
    enum sh_err err = terms_number(&self->terms, word->stem, &number);
    if (err == SH_OK && number != TERMS_NONE)
        self->words[self->count++] = number;
    return err;
}

static int ascending(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    return (x > y) - (x < y);
}

/* Equal words become one with its count; returns how many are left. */
static size_t count_words(struct lsa_fit *self)
{
    size_t kept = 0;
    if (self->count > 0)
        qsort(self->words, self->count, sizeof(*self->words), ascending);
    for (size_t i = 0; i < self->count; kept++) {
        uint32_t word = self->words[i];
        size_t first = i;
        while (i < self->count && self->words[i] == word)
            i++;
        self->words[kept] = word;
        self->counts[kept] = (float)(i - first);
    }
    return kept;
}

/* Few texts span no more: on the 1,400 of Cranfield 200 dimensions beat 256 and 100. */
static uint32_t rank_of(const struct lsa_fit *self)
{
    size_t most = self->matrix.rows / LSA_TEXTS_PER_DIMENSION;
    most = most > LSA_RANK_MIN ? most : LSA_RANK_MIN;
    return most < self->options.rank ? (uint32_t)most : self->options.rank;
}

static size_t bytes_of(const struct lsa_fit *self, size_t columns)
{
    return matrix_bytes(&self->matrix) + terms_bytes(&self->terms) +
           svd_bytes(self->matrix.rows, columns, rank_of(self));
}

enum sh_err lsa_fit_add(struct lsa_fit *self, struct sh_bytes text)
{
    self->count = 0;
    enum sh_err err =
        words_each(self->splitter, words_shorten(text, LSA_TEXT_MAX), on_word, self);
    if (err != SH_OK)
        return err;
    size_t count = count_words(self);
    for (size_t i = 0; i < count; i++)
        self->terms.list[self->words[i]].texts++;
    err = matrix_add(&self->matrix, self->words, self->counts, count);
    bool over =
        self->options.bytes_max > 0 && bytes_of(self, 0) > self->options.bytes_max;
    return err == SH_OK && over ? SH_TOOBIG : err;
}

size_t lsa_fit_texts(const struct lsa_fit *self)
{
    return self->matrix.rows;
}

size_t lsa_fit_terms(const struct lsa_fit *self)
{
    return self->chosen_count;
}

/* --- the vocabulary --------------------------------------------------------------- */

static bool is_useful(const struct lsa_fit *self, const struct term *term)
{
    return term->texts >= 2 && (size_t)term->texts * 2 <= self->matrix.rows;
}

static int by_texts(const void *a, const void *b, void *arg)
{
    const struct terms *terms = arg;
    uint32_t x = *(const uint32_t *)a;
    uint32_t y = *(const uint32_t *)b;
    uint32_t more = terms->list[x].texts;
    uint32_t less = terms->list[y].texts;
    return more != less ? (more < less) - (more > less) : (x > y) - (x < y);
}

static int by_bytes(const void *a, const void *b, void *arg)
{
    struct sh_bytes x = terms_word(arg, *(const uint32_t *)a);
    struct sh_bytes y = terms_word(arg, *(const uint32_t *)b);
    return lsa_compare(x, y);
}

/* Of too many the more frequent ones stay. */
static enum sh_err choose(struct lsa_fit *self)
{
    size_t count = self->terms.count;
    self->chosen = sh_alloc_array(count + 1, sizeof(*self->chosen));
    self->place = sh_alloc_array(count + 1, sizeof(*self->place));
    if (!self->chosen || !self->place)
        return SH_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        self->place[i] = TERMS_NONE;
        if (is_useful(self, &self->terms.list[i]))
            self->chosen[self->chosen_count++] = i;
    }
    if (self->chosen_count > LSA_VOCABULARY_MAX) {
        qsort_r(self->chosen, self->chosen_count, sizeof(*self->chosen), by_texts,
                &self->terms);
        self->chosen_count = LSA_VOCABULARY_MAX;
    }
    qsort_r(self->chosen, self->chosen_count, sizeof(*self->chosen), by_bytes,
            &self->terms);
    for (uint32_t i = 0; i < self->chosen_count; i++)
        self->place[self->chosen[i]] = i;
    return SH_OK;
}

/* --- weights ---------------------------------------------------------------------- */

static float idf_of(const struct lsa_fit *self, uint32_t term)
{
    double texts = (double)self->terms.list[term].texts;
    return (float)log(((double)self->matrix.rows + 1) / (texts + 1));
}

static void make_unit(float *values, size_t count)
{
    double squares = 0;
    for (size_t i = 0; i < count; i++)
        squares += (double)values[i] * (double)values[i];
    float inverse = squares > 0 ? (float)(1 / sqrt(squares)) : 0;
    for (size_t i = 0; i < count; i++)
        values[i] *= inverse;
}

/* In place: a row only gets shorter. */
static void weigh(struct lsa_fit *self)
{
    struct matrix *m = &self->matrix;
    size_t to = 0;
    for (size_t row = 0; row < m->rows; row++) {
        size_t from = m->starts[row];
        size_t end = m->starts[row + 1];
        size_t first = to;
        for (size_t i = from; i < end; i++) {
            uint32_t term = m->column[i];
            if (self->place[term] == TERMS_NONE)
                continue;
            m->column[to] = self->place[term];
            m->value[to++] = lsa_weight(m->value[i], idf_of(self, term));
        }
        make_unit(m->value + first, to - first);
        m->starts[row] = first;
    }
    if (m->starts)
        m->starts[m->rows] = to;
    m->columns = self->chosen_count;
}

/* --- the file --------------------------------------------------------------------- */

struct parts {
    struct sh_buffer text;
    uint32_t *offsets; /* chosen_count + 1 */
    float *idf;
};

static void free_parts(struct parts *parts)
{
    sh_buffer_free(&parts->text);
    sh_free(parts->offsets);
    sh_free(parts->idf);
}

static enum sh_err list_terms(const struct lsa_fit *self, struct parts *parts)
{
    size_t count = self->chosen_count;
    parts->offsets = sh_alloc_array(count + 1, sizeof(*parts->offsets));
    parts->idf = sh_alloc_array(count, sizeof(*parts->idf));
    if (!parts->offsets || !parts->idf)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        struct sh_bytes word = terms_word(&self->terms, self->chosen[i]);
        sh_buffer_append(&parts->text, word.data, word.len);
        parts->offsets[i + 1] = (uint32_t)parts->text.len;
        parts->idf[i] = idf_of(self, self->chosen[i]);
    }
    return parts->text.err;
}

static enum sh_err write_file(const struct lsa_fit *self, const struct svd *svd,
                              struct sh_buffer *file)
{
    struct parts parts = {0};
    const uint8_t source[PACK_DIGEST_BYTES] = {0}; /* it was made from no other weights */
    size_t count = self->chosen_count;
    struct lsa_about about = {.version = LSA_FORMAT_VERSION,
                              .terms = (uint32_t)count,
                              .dimension = svd->rank,
                              .texts = self->matrix.rows};
    enum sh_err err = list_terms(self, &parts);
    if (err == SH_OK) {
        const struct pack_tensor tensors[] = {
            {LSA_ABOUT, PACK_RAW, 1, sizeof(about), &about},
            {LSA_TEXT, PACK_RAW, 1, parts.text.len, parts.text.data},
            {LSA_OFFSETS, PACK_RAW, count + 1, sizeof(uint32_t), parts.offsets},
            {LSA_IDF, PACK_F32, 1, count, parts.idf},
            {LSA_SINGULAR, PACK_F32, 1, svd->rank, svd->singular},
            {LSA_V, PACK_F32, count, svd->rank, svd->v},
        };
        err = pack_make(source, tensors, SH_COUNT(tensors), file);
    }
    free_parts(&parts);
    return err;
}

enum sh_err lsa_fit_finish(struct lsa_fit *self, struct lsa_fit_watch *watch,
                           struct sh_buffer *file)
{
    struct svd svd = {0};
    enum sh_err err = choose(self);
    bool over = self->options.bytes_max > 0 &&
                bytes_of(self, self->chosen_count) > self->options.bytes_max;
    if (err == SH_OK && over)
        err = SH_TOOBIG;
    if (err != SH_OK)
        return err;
    weigh(self);
    struct svd_order order = {.a = &self->matrix,
                              .rank = rank_of(self),
                              .seed = SEED,
                              .threads = self->options.threads,
                              .stop = watch ? &watch->stop : NULL,
                              .steps = watch ? &watch->steps : NULL};
    err = svd_compute(&order, &svd);
    if (err == SH_OK)
        err = write_file(self, &svd, file);
    svd_free(&svd);
    return err;
}
