#include "services/search/terminology/phrases.h"

#include <xxhash.h>

#include "services/search/terminology/phrases_internal.h"
#include "services/search/text/language.h"

enum { LEAST = 1000, KEY_BYTES = PHRASE_WORDS * (ANALYZER_TERM_MAX + 1) };

struct word { /* of the last PHRASE_WORDS of a run */
    char stem[ANALYZER_TERM_MAX + 1];
    size_t stem_len;
    uint32_t start;
    uint32_t end;
    uint32_t character; /* characters before it */
    bool link;
    bool whole; /* it may be a term by itself */
};

struct reading {
    struct phrases *phrases;
    struct sh_bytes text;
    uint32_t document;
    uint32_t ordinal;
    struct word words[PHRASE_WORDS];
    size_t count; /* of the run that is being read, the newest last */
    uint32_t at;  /* bytes whose characters were counted */
    uint32_t characters;
};

/* --- the table -------------------------------------------------------------------- */

static size_t place_of(const struct phrases *self, struct sh_bytes key, uint64_t hash)
{
    size_t mask = self->table_size - 1;
    size_t i = (size_t)hash & mask;

    for (; self->table[i] != 0; i = (i + 1) & mask) {
        const struct run *run = self->runs[self->table[i] - 1];
        if (run->hash == hash && sh_bytes_equal(run->key, key))
            break;
    }
    return i;
}

struct run *phrases_find(const struct phrases *self, struct sh_bytes key)
{
    size_t place = place_of(self, key, XXH3_64bits(key.data, key.len));

    return self->table[place] > 0 ? self->runs[self->table[place] - 1] : NULL;
}

static void drop(struct phrases *self, uint64_t missed)
{
    size_t kept = 0;

    for (size_t i = 0; i < self->count; i++) {
        if (self->runs[i]->frequency + self->runs[i]->missed > missed)
            self->runs[kept++] = self->runs[i];
        else
            sh_free(self->runs[i]);
    }
    self->count = kept;
}

/* Texts of those that are left, so that those of the others go. */
static enum sh_err move_texts(struct phrases *self)
{
    struct sh_arena arena = {0};
    bool ok = true;

    for (size_t i = 0; ok && i < self->count; i++) {
        struct run *run = self->runs[i];
        run->key = sh_arena_copy(&arena, run->key);
        ok = run->key.data != NULL;
        for (uint32_t j = 0; ok && j < run->form_count; j++) {
            run->forms[j].text = sh_arena_copy(&arena, run->forms[j].text);
            ok = run->forms[j].text.data != NULL;
        }
    }
    if (!ok) { /* some point into the one, some into the other */
        for (size_t i = 0; i < self->count; i++)
            sh_free(self->runs[i]);
        self->count = 0;
        sh_arena_free(&arena);
    }
    sh_arena_free(&self->arena);
    self->arena = arena;
    return ok ? SH_OK : SH_NOMEM;
}

/* Rare ones go until half of the room is free. */
static enum sh_err make_room(struct phrases *self)
{
    enum sh_err err;

    while (self->count > self->most / 2)
        drop(self, ++self->missed);
    err = move_texts(self);
    memset(self->table, 0, self->table_size * sizeof(*self->table));
    for (size_t i = 0; i < self->count; i++) {
        const struct run *run = self->runs[i];
        self->table[place_of(self, run->key, run->hash)] = (uint32_t)i + 1;
    }
    return err;
}

static enum sh_err run_of(struct phrases *self, struct sh_bytes key, struct run **out)
{
    uint64_t hash = XXH3_64bits(key.data, key.len);
    size_t place = place_of(self, key, hash);
    struct run *run;

    if (self->table[place] > 0) {
        *out = self->runs[self->table[place] - 1];
        return SH_OK;
    }
    if (self->count >= self->most) {
        enum sh_err err = make_room(self);
        if (err != SH_OK)
            return err;
        place = place_of(self, key, hash);
    }
    run = sh_alloc(sizeof(*run));
    if (run == NULL)
        return SH_NOMEM;
    run->key = sh_arena_copy(&self->arena, key);
    if (run->key.data == NULL) {
        sh_free(run);
        return SH_NOMEM;
    }
    run->hash = hash;
    run->missed = self->missed;
    self->runs[self->count] = run;
    self->table[place] = (uint32_t)++self->count;
    *out = run;
    return SH_OK;
}

/* --- a run ------------------------------------------------------------------------ */

/* The end of a line as a space. 0: it is too long. */
static size_t write_form(const struct reading *reading, const struct word *first,
                         const struct word *last, char out[PHRASE_BYTES])
{
    const char *text = reading->text.data;
    size_t len = last->end - first->start;

    if (len > PHRASE_BYTES)
        return 0;
    memcpy(out, text + first->start, len);
    for (size_t i = 0; i < len; i++)
        if (out[i] == '\n')
            out[i] = ' ';
    return len;
}

/* PHRASE_FORMS when all places are taken by others. */
static enum sh_err count_form(struct phrases *self, struct run *run, struct sh_bytes text,
                              uint32_t *form)
{
    for (*form = 0; *form < run->form_count; ++*form)
        if (sh_bytes_equal(run->forms[*form].text, text)) {
            run->forms[*form].count++;
            return SH_OK;
        }
    if (*form == PHRASE_FORMS)
        return SH_OK;
    run->forms[*form] = (struct run_form){sh_arena_copy(&self->arena, text), 1};
    if (run->forms[*form].text.data == NULL)
        return SH_NOMEM;
    run->form_count++;
    return SH_OK;
}

