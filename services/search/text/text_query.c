#include "services/search/text/text_query.h"

#include <ctype.h>

#include "services/search/text/terms.h"

struct text_mark {
    struct sh_bytes text;
    uint32_t hash;
    uint32_t word; /* + 1; 0: free */
};

struct parser {
    struct analyzer *const *analyzers;
    size_t analyzer_count;
    struct sh_arena *arena;
    struct text_query *query;
    struct text_word *found; /* of the item at hand */
    uint32_t found_count;
};

/* --- items ------------------------------------------------------------------------ */

static bool is_space(char c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

/* A number is not a word that is not wanted. */
static bool is_sign(const char *at, const char *end)
{
    if ((*at != '+' && *at != '-') || end - at < 2)
        return false;
    unsigned char next = (unsigned char)at[1];
    return next >= 0x80 || isalpha(next) || next == '"';
}

static const char *closing_mark(const char *at, const char *end)
{
    return *at == '"' && end - at > 1 ? memchr(at + 1, '"', (size_t)(end - at - 1))
                                      : NULL;
}

bool text_query_item(const char **at, const char *end, struct text_item *item)
{
    const char *start = *at;
    while (start < end && is_space(*start))
        start++;
    if (start == end)
        return false;
    *item = (struct text_item){.sign = 0};
    if (is_sign(start, end))
        item->sign = *start++;
    const char *mark = closing_mark(start, end);
    const char *stop = mark ? mark : start;
    item->quoted = mark != NULL;
    while (!mark && stop < end && !is_space(*stop))
        stop++;
    start += item->quoted;
    item->text = (struct sh_bytes){start, (size_t)(stop - start)};
    item->star = !mark && stop - start > 1 && stop[-1] == '*';
    item->last = !mark && !item->star && stop == end;
    *at = mark ? mark + 1 : stop;
    return true;
}

/* --- words ------------------------------------------------------------------------ */

static bool has_form(const struct text_word *word, struct sh_bytes text)
{
    for (uint32_t i = 0; i < word->count; i++) {
        if (sh_bytes_equal(word->forms[i].text, text))
            return true;
    }
    return false;
}

static enum sh_err add_form(struct parser *parser, struct text_word *word,
                            const struct token *token)
{
    word->stop = word->stop || token->stop;
    if (has_form(word, token->term))
        return SH_OK;
    struct sh_bytes text = sh_arena_copy(parser->arena, token->term);
    if (!text.data)
        return SH_NOMEM;
    word->forms[word->count++] = (struct text_form){text, terms_hash(text), 1};
    word->asked = word->count;
    return SH_OK;
}

/* All analyzers cut the same words; they differ in the stems. */
static enum sh_err read_word(struct parser *parser, struct token *tokens)
{
    struct text_word *word = &parser->found[parser->found_count];
    *word = (struct text_word){.times = 1, .offset = tokens[0].position};
    word->folded = sh_arena_copy(parser->arena, tokens[0].folded);
    word->forms =
        sh_arena_array(parser->arena, parser->analyzer_count, sizeof(*word->forms));
    if (!word->forms || !word->folded.data)
        return SH_NOMEM;
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < parser->analyzer_count; i++)
        err = add_form(parser, word, &tokens[i]);
    parser->found_count++;
    return err;
}

static enum sh_err read_words(struct parser *parser, const struct text_item *item)
{
    struct token tokens[TEXT_LANGUAGES] = {{.position = 0}};
    enum sh_err err = SH_OK;
    parser->found_count = 0;
    for (size_t i = 0; i < parser->analyzer_count; i++)
        analyzer_start(parser->analyzers[i], item->text);
    while (err == SH_OK && parser->found_count < TEXT_QUERY_WORDS) {
        for (size_t i = 0; i < parser->analyzer_count; i++) {
            if (!analyzer_next(parser->analyzers[i], &tokens[i]))
                goto out;
        }
        if (!tokens[0].extra)
            err = read_word(parser, tokens);
    }
out:
    if (parser->found_count > 0) {
        struct text_word *last = &parser->found[parser->found_count - 1];
        last->prefix = item->star;
        last->open = item->last && tokens[0].end == item->text.len;
    }
    return err;
}

static struct text_word *find_word(struct text_query *query, const struct text_word *word)
{
    for (uint32_t i = 0; i < query->count; i++) {
        if (sh_bytes_equal(query->words[i].forms[0].text, word->forms[0].text))
            return &query->words[i];
    }
    return NULL;
}

