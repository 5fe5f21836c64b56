#include "services/search/view/view_suggest.h"

#include "services/search/view/view_suggest_internal.h"

enum { WORD_BLOCKS = 3000 /* each */, TITLE_BLOCKS = 1500, NEAR_LOOKS = 2 };

/* --- what was typed --------------------------------------------------------------- */

/* Of many words the last ones count. */
static enum sh_err add_word(struct suggest *self, const struct token *token)
{
    struct text_completion *forms =
        sh_arena_array(&self->scratch, SUGGEST_FORMS, sizeof(*forms));
    struct sh_bytes folded = sh_arena_copy(&self->scratch, token->folded);
    if (!forms || !folded.data)
        return SH_NOMEM;
    if (self->count == SUGGEST_WORDS)
        memmove(self->words, self->words + 1, --self->count * sizeof(self->words[0]));
    self->words[self->count++] =
        (struct suggest_word){.folded = folded,
                              .forms = {.items = forms, .room = SUGGEST_FORMS},
                              .position = token->position};
    self->last = token->start;
    self->open = token->end == self->asked->query.len;
    return SH_OK;
}

static enum sh_err read_words(struct suggest *self)
{
    struct analyzer *plain = self->analyzers[LANGUAGE_NONE];
    struct token token;
    enum sh_err err = SH_OK;
    analyzer_start(plain, self->asked->query);
    while (err == SH_OK && analyzer_next(plain, &token)) {
        if (!token.extra)
            err = add_word(self, &token);
    }
    return err;
}

/* --- what passages have of it ----------------------------------------------------- */

static bool stem_of(struct analyzer *analyzer, struct sh_bytes word, struct token *token)
{
    analyzer_start(analyzer, word);
    return analyzer_next(analyzer, token);
}

static enum sh_err find_stems(struct suggest *self, struct suggest_word *word)
{
    struct token token;
    enum sh_err err = SH_OK;
    for (int i = 0; err == SH_OK && i < LANGUAGE_COUNT; i++) {
        if (!self->analyzers[i] || !stem_of(self->analyzers[i], word->folded, &token))
            continue;
        word->stop = word->stop || token.stop;
        err = text_suggest_term(&self->text, token.term, &word->forms);
    }
    return err;
}

/* A look at the whole dictionary each: not for every language. */
static enum sh_err find_near(struct suggest *self, struct suggest_word *word)
{
    struct token token;
    int looks = 0;
    enum sh_err err = text_suggest_near(&self->text, word->folded, &word->forms);
    for (int i = 0; err == SH_OK && i < LANGUAGE_COUNT && looks < NEAR_LOOKS; i++) {
        if (word->forms.count > 0)
            break;
        if (!self->analyzers[i] || !stem_of(self->analyzers[i], word->folded, &token) ||
            sh_bytes_equal(token.term, word->folded))
            continue;
        err = text_suggest_near(&self->text, token.term, &word->forms);
        looks++;
    }
    return err;
}

static enum sh_err find_forms(struct suggest *self, struct suggest_word *word, bool open)
{
    self->text.blocks = WORD_BLOCKS;
    enum sh_err err = find_stems(self, word);
    if (err == SH_OK && open && word->folded.len >= SUGGEST_LEAST_BYTES)
        err =
            text_suggest_prefix(&self->text, word->folded, &self->scratch, &word->forms);
    if (err == SH_OK && word->forms.count == 0)
        err = find_near(self, word);
    for (uint32_t i = 0; i < word->forms.count; i++)
        word->passages += word->forms.items[i].passages;
    return err;
}

/* One that may go on: to what stands with the words before, else to what there is. */
static enum sh_err find_last(struct suggest *self)
{
    struct suggest_word *word = &self->words[self->count - 1];
    enum sh_err err = self->open ? suggest_together(self) : SH_OK;
    self->text.together = self->together;
    if (err == SH_OK)
        err = find_forms(self, word, self->open);
    self->text.together = NULL;
    if (err != SH_OK || !self->together || word->forms.count > 0)
        return err;
    self->alone = true;
    return find_forms(self, word, self->open);
}

/* --- both ------------------------------------------------------------------------- */

static enum sh_err look(struct suggest *self, const struct filter *filter,
                        struct sh_arena *arena, struct view_suggested *out)
{
    const struct view *view = self->view;
    struct selection found;
    enum sh_err err = columns_select(view->columns, filter, view->slot_count,
                                     self->asked->deadline_ms, &self->scratch, &found);
    if (err != SH_OK)
        return err;
    self->allowed = found.allowed;
    self->text = (struct text_suggest){.index = view->text, .allowed = &self->allowed};
    for (size_t i = 0; err == SH_OK && i + 1 < self->count; i++)
        err = find_forms(self, &self->words[i], false);
    if (err == SH_OK)
        err = find_last(self);
    self->text.blocks = TITLE_BLOCKS;
    if (err == SH_OK)
        err = suggest_titles(self, arena, out);
    if (err == SH_OK && self->open)
        err = suggest_words(self, arena, out);
    return err;
}

enum sh_err view_suggest(const struct view *view, const struct view_suggest *asked,
                         struct sh_arena *arena, struct view_suggested *out)
{
    struct suggest self = {.view = view, .asked = asked};
    struct filter_problem problem = {{0}, {0}};
    struct filter *filter = NULL;
    *out = (struct view_suggested){.title_count = 0};
    enum sh_err err = filter_compile((struct sh_bytes){0}, asked->caller, &self.scratch,
                                     &filter, &problem);
    if (err == SH_OK)
        err = languages_of(view, self.analyzers);
    if (err == SH_OK)
        err = language_analyzer(self.analyzers, LANGUAGE_NONE);
    if (err == SH_OK)
        err = read_words(&self);
    if (err == SH_OK && self.count > 0) {
        pthread_rwlock_rdlock(view->lock);
        err = look(&self, filter, arena, out);
        pthread_rwlock_unlock(view->lock);
    }
    if (self.together)
        text_together_free(self.together);
    language_analyzers_free(self.analyzers);
    sh_arena_free(&self.scratch);
    return err;
}