static enum sh_err count_run(struct reading *reading, size_t words)
{
    const struct word *first = &reading->words[reading->count - words];
    const struct word *last = &reading->words[reading->count - 1];
    char key[KEY_BYTES];
    char form[PHRASE_BYTES];
    size_t len = 0;
    size_t form_len = write_form(reading, first, last, form);
    struct run *run;
    uint32_t which;

    if (form_len == 0)
        return SH_OK;
    for (const struct word *word = first; word <= last; word++) {
        memcpy(key + len, word->stem, word->stem_len + 1);
        len += word->stem_len + 1;
    }
    enum sh_err err = run_of(reading->phrases, (struct sh_bytes){key, len}, &run);
    if (err == SH_OK)
        err =
            count_form(reading->phrases, run, (struct sh_bytes){form, form_len}, &which);
    if (err != SH_OK)
        return err;
    run->words = (uint32_t)words;
    run->frequency++;
    if (run->last_document == reading->document + 1)
        return SH_OK;
    run->last_document = reading->document + 1;
    run->documents++;
    if (run->place_count < PHRASE_CONTEXTS && which < PHRASE_FORMS)
        run->places[run->place_count++] = (struct run_place){
            reading->document, reading->ordinal, first->character, which};
    return SH_OK;
}

/* --- words ------------------------------------------------------------------------ */

/* Nothing but a space, the end of a line or a hyphen between the two. */
static bool side_by_side(struct sh_bytes text, uint32_t end, uint32_t start)
{
    const char *at = text.data;

    return start == end + 1 && (at[end] == ' ' || at[end] == '-' || at[end] == '\n');
}

static uint32_t characters_before(struct reading *reading, uint32_t byte)
{
    const uint8_t *at = reading->text.data;

    for (; reading->at < byte; reading->at++)
        reading->characters += (at[reading->at] & 0xc0) != 0x80;
    return reading->characters;
}

static void push(struct reading *reading, const struct token *token, bool link)
{
    struct word *word;

    if (reading->count == PHRASE_WORDS)
        memmove(reading->words, reading->words + 1,
                --reading->count * sizeof(*reading->words));
    word = &reading->words[reading->count++];
    memcpy(word->stem, token->term.data, token->term.len);
    word->stem[token->term.len] = '\0';
    word->stem_len = token->term.len;
    word->start = token->start;
    word->end = token->end;
    word->character = characters_before(reading, token->start);
    word->link = link;
    word->whole = phrases_is_whole((struct sh_bytes){
        (const char *)reading->text.data + token->start, token->end - token->start});
}

/* All runs that end with the newest word. */
static enum sh_err count_runs(struct reading *reading)
{
    enum sh_err err = SH_OK;

    for (size_t words = 1; err == SH_OK && words <= reading->count; words++) {
        const struct word *first = &reading->words[reading->count - words];
        if (!first->link && (words > 1 || first->whole))
            err = count_run(reading, words);
    }
    return err;
}

static enum sh_err take(struct reading *reading, const struct token *token)
{
    const struct word *last =
        reading->count > 0 ? &reading->words[reading->count - 1] : NULL;
    const char *language = language_name(reading->phrases->language);
    bool stop = token->stop || phrases_is_stop(language, token->folded);
    bool link =
        stop && last != NULL && !last->link && phrases_links(language, token->folded);

    if (last != NULL && !side_by_side(reading->text, last->end, token->start)) {
        reading->count = 0;
        link = false;
    }
    if ((stop && !link) || !phrases_has_letter(token->folded) ||
        phrases_is_pair(token->folded) || token->term.len > ANALYZER_TERM_MAX ||
        token->term.len == 0 || memchr(token->term.data, '\0', token->term.len) != NULL) {
        reading->count = 0;
        return SH_OK;
    }
    push(reading, token, link);
    return link ? SH_OK : count_runs(reading);
}

enum sh_err phrases_add(struct phrases *self, uint32_t document, uint32_t ordinal,
                        struct sh_bytes text)
{
    struct reading reading = {
        .phrases = self, .text = text, .document = document, .ordinal = ordinal};
    struct token token;
    enum sh_err err = SH_OK;

    analyzer_start(self->analyzer, text);
    while (err == SH_OK && analyzer_next(self->analyzer, &token))
        if (!token.extra)
            err = take(&reading, &token);
    return err;
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err phrases_create(unsigned language, size_t most, struct phrases **out)
{
    struct phrases *self = sh_alloc(sizeof(*self));
    enum sh_err err = self != NULL ? SH_OK : SH_NOMEM;

    if (err == SH_OK) {
        self->language = language;
        self->most = most > LEAST ? most : LEAST;
        self->table_size = 1024;
        while (self->table_size < 2 * self->most)
            self->table_size *= 2;
        self->table = sh_alloc_array(self->table_size, sizeof(*self->table));
        self->runs = sh_alloc_array(self->most, sizeof(struct run *));
        err = self->table != NULL && self->runs != NULL
                  ? analyzer_create(language_name(language), &self->analyzer)
                  : SH_NOMEM;
    }
    if (err != SH_OK)
        phrases_free(&self);
    *out = self;
    return err;
}

void phrases_free(struct phrases **self_in)
{
    struct phrases *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    for (size_t i = 0; self->runs != NULL && i < self->count; i++)
        sh_free(self->runs[i]);
    sh_free(self->runs);
    sh_free(self->table);
    analyzer_free(&self->analyzer);
    sh_arena_free(&self->arena);
    sh_free(self);
}

size_t phrases_count(const struct phrases *self)
{
    return self->count;
}

uint64_t phrases_missed(const struct phrases *self)
{
    return self->missed;
}