static void add_word(struct text_query *query, const struct text_word *word)
{
    struct text_word *known = find_word(query, word);
    if (known) {
        known->times++;
        known->prefix = known->prefix || word->prefix;
        return;
    }
    if (word->stop && query->telling)
        return;
    if (!word->stop && !query->telling) {
        query->telling = true;
        query->count = 0;
    }
    if (query->count < TEXT_QUERY_WORDS)
        query->words[query->count++] = *word;
}

/* --- rules ------------------------------------------------------------------------ */

static enum sh_err add_rule(struct parser *parser, bool excluded)
{
    struct text_query *query = parser->query;
    uint32_t count = parser->found_count;
    if (count > TEXT_QUERY_WORDS - query->rule_words)
        return SH_OK;
    struct text_word *words = sh_arena_array(parser->arena, count, sizeof(*words));
    if (!words)
        return SH_NOMEM;
    memcpy(words, parser->found, count * sizeof(*words));
    for (uint32_t i = 0; i < count; i++)
        words[i].offset -= parser->found[0].offset;
    query->rules[query->rule_count++] = (struct text_rule){words, count, excluded};
    query->rule_words += count;
    return SH_OK;
}

static enum sh_err add_item(struct parser *parser, const struct text_item *item)
{
    bool exact = item->quoted || item->sign != 0;
    enum sh_err err = read_words(parser, item);
    if (err != SH_OK || parser->found_count == 0)
        return err;
    for (uint32_t i = 0; i < parser->found_count; i++)
        parser->found[i].exact = exact;
    if (exact)
        err = add_rule(parser, item->sign == '-');
    for (uint32_t i = 0; item->sign != '-' && i < parser->found_count; i++)
        add_word(parser->query, &parser->found[i]);
    return err;
}

enum sh_err text_query_make(struct analyzer *const *analyzers, size_t count,
                            struct sh_bytes text, struct sh_arena *arena,
                            struct text_query *query)
{
    struct parser parser = {analyzers, count, arena, query, NULL, 0};
    const char *at = text.data;
    const char *end = at + text.len;
    struct text_item item;
    enum sh_err err = SH_OK;

    *query = (struct text_query){0};
    query->words = sh_arena_array(arena, TEXT_QUERY_WORDS, sizeof(*query->words));
    query->rules = sh_arena_array(arena, TEXT_QUERY_WORDS, sizeof(*query->rules));
    parser.found = sh_arena_array(arena, TEXT_QUERY_WORDS, sizeof(*parser.found));
    if (!query->words || !query->rules || !parser.found)
        return SH_NOMEM;
    while (text.len > 0 && err == SH_OK && text_query_item(&at, end, &item))
        err = add_item(&parser, &item);
    return err == SH_OK ? text_query_index(query, arena) : err;
}

/* --- marks ------------------------------------------------------------------------ */

static struct text_mark *mark_of(const struct text_query *query, struct sh_bytes text,
                                 uint32_t hash)
{
    uint32_t mask = query->marks_size - 1;
    uint32_t i = hash & mask;
    while (query->marks[i].word != 0 && !sh_bytes_equal(query->marks[i].text, text))
        i = (i + 1) & mask;
    return &query->marks[i];
}

/* Tells most other words of a passage from those in `marks` before they are hashed. */
static uint64_t shape_of(struct sh_bytes text)
{
    const uint8_t *bytes = text.data;
    return text.len > 0 ? UINT64_C(1) << ((bytes[0] + 7 * text.len) % 64) : 0;
}

enum sh_err text_query_index(struct text_query *query, struct sh_arena *arena)
{
    uint32_t forms = 0;
    uint32_t size = 16;
    for (uint32_t i = 0; i < query->count; i++)
        forms += query->words[i].count;
    while (size < 2 * forms)
        size *= 2;
    query->marks = sh_arena_array(arena, size, sizeof(*query->marks));
    query->marks_size = size;
    query->mark_shapes = 0;
    if (!query->marks)
        return SH_NOMEM;
    for (uint32_t i = 0; i < query->count; i++) {
        const struct text_word *word = &query->words[i];
        for (uint32_t f = 0; f < word->count; f++) {
            const struct text_form *form = &word->forms[f];
            struct text_mark *mark = mark_of(query, form->text, form->hash);
            query->mark_shapes |= shape_of(form->text);
            if (mark->word == 0)
                *mark = (struct text_mark){form->text, form->hash, i + 1};
        }
    }
    return SH_OK;
}

bool text_query_mark(const struct text_query *query, struct sh_bytes term, uint32_t *word)
{
    if ((query->mark_shapes & shape_of(term)) == 0)
        return false;
    const struct text_mark *mark = mark_of(query, term, terms_hash(term));
    *word = mark->word - 1;
    return mark->word != 0;
}
