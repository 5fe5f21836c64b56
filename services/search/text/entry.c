#include "services/search/text/entry.h"

#include "services/search/text/terms.h"

struct place { /* one for every occurrence, in the order of the text */
    uint32_t term;
    uint32_t distance; /* from the one before in the field */
};

struct maker {
    struct sh_arena *arena;
    struct place *places;
    size_t place_count;
    size_t place_capacity;
    struct entry *entry;
    uint32_t *last; /* by term: its last position in the field */
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
    uint32_t *last = sh_arena_array(maker->arena, capacity, sizeof(*last));
    if (!terms || !table || !last)
        return SH_NOMEM;
    if (entry->count > 0 && maker->last) {
        memcpy(terms, entry->terms, entry->count * sizeof(*terms));
        memcpy(last, maker->last, entry->count * sizeof(*last));
    }
    entry->terms = terms;
    maker->last = last;
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
    entry->terms[entry->count] = (struct entry_term){.text = copy, .hash = hash};
    maker->table[i] = (uint32_t)++entry->count;
    return &entry->terms[entry->count - 1];
}

static enum sh_err add_place(struct maker *maker, const struct entry_term *term,
                             uint32_t distance)
{
    if (maker->place_count == maker->place_capacity) {
        size_t capacity = maker->place_capacity ? maker->place_capacity * 2 : 256;
        struct place *places = sh_arena_array(maker->arena, capacity, sizeof(*places));
        if (!places)
            return SH_NOMEM;
        if (maker->place_count > 0)
            memcpy(places, maker->places, maker->place_count * sizeof(*places));
        maker->places = places;
        maker->place_capacity = capacity;
    }
    maker->places[maker->place_count++] =
        (struct place){(uint32_t)(term - maker->entry->terms), distance};
    return SH_OK;
}

static enum sh_err read_field(struct maker *maker, struct analyzer *analyzer,
                              struct sh_bytes text, enum text_field field)
{
    struct token token = {.position = 0};
    analyzer_start(analyzer, text);
    while (analyzer_next(analyzer, &token)) {
        struct entry_term *term = find_or_add(maker, token.term);
        if (!term)
            return SH_NOMEM;
        /* `last` grows with the terms */
        uint32_t *last = &maker->last[term - maker->entry->terms];
        uint32_t before = term->tf[field] > 0 ? *last : 0;
        *last = token.position;
        if (add_place(maker, term, token.position - before) != SH_OK)
            return SH_NOMEM;
        term->tf[field]++;
        maker->entry->length[field] += !token.extra && !token.stop;
    }
    return SH_OK;
}

/* Places by term; each term's follow one another as in the text. */
static enum sh_err write_places(const struct maker *maker, struct sh_arena *arena,
                                struct entry_term *terms)
{
    size_t count = maker->entry->count;
    uint8_t **at = sh_arena_array(maker->arena, count, sizeof(*at));
    uint8_t *bytes = sh_arena_alloc(maker->arena, maker->place_count * VARINT_MOST + 1);
    if (!at || !bytes)
        return SH_NOMEM;
    for (size_t i = 0; i < count; i++) {
        const uint32_t *tf = terms[i].tf;
        at[i] = bytes;
        bytes +=
            (size_t)VARINT_MOST * (tf[TEXT_TITLE] + tf[TEXT_HEADING] + tf[TEXT_BODY]);
        terms[i].positions.data = at[i];
    }
    for (size_t i = 0; i < maker->place_count; i++) {
        struct place place = maker->places[i];
        at[place.term] = varint_put(at[place.term], place.distance);
    }
    for (size_t i = 0; i < count; i++) {
        const uint8_t *start = terms[i].positions.data;
        terms[i].positions.len = (size_t)(at[i] - start);
        terms[i].positions = sh_arena_copy(arena, terms[i].positions);
        if (!terms[i].positions.data)
            return SH_NOMEM;
    }
    return SH_OK;
}

/* The arrays have grown by doubling: keep what is needed of them. */
static enum sh_err move_to(struct sh_arena *arena, const struct maker *maker)
{
    struct entry *entry = maker->entry;
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
    return write_places(maker, arena, terms);
}

enum sh_err entry_make(struct analyzer *analyzer,
                       const struct sh_bytes fields[TEXT_FIELDS], struct sh_arena *arena,
                       struct entry *entry)
{
    /* as positions are kept */
    static const enum text_field order[] = {TEXT_BODY, TEXT_HEADING, TEXT_TITLE};
    struct sh_arena scratch = {0};
    struct maker maker = {.arena = &scratch, .entry = entry};
    enum sh_err err = SH_OK;
    *entry = (struct entry){0};
    for (int i = 0; err == SH_OK && i < TEXT_FIELDS; i++)
        err = read_field(&maker, analyzer, fields[order[i]], order[i]);
    if (err == SH_OK && entry->count > 0)
        err = move_to(arena, &maker);
    sh_arena_free(&scratch);
    return err;
}
