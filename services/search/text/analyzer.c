#include "services/search/text/analyzer.h"

#include <libstemmer.h>
#include <utf8proc.h>
#include <xxhash.h>

#include "shared/mem.h"
#include "shared/stopwords.h"

/* Of a longer word only so many bytes are looked at. */
enum { WORD_BYTES = 256, FOLDED_POINTS = 1024 };

enum kind { KIND_NONE, KIND_WORD, KIND_JOINER, KIND_IDEOGRAPH };

struct point {
    enum kind kind;
    int32_t code;
    uint32_t bytes;
};

/* Ideographs wait here: the pair is told before the single one. */
struct folded {
    char text[ANALYZER_TERM_MAX];
    size_t len;
};

/* What became of a word. In a text the same ones come again and again, and stemming is by
 * far the slowest that is done to them. */
enum { KNOWN_WORDS = 8192, KNOWN_BYTES = 24 };

struct known {
    uint8_t len; /* 0: none */
    uint8_t stem_len;
    bool stop;
    char word[KNOWN_BYTES];
    char stem[KNOWN_BYTES];
};

struct analyzer {
    struct sb_stemmer *stemmer; /* NULL: none */
    const struct sh_stopwords *stopwords;
    struct sh_bytes text;
    uint32_t pos;
    uint32_t position;
    struct folded word;
    struct folded stemmed;
    struct folded previous; /* ideograph; len 0: the run begins */
    struct folded current;
    uint32_t previous_start;
    uint32_t current_start; /* a single one to tell still, when `single` */
    bool single;
    bool single_extra;
    struct known known[KNOWN_WORDS]; /* by hash; the newest stays */
};

/* A letter or digit of ASCII. */
static bool is_plain(uint8_t byte)
{
    return (uint8_t)((byte | 0x20) - 'a') < 26 || (uint8_t)(byte - '0') < 10;
}

static enum kind kind_of(int32_t code)
{
    if (code < 0x80)
        return is_plain((uint8_t)code) ? KIND_WORD
               : code == '\''          ? KIND_JOINER
                                       : KIND_NONE;
    if ((code >= 0x3041 && code <= 0x30ff && code != 0x30fb) ||
        (code >= 0x3400 && code <= 0x9fff) || (code >= 0xac00 && code <= 0xd7a3) ||
        (code >= 0xf900 && code <= 0xfaff) || (code >= 0xff66 && code <= 0xff9d) ||
        (code >= 0x20000 && code <= 0x3ffff))
        return KIND_IDEOGRAPH;
    utf8proc_category_t category = utf8proc_category(code);
    if (category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO)
        return KIND_WORD;
    /* U+2019 is how typeset text writes an apostrophe; format characters (soft hyphen,
     * joiners) are part of the word around them. */
    return code == 0x2019 || category == UTF8PROC_CATEGORY_CF ? KIND_JOINER : KIND_NONE;
}

static struct point point_at(const struct analyzer *self, uint32_t pos)
{
    const uint8_t *data = self->text.data;
    if (pos >= self->text.len)
        return (struct point){KIND_NONE, -1, 0};
    if (data[pos] < 0x80)
        return (struct point){kind_of(data[pos]), data[pos], 1};
    utf8proc_int32_t code = -1;
    utf8proc_ssize_t n =
        utf8proc_iterate(data + pos, (utf8proc_ssize_t)(self->text.len - pos), &code);
    if (n < 1)
        return (struct point){KIND_NONE, -1, 1};
    return (struct point){kind_of(code), code, (uint32_t)n};
}

/* A prefix of at most ANALYZER_TERM_MAX bytes that ends between characters. */
static size_t clip(const char *text, size_t len)
{
    if (len <= ANALYZER_TERM_MAX)
        return len;
    len = ANALYZER_TERM_MAX;
    while (len > 0 && ((uint8_t)text[len] & 0xc0) == 0x80)
        len--;
    return len;
}

static bool is_ascii(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if ((uint8_t)text[i] >= 0x80)
            return false;
    }
    return true;
}

static void fold_ascii(const char *text, size_t len, struct folded *out)
{
    out->len = clip(text, len);
    memcpy(out->text, text, out->len);
    for (size_t i = 0; i < out->len; i++) {
        if (text[i] >= 'A' && text[i] <= 'Z')
            out->text[i] ^= 0x20; /* to lower case */
    }
}

