#include "services/search/glossary/glossary.h"

#include <jansson.h>
#include <xxhash.h>

#include "services/search/glossary/glossary_internal.h"

struct builder {
    struct glossary *glossary;
    struct analyzer *analyzers[LANGUAGE_COUNT]; /* of the glossary's languages */
    struct glossary_key key;                    /* of the form at hand */
    bool stop;                                  /* it has nothing but stop words */
    unsigned words;
};

/* --- keys ------------------------------------------------------------------------- */

void glossary_key_start(struct glossary_key *key, unsigned language)
{
    key->data[0] = (char)(language + 1);
    key->len = 1;
}

bool glossary_key_add(struct glossary_key *key, struct sh_bytes stem)
{
    if (stem.len == 0 || stem.len + 1 > sizeof(key->data) - key->len)
        return false;
    memcpy(key->data + key->len, stem.data, stem.len);
    key->len += stem.len;
    key->data[key->len++] = '\0';
    return true;
}

uint64_t glossary_hash(struct sh_bytes key)
{
    return XXH3_64bits(key.data, key.len);
}

static size_t place_of(const struct glossary *glossary, struct sh_bytes key,
                       uint64_t hash)
{
    size_t mask = glossary->table_size - 1;
    size_t i = (size_t)hash & mask;
    for (; glossary->table[i] != 0; i = (i + 1) & mask) {
        const struct glossary_form *form = &glossary->forms[glossary->table[i] - 1];
        if (form->hash == hash && sh_bytes_equal(form->key, key))
            break;
    }
    return i;
}

const struct glossary_form *glossary_find(const struct glossary *glossary,
                                          const struct glossary_key *key)
{
    struct sh_bytes bytes = {key->data, key->len};
    if (glossary->table_size == 0)
        return NULL;
    size_t place = place_of(glossary, bytes, glossary_hash(bytes));
    uint32_t form = glossary->table[place];
    return form > 0 ? &glossary->forms[form - 1] : NULL;
}

/* --- a form ----------------------------------------------------------------------- */

/* Room for one more of `size` bytes in an array that doubles. */
static enum sh_err reserve(void **items, size_t count, size_t *capacity, size_t size)
{
    if (count < *capacity)
        return SH_OK;
    size_t more = *capacity ? 2 * *capacity : 256;
    void *grown = sh_realloc(*items, more * size);
    if (!grown)
        return SH_NOMEM;
    *items = grown;
    *capacity = more;
    return SH_OK;
}

/* The key of a form; false where it has no words or too many. */
static bool read_form(struct builder *builder, struct sh_bytes text, unsigned language)
{
    struct token token;
    glossary_key_start(&builder->key, language);
    builder->words = 0;
    builder->stop = true;
    analyzer_start(builder->analyzers[language], text);
    while (analyzer_next(builder->analyzers[language], &token)) {
        if (token.extra)
            continue;
        if (++builder->words > GLOSSARY_FORM_WORDS ||
            !glossary_key_add(&builder->key, token.term))
            return false;
        builder->stop = builder->stop && token.stop;
    }
    return builder->words > 0;
}

static bool has_key(const struct glossary *glossary, const struct known_term *term,
                    struct sh_bytes key)
{
    for (uint32_t i = 0; i < term->count; i++) {
        if (sh_bytes_equal(glossary->forms[term->first + i].key, key))
            return true;
    }
    return false;
}

static enum sh_err add_form(struct builder *builder, struct known_term *term,
                            struct sh_bytes text, unsigned language,
                            enum glossary_kind kind)
{
    struct glossary *glossary = builder->glossary;
    if (text.len == 0 || text.len > GLOSSARY_FORM_BYTES ||
        term->count >= GLOSSARY_FORMS || !read_form(builder, text, language))
        return SH_OK;
    struct sh_bytes key = {builder->key.data, builder->key.len};
    if (has_key(glossary, term, key))
        return SH_OK;
    enum sh_err err = reserve((void **)&glossary->forms, glossary->form_count,
                              &glossary->form_capacity, sizeof(*glossary->forms));
    struct glossary_form form = {.text = sh_arena_copy(&glossary->arena, text),
                                 .key = sh_arena_copy(&glossary->arena, key),
                                 .hash = glossary_hash(key),
                                 .term = (uint32_t)glossary->term_count,
                                 .kind = kind,
                                 .as_written = builder->stop};
    if (err != SH_OK || !form.text.data || !form.key.data)
        return SH_NOMEM;
    if (builder->words > glossary->longest)
        glossary->longest = builder->words;
    glossary->forms[glossary->form_count++] = form;
    term->count++;
    return SH_OK;
}

