#include "services/search/view/view_suggest_internal.h"

enum { TITLES_LOOKED = 256, BEGINS = 400, TOGETHER = 200, ALIKE = 100, LONG = 99 };

/* How a word of a title is one that was typed. */
enum likeness { UNLIKE, FORM_OF, GOES_ON, SAME };

struct found_title {
    const struct stored_document *document;
    int score;
};

struct titles {
    struct suggest *suggest;
    struct found_title best[SUGGEST_MOST]; /* the best first */
    size_t count;
    size_t looked;
    enum sh_err err;
};

struct likeness_of { /* each typed word's best, in a title */
    enum likeness likeness;
    uint32_t position;
};

static enum likeness compare(const struct suggest_word *typed, const struct token *token)
{
    if (sh_bytes_equal(token->folded, typed->folded))
        return SAME;
    if (suggest_begins(token->folded, typed->folded))
        return GOES_ON;
    for (uint32_t i = 0; i < typed->forms.count; i++) {
        if (sh_bytes_equal(token->term, typed->forms.items[i].text))
            return FORM_OF;
    }
    return UNLIKE;
}

/* 0: a word is missing. */
static int score_of(const struct suggest *suggest, const struct likeness_of *found,
                    uint32_t length)
{
    int words = (int)suggest->count;
    int alike = 0;
    bool together = true;
    if (words == 0)
        return 0;
    for (size_t i = 0; i < suggest->count; i++) {
        if (found[i].likeness == UNLIKE)
            return 0;
        alike += (int)found[i].likeness;
        together = together && found[i].position == found[0].position + i;
    }
    return (found[0].position == 0 ? BEGINS : 0) + (together ? TOGETHER : 0) +
           ALIKE * alike / (SAME * words) + 1 + LONG -
           (int)(length < LONG ? length : LONG);
}

static int read_title(struct suggest *suggest, const struct stored_document *document)
{
    struct likeness_of found[SUGGEST_WORDS] = {{UNLIKE, 0}};
    struct analyzer *analyzer = suggest->analyzers[document->language];
    struct token token = {.position = 0};
    uint32_t length = 0;
    analyzer_start(analyzer, document->title);
    for (; analyzer_next(analyzer, &token); length++) {
        for (size_t i = 0; i < suggest->count; i++) {
            enum likeness likeness = compare(&suggest->words[i], &token);
            if (likeness > found[i].likeness)
                found[i] = (struct likeness_of){likeness, token.position};
        }
    }
    return score_of(suggest, found, length);
}

static bool comes_before(const struct found_title *a, const struct found_title *b)
{
    if (a->score != b->score)
        return a->score > b->score;
    struct sh_bytes left = a->document->row.id;
    struct sh_bytes right = b->document->row.id;
    size_t least = left.len < right.len ? left.len : right.len;
    int order = memcmp(left.data, right.data, least);
    return order != 0 ? order < 0 : left.len < right.len;
}

static void keep(struct titles *self, struct found_title one)
{
    size_t room = self->suggest->asked->limit;
    size_t at = self->count;
    while (at > 0 && comes_before(&one, &self->best[at - 1]))
        at--;
    if (at == room)
        return;
    if (self->count < room)
        self->count++;
    memmove(&self->best[at + 1], &self->best[at],
            (self->count - at - 1) * sizeof(self->best[0]));
    self->best[at] = one;
}

static bool is_kept(const struct titles *self, const struct stored_document *document)
{
    for (size_t i = 0; i < self->count; i++) {
        if (self->best[i].document == document)
            return true;
    }
    return false;
}

/* Each passage has its document's title: the first one speaks for all. */
static bool take(void *arg, uint32_t slot)
{
    struct titles *self = arg;
    struct suggest *suggest = self->suggest;
    const struct slot *at = &suggest->view->slots[slot];
    const struct stored_document *document = at->document;
    if (!document || at->chunk != &document->chunks[0] || is_kept(self, document))
        return true;
    if (++self->looked > TITLES_LOOKED)
        return false;
    self->err = language_analyzer(suggest->analyzers, document->language);
    if (self->err != SH_OK)
        return false;
    int score = read_title(suggest, document);
    if (score > 0)
        keep(self, (struct found_title){document, score});
    return true;
}

/* The one that fewest passages have; one that is not finished only where no other has
 * any: it stands for many terms. NULL: none has any. */
static const struct suggest_word *rarest(const struct suggest *suggest)
{
    const struct suggest_word *best = NULL;
    for (size_t i = 0; i < suggest->count; i++) {
        const struct suggest_word *word = &suggest->words[i];
        bool unfinished = suggest->open && i + 1 == suggest->count;
        if (word->forms.count > 0 &&
            (!best || (!unfinished && word->passages < best->passages)))
            best = word;
    }
    return best;
}

enum sh_err suggest_titles(struct suggest *suggest, struct sh_arena *arena,
                           struct view_suggested *out)
{
    struct titles self = {.suggest = suggest};
    const struct suggest_word *word = rarest(suggest);
    for (uint32_t i = 0; word && i < word->forms.count; i++) {
        if (!text_suggest_titles(&suggest->text, word->forms.items[i].term, take, &self))
            break;
    }
    for (size_t i = 0; self.err == SH_OK && i < self.count; i++) {
        const struct stored_document *document = self.best[i].document;
        struct view_suggestion one = {sh_arena_copy(arena, document->title),
                                      sh_arena_copy(arena, document->row.id)};
        if (!one.text.data || !one.id.data)
            return SH_NOMEM;
        out->titles[out->title_count++] = one;
    }
    return self.err;
}
