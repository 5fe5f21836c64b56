/* The texts lie in chunks, each twice as long as the one before, so that none ever moves;
 * a table that became too small is kept until the end, as a reader may be in it. */
#include "services/graph/view/symbols.h"

#include "services/graph/view/lookup.h"
#include "shared/mem.h"

enum { FIRST_BITS = 5, CHUNKS = 25 }; /* 32, 64, … */

struct old {
    struct lookup *table;
    struct old *next;
};

struct symbols {
    _Atomic(struct lookup *) table;
    _Atomic uint32_t count;
    struct sh_bytes *_Atomic chunks[CHUNKS];
    struct sh_arena arena; /* the texts, the old tables' list */
    struct old *old;
};

enum sh_err symbols_create(struct symbols **out)
{
    struct symbols *symbols = sh_alloc(sizeof(*symbols));
    struct lookup *table = lookup_create(0);
    if (symbols == NULL || table == NULL) {
        sh_free(symbols);
        sh_free(table);
        return SH_NOMEM;
    }
    atomic_init(&symbols->table, table);
    *out = symbols;
    return SH_OK;
}

void symbols_free(struct symbols **symbols_p)
{
    struct symbols *symbols = *symbols_p;
    *symbols_p = NULL;
    if (symbols == NULL)
        return;
    for (struct old *old = symbols->old; old != NULL; old = old->next)
        sh_free(old->table);
    sh_free(atomic_load(&symbols->table));
    for (size_t i = 0; i < CHUNKS; i++)
        sh_free(atomic_load(&symbols->chunks[i]));
    sh_arena_free(&symbols->arena);
    sh_free(symbols);
}

/* Number n lies in chunk log2(n / 32 + 1). */
static size_t chunk_of(uint32_t number, uint32_t *index)
{
    uint32_t scaled = (number >> FIRST_BITS) + 1;
    size_t chunk = 31 - (size_t)__builtin_clz(scaled);
    *index = number - (((UINT32_C(1) << chunk) - 1) << FIRST_BITS);
    return chunk;
}

struct sh_bytes symbols_text(const struct symbols *symbols, uint32_t number)
{
    uint32_t index;
    size_t chunk = chunk_of(number, &index);
    return atomic_load_explicit(&symbols->chunks[chunk], memory_order_acquire)[index];
}

uint32_t symbols_count(const struct symbols *symbols)
{
    return atomic_load_explicit(&symbols->count, memory_order_acquire);
}

bool symbols_find(const struct symbols *symbols, struct sh_bytes text, uint32_t *number)
{
    const struct lookup *table =
        atomic_load_explicit(&symbols->table, memory_order_acquire);
    struct lookup_probe probe = {lookup_hash(text), 0};
    while (lookup_next(table, &probe, number))
        if (sh_bytes_equal(symbols_text(symbols, *number), text))
            return true;
    return false;
}

/* The table that has room for one more. NULL: out of memory. */
static struct lookup *roomy_table(struct symbols *symbols)
{
    struct lookup *table = atomic_load(&symbols->table);
    if (!lookup_is_full(table))
        return table;
    uint32_t count = symbols_count(symbols);
    struct lookup *larger = lookup_create(count * 2);
    struct old *old = sh_arena_alloc(&symbols->arena, sizeof(*old));
    if (larger == NULL || old == NULL) {
        sh_free(larger);
        return NULL;
    }
    for (uint32_t i = 0; i < count; i++)
        lookup_add(larger, lookup_hash(symbols_text(symbols, i)), i);
    *old = (struct old){table, symbols->old};
    symbols->old = old;
    atomic_store_explicit(&symbols->table, larger, memory_order_release);
    return larger;
}

static struct sh_bytes *place_of(struct symbols *symbols, uint32_t number)
{
    uint32_t index;
    size_t chunk = chunk_of(number, &index);
    struct sh_bytes *texts = atomic_load(&symbols->chunks[chunk]);
    if (texts == NULL) {
        texts = sh_alloc_array((size_t)1 << (chunk + FIRST_BITS), sizeof(*texts));
        atomic_store_explicit(&symbols->chunks[chunk], texts, memory_order_release);
    }
    return texts == NULL ? NULL : &texts[index];
}

enum sh_err symbols_add(struct symbols *symbols, struct sh_bytes text, uint32_t *number)
{
    if (symbols_find(symbols, text, number))
        return SH_OK;
    uint32_t next = symbols_count(symbols);
    if (next >= UINT32_C(1) << 29)
        return SH_TOOBIG;
    struct lookup *table = roomy_table(symbols);
    struct sh_bytes *place = place_of(symbols, next);
    struct sh_bytes copy = sh_arena_copy(&symbols->arena, text);
    if (table == NULL || place == NULL || (text.len > 0 && copy.data == NULL))
        return SH_NOMEM;
    *place = copy;
    atomic_store_explicit(&symbols->count, next + 1, memory_order_release);
    lookup_add(table, lookup_hash(text), next);
    *number = next;
    return SH_OK;
}