/* A text, or an array of texts. */
static enum sh_err add_forms(struct builder *builder, struct known_term *term,
                             const json_t *value, unsigned language,
                             enum glossary_kind kind)
{
    enum sh_err err = SH_OK;
    size_t count = json_is_array(value) ? json_array_size(value) : 1;
    for (size_t i = 0; err == SH_OK && i < count && term->count < GLOSSARY_FORMS; i++) {
        const json_t *text = json_is_array(value) ? json_array_get(value, i) : value;
        if (json_is_string(text))
            err = add_form(
                builder, term,
                (struct sh_bytes){json_string_value(text), json_string_length(text)},
                language, kind);
    }
    return err;
}

/* --- a term ----------------------------------------------------------------------- */

static enum sh_err add_all_forms(struct builder *builder, const struct glossary_row *row,
                                 struct known_term *term, const json_t *forms)
{
    unsigned language = language_of(row->language);
    const json_t *preferred = json_object_get(forms, "preferred");
    bool other = json_is_string(preferred) && json_string_length(preferred) > 0;
    enum sh_err err = language_analyzer(builder->analyzers, language);
    if (err == SH_OK)
        err = add_forms(builder, term, preferred, language, GLOSSARY_PREFERRED);
    if (err == SH_OK)
        err = add_form(builder, term, row->term, language,
                       other ? GLOSSARY_SYNONYM : GLOSSARY_PREFERRED);
    if (err == SH_OK)
        err = add_forms(builder, term, json_object_get(forms, "acronym"), language,
                        GLOSSARY_ACRONYM);
    if (err == SH_OK)
        err = add_forms(builder, term, json_object_get(forms, "synonyms"), language,
                        GLOSSARY_SYNONYM);
    builder->glossary->languages[language] = true;
    return err;
}

static enum sh_err add_term(struct builder *builder, const struct glossary_row *row)
{
    struct glossary *glossary = builder->glossary;
    struct known_term term = {.first = (uint32_t)glossary->form_count};
    json_t *forms = json_loadb(row->forms.data, row->forms.len, 0, NULL);
    enum sh_err err = reserve((void **)&glossary->terms, glossary->term_count,
                              &glossary->term_capacity, sizeof(*glossary->terms));
    if (err == SH_OK && json_is_object(forms))
        err = add_all_forms(builder, row, &term, forms);
    json_decref(forms);
    if (err == SH_OK && term.count > 1)
        glossary->terms[glossary->term_count++] = term;
    else
        glossary->form_count = term.first; /* no other name: nothing to add to a query */
    return err;
}

/* --- all of it -------------------------------------------------------------------- */

static enum sh_err index_forms(struct glossary *glossary)
{
    size_t size = 16;
    while (size < 2 * glossary->form_count)
        size *= 2;
    glossary->table = sh_alloc_array(size, sizeof(*glossary->table));
    if (!glossary->table)
        return SH_NOMEM;
    glossary->table_size = size;
    /* backwards: forms with one key come in the order of the terms */
    for (size_t i = glossary->form_count; i-- > 0;) {
        struct glossary_form *form = &glossary->forms[i];
        uint32_t *place = &glossary->table[place_of(glossary, form->key, form->hash)];
        form->next = *place;
        *place = (uint32_t)i + 1;
    }
    return SH_OK;
}

enum sh_err glossary_create(const struct glossary_row *rows, size_t count,
                            struct glossary **out)
{
    struct builder builder = {.glossary = sh_alloc(sizeof(struct glossary))};
    enum sh_err err = builder.glossary ? SH_OK : SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < count && i < GLOSSARY_TERMS; i++)
        err = add_term(&builder, &rows[i]);
    if (err == SH_OK)
        err = index_forms(builder.glossary);
    language_analyzers_free(builder.analyzers);
    if (err != SH_OK)
        glossary_free(&builder.glossary);
    *out = builder.glossary;
    return err;
}

void glossary_free(struct glossary **glossary_in)
{
    struct glossary *glossary = *glossary_in;
    *glossary_in = NULL;
    if (!glossary)
        return;
    sh_arena_free(&glossary->arena);
    sh_free(glossary->terms);
    sh_free(glossary->forms);
    sh_free(glossary->table);
    sh_free(glossary);
}

size_t glossary_size(const struct glossary *glossary)
{
    return glossary->term_count;
}
