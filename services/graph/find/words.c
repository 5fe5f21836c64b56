#include "services/graph/find/words.h"

const char *words_match_name(enum words_match match)
{
    static const char *const names[] = {"exact", "prefix", "words", "fuzzy", ""};
    return names[match];
}

void words_read(struct sh_bytes folded, struct words *out)
{
    struct sh_bytes rest = folded;
    struct sh_bytes word;
    *out = (struct words){.folded = folded};
    while (out->count < WORDS_MAX && fold_next(&rest, &word)) {
        out->words[out->count] = word;
        out->edits[out->count++] = fold_edits(word);
    }
}

static bool has_prefix(struct sh_bytes text, struct sh_bytes prefix)
{
    return text.len >= prefix.len && memcmp(text.data, prefix.data, prefix.len) == 0;
}

bool words_begins(const struct words *words, size_t i, struct sh_bytes word)
{
    bool last = i + 1 == words->count;
    return last ? has_prefix(word, words->words[i])
                : sh_bytes_equal(word, words->words[i]);
}

bool words_nearly(const struct words *words, size_t i, struct sh_bytes word)
{
    return words->edits[i] > 0 && fold_within(words->words[i], word, words->edits[i]);
}

/* How the best word of a name answers one of the question. */
static enum words_match match_word(const struct words *words, size_t i,
                                   struct sh_bytes name)
{
    enum words_match best = MATCH_NONE;
    struct sh_bytes rest = name;
    struct sh_bytes word;
    while (fold_next(&rest, &word)) {
        if (words_begins(words, i, word))
            return MATCH_WORDS;
        if (best == MATCH_NONE && words_nearly(words, i, word))
            best = MATCH_FUZZY;
    }
    return best;
}

static enum words_match match_name(const struct words *words, struct sh_bytes name)
{
    enum words_match worst = MATCH_WORDS;
    if (words->count == 0)
        return MATCH_NONE;
    if (has_prefix(name, words->folded))
        return name.len == words->folded.len ? MATCH_EXACT : MATCH_PREFIX;
    for (size_t i = 0; i < words->count && worst != MATCH_NONE; i++) {
        enum words_match match = match_word(words, i, name);
        worst = match > worst ? match : worst;
    }
    return worst;
}

enum words_match words_match_node(const struct words *words,
                                  const struct words_keys *keys,
                                  const struct node_body *body, struct sh_buffer *scratch)
{
    enum words_match best = MATCH_NONE;
    for (size_t i = 0; i < keys->count; i++) {
        struct value value;
        if (!values_get(body->properties, keys->keys[i], &value) ||
            value.type != VALUE_STRING)
            continue;
        sh_buffer_clear(scratch);
        fold_text(value.text, scratch);
        enum words_match match = match_name(words, sh_buffer_bytes(scratch));
        best = match < best ? match : best;
    }
    return best;
}
