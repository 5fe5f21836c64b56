#include "services/search/view/view_suggest_internal.h"

static enum sh_err give_forms(struct suggest *self, const struct suggest_word *typed,
                              struct text_word *out)
{
    const struct text_completions *found = &typed->forms;
    *out = (struct text_word){.count = found->count, .offset = typed->position};
    out->forms =
        sh_arena_array(&self->scratch, (size_t)found->count + 1, sizeof(*out->forms));
    for (uint32_t i = 0; out->forms && i < found->count; i++)
        out->forms[i] =
            (struct text_form){found->items[i].text, terms_hash(found->items[i].text), 1};
    return out->forms ? SH_OK : SH_NOMEM;
}

/* A "the" tells something only where nothing else does. */
static bool tells(const struct suggest *self)
{
    for (size_t i = 0; i + 1 < self->count; i++) {
        if (!self->words[i].stop)
            return true;
    }
    return false;
}

enum sh_err suggest_together(struct suggest *self)
{
    const struct suggest_word *last = &self->words[self->count - 1];
    struct text_word words[SUGGEST_WORDS];
    struct text_rule rule = {.words = words};
    bool telling = tells(self);
    for (size_t i = 0; i + 1 < self->count; i++) {
        if (telling && self->words[i].stop)
            continue;
        enum sh_err err = give_forms(self, &self->words[i], &words[rule.count++]);
        if (err != SH_OK)
            return err;
    }
    if (rule.count == 0)
        return SH_OK;
    self->together = sh_arena_alloc(&self->scratch, sizeof(*self->together));
    if (!self->together)
        return SH_NOMEM;
    uint32_t offset = last->position - words[rule.count - 1].offset;
    return text_together_make(self->together, self->view->text, &rule, offset,
                              &self->allowed, self->asked->deadline_ms);
}
