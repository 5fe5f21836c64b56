#include "services/search/glossary/glossary_internal.h"

enum { SAME_FORMS = 64 }; /* terms of one name that are looked at */

static const float added_weight = 0.5F;

struct word { /* of the query, in one language */
    struct sh_bytes stem;
    struct sh_bytes folded;
    const char *start; /* in the query */
    const char *end;
    uint32_t run; /* words of one run stand side by side */
};

struct widener {
    const struct glossary *glossary;
    struct analyzer **analyzers;
    struct analyzer *asked[TEXT_LANGUAGES]; /* the query's own */
    size_t asked_count;
    struct sh_bytes text;
    struct sh_arena *arena;
    struct text_query *query;
    struct glossary_found *found;
    struct word *words;
    size_t count;
};

/* --- the words of the query ------------------------------------------------------- */

static enum sh_err add_word(struct widener *widener, const struct text_item *item,
                            const struct token *token, uint32_t run)
{
    const char *text = item->text.data;
    struct word *word = &widener->words[widener->count++];
    *word = (struct word){.stem = sh_arena_copy(widener->arena, token->term),
                          .folded = sh_arena_copy(widener->arena, token->folded),
                          .start = text + token->start,
                          .end = text + token->end,
                          .run = run};
    return word->stem.data && word->folded.data ? SH_OK : SH_NOMEM;
}

static enum sh_err read_item(struct widener *widener, struct analyzer *analyzer,
                             const struct text_item *item, uint32_t run)
{
    struct token token;
    enum sh_err err = SH_OK;
    analyzer_start(analyzer, item->text);
    while (err == SH_OK && widener->count < GLOSSARY_QUERY_WORDS &&
           analyzer_next(analyzer, &token)) {
        if (!token.extra)
            err = add_word(widener, item, &token, run);
    }
    return err;
}

static enum sh_err read_words(struct widener *widener, struct analyzer *analyzer)
{
    const char *at = widener->text.data;
    const char *end = at + widener->text.len;
    struct text_item item;
    uint32_t run = 0;
    enum sh_err err = SH_OK;
    widener->count = 0;
    while (err == SH_OK && text_query_item(&at, end, &item)) {
        if (item.quoted || item.sign != 0 || item.star)
            run++;
        else
            err = read_item(widener, analyzer, &item, run);
    }
    return err;
}

/* --- adding to the query ---------------------------------------------------------- */

/* What means something in the language of queries means nothing in a term. */
static struct sh_bytes plain(struct widener *widener, struct sh_bytes text)
{
    char *copy = sh_arena_strndup(widener->arena, text.data, text.len);
    for (size_t i = 0; copy && i < text.len; i++) {
        char c = copy[i];
        if (c == '"' || c == '+' || c == '-' || c == '*')
            copy[i] = ' ';
    }
    return (struct sh_bytes){copy, text.len};
}

static bool is_asked(const struct text_query *query, const struct text_word *word)
{
    for (uint32_t i = 0; i < query->count; i++) {
        if (sh_bytes_equal(query->words[i].forms[0].text, word->forms[0].text))
            return true;
    }
    return false;
}

static void add_to_query(struct text_query *query, const struct text_word *word,
                         uint32_t share)
{
    if (query->count == TEXT_QUERY_WORDS || is_asked(query, word))
        return;
    struct text_word *added = &query->words[query->count++];
    *added = *word;
    added->prefix = false;
    added->open = false;
    added->exact = true; /* nobody typed it: it is spelt as it was meant */
    for (uint32_t i = 0; i < added->count; i++)
        added->forms[i].weight *= added_weight / (float)share;
}

static enum sh_err add_form(struct widener *widener, struct sh_bytes text)
{
    struct text_query form;
    struct sh_bytes words = plain(widener, text);
    if (!words.data)
        return SH_NOMEM;
    enum sh_err err = text_query_make(widener->asked, widener->asked_count, words,
                                      widener->arena, &form);
    for (uint32_t i = 0; err == SH_OK && i < form.count; i++)
        add_to_query(widener->query, &form.words[i], form.count);
    return err;
}

/* A word that the glossary knows is not misspelt. */
static void trust_words(struct widener *widener, size_t first, size_t count)
{
    for (uint32_t i = 0; i < widener->query->count; i++) {
        struct text_word *word = &widener->query->words[i];
        for (size_t w = first; w < first + count; w++) {
            if (!word->open && sh_bytes_equal(word->folded, widener->words[w].folded))
                word->exact = true;
        }
    }
}

/* --- matches ---------------------------------------------------------------------- */

static struct sh_bytes kind_name(enum glossary_kind kind)
{
    static const char *const names[] = {"preferred", "acronym", "synonym"};
    return sh_bytes_of(names[kind]);
}

static bool is_meant(const struct widener *widener, const struct glossary_form *form,
                     size_t first, size_t count)
{
    const char *start = widener->words[first].start;
    struct sh_bytes written = {start,
                               (size_t)(widener->words[first + count - 1].end - start)};
    return !form->as_written || sh_bytes_equal(written, form->text);
}

static const struct glossary_form *next_form(const struct glossary *glossary,
                                             const struct glossary_form *form)
{
    return form->next ? &glossary->forms[form->next - 1] : NULL;
}