/* What Unicode keeps apart and people do not: the curly apostrophe, and the i without a
 * dot, whose capital is folded to the one with it. */
static void even_out(utf8proc_int32_t *points, utf8proc_ssize_t count)
{
    for (utf8proc_ssize_t i = 0; i < count; i++) {
        if (points[i] == 0x2019)
            points[i] = '\'';
        else if (points[i] == 0x131)
            points[i] = 'i';
    }
}

/* Empty when the word folds to nothing. */
static void fold(const char *text, size_t len, struct folded *out)
{
    /* utf8proc_reencode() writes the bytes over the code points and ends them with NUL */
    utf8proc_int32_t points[FOLDED_POINTS + 1];
    const utf8proc_option_t options = UTF8PROC_STABLE | UTF8PROC_COMPAT |
                                      UTF8PROC_COMPOSE | UTF8PROC_CASEFOLD |
                                      UTF8PROC_STRIPMARK | UTF8PROC_IGNORE;
    out->len = 0;
    if (is_ascii(text, len)) {
        fold_ascii(text, len, out);
        return;
    }
    utf8proc_ssize_t count =
        utf8proc_decompose((const utf8proc_uint8_t *)text, (utf8proc_ssize_t)len, points,
                           FOLDED_POINTS, options);
    if (count < 1 || count > FOLDED_POINTS)
        return;
    even_out(points, count);
    utf8proc_ssize_t bytes = utf8proc_reencode(points, count, options);
    if (bytes < 1)
        return;
    out->len = clip((const char *)points, (size_t)bytes);
    memcpy(out->text, points, out->len);
}

static struct sh_bytes stem(struct analyzer *self)
{
    struct sh_bytes word = {self->word.text, self->word.len};
    if (!self->stemmer)
        return word;
    const sb_symbol *stemmed = sb_stemmer_stem(
        self->stemmer, (const sb_symbol *)self->word.text, (int)self->word.len);
    int len = stemmed ? sb_stemmer_length(self->stemmer) : 0;
    if (len < 1 || len > ANALYZER_TERM_MAX)
        return word;
    memcpy(self->stemmed.text, stemmed, (size_t)len);
    return (struct sh_bytes){self->stemmed.text, (size_t)len};
}

static bool find_term(struct analyzer *self, struct sh_bytes *term)
{
    struct sh_bytes word = {self->word.text, self->word.len};
    bool stop = sh_stopwords_has(self->stopwords, word);
    *term = stop ? word : stem(self);
    return stop;
}

/* What the word becomes; true: it is a stop word. */
static bool term_of(struct analyzer *self, struct sh_bytes *term)
{
    size_t len = self->word.len;
    if (len > KNOWN_BYTES)
        return find_term(self, term);
    struct known *known = &self->known[XXH3_64bits(self->word.text, len) % KNOWN_WORDS];
    if (known->len == len && memcmp(known->word, self->word.text, len) == 0) {
        *term = (struct sh_bytes){known->stem, known->stem_len};
        return known->stop;
    }
    bool stop = find_term(self, term);
    if (term->len > KNOWN_BYTES)
        return stop;
    known->len = (uint8_t)len;
    known->stem_len = (uint8_t)term->len;
    known->stop = stop;
    memcpy(known->word, self->word.text, len);
    memcpy(known->stem, term->data, term->len);
    return stop;
}

/* Most of what is no word: a character of ASCII that is none of it. */
static bool is_between(const struct analyzer *self, uint32_t pos)
{
    const uint8_t *data = self->text.data;
    return pos < self->text.len && data[pos] < 0x80 && !is_plain(data[pos]);
}

/* From `pos` on the end of the word that begins there; joiners only inside. */
static uint32_t word_end(const struct analyzer *self, uint32_t pos)
{
    const uint8_t *data = self->text.data;
    uint32_t end = pos;
    for (;;) {
        while (pos < self->text.len && is_plain(data[pos]))
            end = ++pos;
        if (is_between(self, pos) && data[pos] != '\'')
            return end;
        struct point point = point_at(self, pos);
        if (point.kind != KIND_WORD && point.kind != KIND_JOINER)
            return end;
        pos += point.bytes;
        if (point.kind == KIND_WORD)
            end = pos;
        else if (point_at(self, pos).kind != KIND_WORD)
            return end;
    }
}

