#include "services/search/view/view_suggest_internal.h"

#include <stdlib.h>

/* The dictionary has stems: how a word is written, passages tell that hold it, and only
 * such as the caller may read are asked. */

enum { TEXT_LOOKED = 16384 /* bytes of a passage */ };

struct written {
    struct sh_bytes text; /* in the passage; NULL: none yet */
    struct sh_bytes folded;
};

/* Whether what stands there is of the term. Texts are taken apart without stemming, which
 * would take far longer; it is done for the few words that matter. */
static bool is_of_term(struct suggest *self, unsigned language, const struct token *token,
                       struct sh_bytes term)
{
    struct token stemmed;
    if (language == LANGUAGE_NONE)
        return sh_bytes_equal(token->folded, term);
    analyzer_start(self->analyzers[language], token->folded);
    return analyzer_next(self->analyzers[language], &stemmed) &&
           sh_bytes_equal(stemmed.term, term);
}

static bool may_go_on(const struct suggest_word *typed, const struct text_completion *one,
                      struct sh_bytes folded)
{
    return !sh_bytes_equal(folded, typed->folded) &&
           (one->near || suggest_begins(folded, typed->folded));
}

static bool is_capital(const char *text)
{
    return *text >= 'A' && *text <= 'Z';
}

/* True: found as it stands inside a sentence, which is best. Errors go to *err. */
static bool find_in(struct suggest *self, struct sh_bytes text, unsigned language,
                    const struct text_completion *one, struct written *out,
                    enum sh_err *err)
{
    const struct suggest_word *typed = &self->words[self->count - 1];
    struct analyzer *plain = self->analyzers[LANGUAGE_NONE];
    struct token token;
    if (text.len > TEXT_LOOKED)
        text.len = TEXT_LOOKED; /* a word cut there is no form of the term, or a word */
    analyzer_start(plain, text);
    while (analyzer_next(plain, &token)) {
        const char *start = (const char *)text.data + token.start;
        if (token.end == TEXT_LOOKED || !may_go_on(typed, one, token.folded) ||
            !is_of_term(self, language, &token, one->text))
            continue;
        if (out->text.data && is_capital(start))
            continue;
        out->text = (struct sh_bytes){start, token.end - token.start};
        out->folded = sh_arena_copy(&self->scratch, token.folded);
        *err = out->folded.data ? SH_OK : SH_NOMEM;
        if (*err != SH_OK || !is_capital(start))
            return true;
    }
    return false;
}

static enum sh_err find_written(struct suggest *self, const struct text_completion *one,
                                struct written *out)
{
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < one->slot_count; i++) {
        const struct slot *slot = &self->view->slots[one->slots[i]];
        const struct stored_document *document = slot->document;
        if (!document)
            continue;
        err = language_analyzer(self->analyzers, document->language);
        const struct sh_bytes texts[] = {slot->chunk->text, slot->chunk->section_title,
                                         document->title};
        for (size_t t = 0; err == SH_OK && t < SH_COUNT(texts); t++) {
            if (find_in(self, texts[t], document->language, one, out, &err))
                return err;
        }
        if (err != SH_OK)
            return err;
    }
    return err;
}

static int by_nearness(const void *a, const void *b)
{
    const struct text_completion *left = a;
    const struct text_completion *right = b;
    if (left->next != right->next)
        return left->next ? -1 : 1;
    if (left->passages != right->passages)
        return left->passages < right->passages ? 1 : -1;
    return (left->term > right->term) - (left->term < right->term);
}

/* The query as it was typed, with this for its last word; or this alone, rather than a
 * phrase that stands nowhere. */
static enum sh_err complete(const struct suggest *self, const struct written *written,
                            struct sh_arena *arena, struct view_suggested *out)
{
    size_t before = self->alone ? 0 : self->last;
    size_t len = before + written->text.len;
    char *text = sh_arena_alloc(arena, len + 1);
    if (!text)
        return SH_NOMEM;
    memcpy(text, self->asked->query.data, before);
    memcpy(text + before, written->text.data, written->text.len);
    out->words[out->word_count++] = (struct view_suggestion){.text = {text, len}};
    return SH_OK;
}

/* "first of the fi" is not meant to become "first of the first". */
static bool repeats(const struct suggest *self, struct sh_bytes folded)
{
    for (size_t i = 0; !self->alone && i + 1 < self->count; i++) {
        if (sh_bytes_equal(self->words[i].folded, folded))
            return true;
    }
    return false;
}

enum sh_err suggest_words(struct suggest *self, struct sh_arena *arena,
                          struct view_suggested *out)
{
    struct text_completions *forms = &self->words[self->count - 1].forms;
    struct sh_bytes told[SUGGEST_MOST] = {{0}};
    enum sh_err err = SH_OK;
    if (forms->count > 0)
        qsort(forms->items, forms->count, sizeof(forms->items[0]), by_nearness);
    for (uint32_t i = 0; i < forms->count && out->word_count < self->asked->limit; i++) {
        struct written written = {.text = {0}};
        err = find_written(self, &forms->items[i], &written);
        if (err != SH_OK)
            break;
        bool again = repeats(self, written.folded);
        for (size_t w = 0; w < out->word_count; w++)
            again = again || sh_bytes_equal(told[w], written.folded);
        if (!written.text.data || again)
            continue;
        told[out->word_count] = written.folded;
        err = complete(self, &written, arena, out);
        if (err != SH_OK)
            break;
    }
    return err;
}