static bool is_among(const struct sh_bytes *texts, size_t count, struct sh_bytes text)
{
    for (size_t i = 0; i < count; i++) {
        if (sh_bytes_equal(texts[i], text))
            return true;
    }
    return false;
}

static bool is_known(const struct glossary_found *found, struct sh_bytes term)
{
    for (size_t i = 0; i < found->count; i++) {
        if (sh_bytes_equal(found->items[i].term, term))
            return true;
    }
    return false;
}

/* The other names of a form's term. */
static enum sh_err add_others(struct widener *widener, const struct glossary_form *form,
                              struct sh_bytes *added, size_t *count)
{
    const struct glossary *glossary = widener->glossary;
    const struct known_term *term = &glossary->terms[form->term];
    enum sh_err err = SH_OK;
    for (uint32_t i = 0; i < term->count && *count < GLOSSARY_ADDED && err == SH_OK;
         i++) {
        const struct glossary_form *other = &glossary->forms[term->first + i];
        if (other == form || other->as_written || is_among(added, *count, other->text))
            continue;
        added[(*count)++] = other->text;
        err = add_form(widener, other->text);
    }
    return err;
}

/* The first form of the chain that the words mean; NULL: none. */
static const struct glossary_form *meant(const struct widener *widener,
                                         const struct glossary_form *form, size_t first,
                                         size_t count)
{
    for (int i = 0; form && i < SAME_FORMS; i++) {
        if (is_meant(widener, form, first, count))
            return form;
        form = next_form(widener->glossary, form);
    }
    return NULL;
}

static enum sh_err take(struct widener *widener, const struct glossary_form *form,
                        size_t first, size_t count)
{
    struct search_expansion *item = &widener->found->items[widener->found->count];
    struct sh_bytes *added;
    size_t added_count = 0;
    enum sh_err err = SH_OK;
    trust_words(widener, first, count);
    if (is_known(widener->found, form->text))
        return SH_OK;
    added = sh_arena_array(widener->arena, GLOSSARY_ADDED, sizeof(*added));
    if (!added)
        return SH_NOMEM;
    *item = (struct search_expansion){form->text, added, 0, kind_name(form->kind)};
    for (int i = 0; err == SH_OK && form && i < SAME_FORMS; i++) {
        if (is_meant(widener, form, first, count))
            err = add_others(widener, form, added, &added_count);
        form = next_form(widener->glossary, form);
    }
    item->added_count = added_count;
    widener->found->count += added_count > 0;
    return err;
}

/* The longest term that begins at the word; *count its words, 0: none. */
static const struct glossary_form *longest(const struct widener *widener, size_t first,
                                           unsigned language, size_t *count)
{
    const struct glossary_form *best = NULL;
    struct glossary_key key;
    *count = 0;
    glossary_key_start(&key, language);
    for (size_t i = first; i < widener->count; i++) {
        const struct word *word = &widener->words[i];
        if (i - first >= widener->glossary->longest ||
            word->run != widener->words[first].run || !glossary_key_add(&key, word->stem))
            break;
        const struct glossary_form *form =
            meant(widener, glossary_find(widener->glossary, &key), first, i - first + 1);
        if (form) {
            best = form;
            *count = i - first + 1;
        }
    }
    return best;
}

static enum sh_err match_language(struct widener *widener, unsigned language)
{
    enum sh_err err = language_analyzer(widener->analyzers, language);
    if (err == SH_OK)
        err = read_words(widener, widener->analyzers[language]);
    for (size_t i = 0; err == SH_OK && i < widener->count;) {
        size_t count;
        const struct glossary_form *form = longest(widener, i, language, &count);
        if (form && widener->found->count < GLOSSARY_MATCHES)
            err = take(widener, form, i, count);
        i += form ? count : 1;
    }
    return err;
}

enum sh_err glossary_widen(const struct glossary *glossary, struct sh_bytes text,
                           struct analyzer **analyzers, struct sh_arena *arena,
                           struct text_query *query, struct glossary_found *found)
{
    struct widener widener = {.glossary = glossary,
                              .analyzers = analyzers,
                              .text = text,
                              .arena = arena,
                              .query = query,
                              .found = found};
    enum sh_err err = SH_OK;
    *found = (struct glossary_found){0};
    if (!glossary || glossary->term_count == 0 || text.len == 0)
        return SH_OK;
    found->items = sh_arena_array(arena, GLOSSARY_MATCHES, sizeof(*found->items));
    widener.words = sh_arena_array(arena, GLOSSARY_QUERY_WORDS, sizeof(*widener.words));
    if (!found->items || !widener.words)
        return SH_NOMEM;
    for (unsigned i = 0; i < LANGUAGE_COUNT && widener.asked_count < TEXT_LANGUAGES; i++)
        if (analyzers[i])
            widener.asked[widener.asked_count++] = analyzers[i];
    for (unsigned i = 0; err == SH_OK && i < LANGUAGE_COUNT; i++)
        if (glossary->languages[i])
            err = match_language(&widener, i);
    return err == SH_OK ? text_query_index(query, arena) : err;
}