static bool next_word(struct analyzer *self, struct token *token)
{
    const char *data = self->text.data;
    uint32_t start = self->pos;
    uint32_t end = word_end(self, start);
    size_t len = end - start;

    self->pos = end;
    if (len > WORD_BYTES) {
        len = WORD_BYTES;
        while (len > 0 && ((uint8_t)data[start + len] & 0xc0) == 0x80)
            len--;
    }
    fold(data + start, len, &self->word);
    if (self->word.len == 0)
        return false;
    struct sh_bytes word = {self->word.text, self->word.len};
    struct sh_bytes term;
    bool stop = term_of(self, &term);
    *token = (struct token){.term = term,
                            .folded = word,
                            .position = self->position++,
                            .start = start,
                            .end = end,
                            .stop = stop};
    return true;
}

static bool tell_single(struct analyzer *self, struct token *token)
{
    self->single = false;
    struct sh_bytes term = {self->current.text, self->current.len};
    *token = (struct token){.term = term,
                            .folded = term,
                            .position = self->position++,
                            .start = self->current_start,
                            .end = self->pos,
                            .extra = self->single_extra};
    return true;
}

/* The ideograph at `pos`: the pair with the one before, then (by `single`) itself. */
static bool next_ideograph(struct analyzer *self, const struct point *point,
                           struct token *token)
{
    const char *data = self->text.data;
    uint32_t start = self->pos;

    self->previous = self->current;
    self->previous_start = self->current_start;
    fold(data + start, point->bytes, &self->current);
    self->current_start = start;
    self->pos += point->bytes;
    if (self->current.len == 0)
        return false;
    self->single = true;
    self->single_extra =
        self->previous.len > 0 || point_at(self, self->pos).kind == KIND_IDEOGRAPH;
    if (self->previous.len == 0)
        return tell_single(self, token);
    size_t room = ANALYZER_TERM_MAX - self->previous.len;
    size_t second = self->current.len < room ? self->current.len : room;
    memcpy(self->word.text, self->previous.text, self->previous.len);
    memcpy(self->word.text + self->previous.len, self->current.text, second);
    self->word.len = self->previous.len + second;
    struct sh_bytes term = {self->word.text, self->word.len};
    *token = (struct token){.term = term,
                            .folded = term,
                            .position = self->position - 1,
                            .start = self->previous_start,
                            .end = self->pos};
    return true;
}

bool analyzer_next(struct analyzer *self, struct token *token)
{
    if (self->single)
        return tell_single(self, token);
    while (self->pos < self->text.len) {
        if (is_between(self, self->pos)) {
            self->current.len = 0;
            self->pos++;
            continue;
        }
        struct point point = point_at(self, self->pos);
        if (point.kind == KIND_IDEOGRAPH && next_ideograph(self, &point, token))
            return true;
        if (point.kind == KIND_IDEOGRAPH)
            continue;
        self->current.len = 0; /* a run of ideographs has ended */
        if (point.kind == KIND_WORD && next_word(self, token))
            return true;
        if (point.kind != KIND_WORD)
            self->pos += point.bytes;
    }
    return false;
}

void analyzer_start(struct analyzer *self, struct sh_bytes text)
{
    self->text = text;
    if (self->text.len > UINT32_MAX)
        self->text.len = UINT32_MAX;
    self->pos = 0;
    self->position = 0;
    self->current.len = 0;
    self->single = false;
}

enum sh_err analyzer_create(const char *language, struct analyzer **out)
{
    struct analyzer *self = sh_alloc(sizeof(*self));
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    self->stopwords = sh_stopwords_of(language);
    if (strcmp(language, "none") != 0) {
        self->stemmer = sb_stemmer_new(language, NULL);
        if (!self->stemmer) {
            sh_free(self);
            return SH_INVALID;
        }
    }
    *out = self;
    return SH_OK;
}

void analyzer_free(struct analyzer **analyzer)
{
    struct analyzer *self = *analyzer;
    if (!self)
        return;
    if (self->stemmer)
        sb_stemmer_delete(self->stemmer);
    sh_free(self);
    *analyzer = NULL;
}
