#include "services/embedder/model/words.h"

#include <libstemmer.h>
#include <stdlib.h>

#include "shared/mem.h"

struct words {
    struct sb_stemmer *stemmer;
};

enum sh_err words_create(struct words **out)
{
    struct words *self = sh_alloc(sizeof(*self));
    if (self)
        self->stemmer = sb_stemmer_new("english", "UTF_8");
    if (self && !self->stemmer)
        words_free(&self);
    *out = self;
    return self ? SH_OK : SH_NOMEM;
}

void words_free(struct words **self)
{
    if (!*self)
        return;
    if ((*self)->stemmer)
        sb_stemmer_delete((*self)->stemmer);
    sh_free(*self);
    *self = NULL;
}

static bool in_word(utf8proc_int32_t letter)
{
    utf8proc_category_t category = utf8proc_category(letter);
    return category >= UTF8PROC_CATEGORY_LU && category <= UTF8PROC_CATEGORY_NO;
}

static enum sh_err give(struct words *self, struct word *word, words_fn *each, void *arg)
{
    uint8_t text[WORDS_LETTERS_MAX * 4];
    size_t len = 0;
    for (size_t i = 1; i <= word->len; i++)
        len += (size_t)utf8proc_encode_char(word->letters[i], text + len);
    const sb_symbol *stem = sb_stemmer_stem(self->stemmer, text, (int)len);
    if (!stem)
        return SH_NOMEM;
    word->text = (struct sh_bytes){text, len};
    word->stem = (struct sh_bytes){stem, (size_t)sb_stemmer_length(self->stemmer)};
    return each(arg, word);
}

static enum sh_err split(struct words *self, struct sh_bytes folded, words_fn *each,
                         void *arg)
{
    const uint8_t *text = folded.data;
    struct word word = {0};
    enum sh_err err = SH_OK;
    for (size_t at = 0; err == SH_OK && at <= folded.len;) {
        utf8proc_int32_t letter = ' '; /* the end ends a word too */
        utf8proc_ssize_t step = 1;
        if (at < folded.len)
            step =
                utf8proc_iterate(text + at, (utf8proc_ssize_t)(folded.len - at), &letter);
        if (step <= 0)
            return SH_MALFORMED;
        at += (size_t)step;
        if (in_word(letter)) {
            if (word.len < WORDS_LETTERS_MAX)
                word.letters[++word.len] = letter;
        } else if (word.len > 0) {
            err = give(self, &word, each, arg);
            memset(&word, 0, sizeof(word));
        }
    }
    return err;
}

enum sh_err words_each(struct words *self, struct sh_bytes text, words_fn *each,
                       void *arg)
{
    utf8proc_uint8_t *folded = NULL;
    if (text.len == 0)
        return SH_OK;
    utf8proc_ssize_t len =
        utf8proc_map(text.data, (utf8proc_ssize_t)text.len, &folded,
                     UTF8PROC_STABLE | UTF8PROC_DECOMPOSE | UTF8PROC_COMPAT |
                         UTF8PROC_CASEFOLD | UTF8PROC_STRIPMARK);
    if (len < 0)
        return len == UTF8PROC_ERROR_NOMEM ? SH_NOMEM : SH_MALFORMED;
    struct sh_bytes bytes = {folded, (size_t)len};
    enum sh_err err = split(self, bytes, each, arg);
    free(folded); /* libc's: utf8proc allocated it */
    return err;
}

struct sh_bytes words_shorten(struct sh_bytes text, size_t max)
{
    const uint8_t *bytes = text.data;
    size_t len = text.len < max ? text.len : max;
    while (len > 0 && len < text.len && (bytes[len] & 0xc0) == 0x80)
        len--;
    return (struct sh_bytes){text.data, len};
}
