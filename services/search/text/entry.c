#include "services/search/text/entry.h"

#include "services/search/text/terms.h"

struct maker {
    struct sh_arena *arena;
    struct entry *entry;
    size_t capacity;
    uint32_t *table; /* index + 1; 0: free */
    uint32_t table_size;
};

static void fill_table(struct maker *maker)
{
    uint32_t mask = maker->table_size - 1;
    for (uint32_t n = 0; n < maker->entry->count; n++) {
        uint32_t i = maker->entry->terms[n].hash & mask;
        while (maker->table[i] != 0)
            i = (i + 1) & mask;
        maker->table[i] = n + 1;
    }
}

static enum sh_err grow(struct maker *maker)
{
    struct entry *entry = maker->entry;
    if (entry->count < maker->capacity)
        return SH_OK;
    size_t capacity = maker->capacity ? maker->capacity * 2 : 128;
    if (capacity > UINT32_MAX / 4)
        return SH_NOMEM;
    struct entry_term *terms = sh_arena_array(maker->arena, capacity, sizeof(*terms));
    uint32_t *table = sh_arena_array(maker->arena, capacity * 2, sizeof(*table));
    if (!terms || !table)
        return SH_NOMEM;
    if (entry->count > 0)
        memcpy(terms, entry->terms, entry->count * sizeof(*terms));
    entry->terms = terms;
    maker->capacity = capacity;
    maker->table = table;
    maker->table_size = (uint32_t)capacity * 2;
    fill_table(maker);
    return SH_OK;
}

static struct entry_term *find_or_add(struct maker *maker, struct sh_bytes text)
{
    uint32_t hash = terms_hash(text);
    struct entry *entry = maker->entry;
    if (grow(maker) != SH_OK)
        return NULL;
    uint32_t mask = maker->table_size - 1;
    uint32_t i = hash & mask;
    for (; maker->table[i] != 0; i = (i + 1) & mask) {
        struct entry_term *term = &entry->terms[maker->table[i] - 1];
        if (term->hash == hash && sh_bytes_equal(term->text, text))
            return term;
    }
    struct sh_bytes copy = sh_arena_copy(maker->arena, text);
    if (!copy.data)
        return NULL;
    entry->terms[entry->count] =
        (struct entry_term){.text = copy, .hash = hash, .extra = true};
    maker->table[i] = (uint32_t)++entry->count;
    return &entry->terms[entry->count - 1];
}

static enum sh_err read_field(struct maker *maker, struct analyzer *analyzer,
                              struct sh_bytes text, enum text_field field)
{
    struct token token;
    analyzer_start(analyzer, text);
    while (analyzer_next(analyzer, &token)) {
        struct entry_term *term = find_or_add(maker, token.term);
        if (!term)
            return SH_NOMEM;
        term->tf[field]++;
        term->extra = term->extra && token.extra;
        term->stop = token.stop;
        maker->entry->length[field] += !token.extra && !token.stop;
    }
    return SH_OK;
}

/* The arrays have grown by doubling: keep what is needed of them. */
static enum sh_err move_to(struct sh_arena *arena, struct entry *entry)
{
    size_t bytes = 0;
    for (size_t i = 0; i < entry->count; i++)
        bytes += entry->terms[i].text.len;
    struct entry_term *terms = sh_arena_array(arena, entry->count, sizeof(*terms));
    char *at = sh_arena_alloc(arena, bytes);
    if (!terms || !at)
        return SH_NOMEM;
    for (size_t i = 0; i < entry->count; i++) {
        terms[i] = entry->terms[i];
        memcpy(at, terms[i].text.data, terms[i].text.len);
        terms[i].text.data = at;
        at += terms[i].text.len;
    }
    entry->terms = terms;
    return SH_OK;
}

enum sh_err entry_make(struct analyzer *analyzer,
                       const struct sh_bytes fields[TEXT_FIELDS], struct sh_arena *arena,
                       struct entry *entry)
{
    struct sh_arena scratch = {0};
    struct maker maker = {.arena = &scratch, .entry = entry};
    enum sh_err err = SH_OK;
    *entry = (struct entry){0};
    for (int field = 0; err == SH_OK && field < TEXT_FIELDS; field++)
        err = read_field(&maker, analyzer, fields[field], (enum text_field)field);
    if (err == SH_OK && entry->count > 0)
        err = move_to(arena, entry);
    sh_arena_free(&scratch);
    return err;
}
