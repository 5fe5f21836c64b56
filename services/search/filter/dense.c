#include "services/search/filter/dense.h"

enum {
    COOKIE_RUNS = 12347,  /* with a bit for each container that holds runs */
    COOKIE_PLAIN = 12346, /* none does */
    OFFSETS_FROM = 4,     /* containers; with runs, fewer have no table of offsets */
    ARRAY_MOST = 4096,    /* values of an array; more are words */
    WORDS = 1024,         /* of a container */
    WORD_BYTES = WORDS * 8,
};

static uint16_t get_u16(const char *at)
{
    uint16_t value = 0;
    memcpy(&value, at, sizeof(value));
    return value;
}

static uint32_t get_u32(const char *at)
{
    uint32_t value = 0;
    memcpy(&value, at, sizeof(value));
    return value;
}

static char *put_u16(char *at, uint32_t value)
{
    uint16_t narrow = (uint16_t)value;
    memcpy(at, &narrow, sizeof(narrow));
    return at + sizeof(narrow);
}

static char *put_u32(char *at, uint32_t value)
{
    memcpy(at, &value, sizeof(value));
    return at + sizeof(value);
}

size_t dense_words(uint32_t bits)
{
    return (bitmap_words(bits) + WORDS - 1) / WORDS * WORDS;
}

/* --- from a roaring bitmap -------------------------------------------------------- */

static void add_runs(struct bitmap *map, uint32_t base, const char *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, at += 4)
        dense_add_run(map, base + get_u16(at), (uint32_t)get_u16(at + 2) + 1);
}

static void add_array(struct bitmap *map, uint32_t base, const char *at, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++, at += 2)
        bitmap_add(map, base + get_u16(at));
}

/* The words that lie within the map; beyond it they are zero. */
static void copy_words(struct bitmap *map, uint32_t base, const char *at)
{
    size_t first = base / 64;
    size_t left = bitmap_words(map->bits) - first;
    memcpy(&map->words[first], at, (left < WORDS ? left : WORDS) * sizeof(uint64_t));
}

static void read_portable(const char *data, struct bitmap *map)
{
    uint32_t cookie = get_u32(data);
    bool has_runs = (cookie & 0xffff) == COOKIE_RUNS;
    uint32_t count = has_runs ? (cookie >> 16) + 1 : get_u32(data + 4);
    const char *flags = data + 4;
    const char *heads = has_runs ? flags + (count + 7) / 8 : data + 8;
    const char *at = heads + (size_t)count * 4;
    if (!has_runs || count >= OFFSETS_FROM)
        at += (size_t)count * 4;
    for (uint32_t i = 0; i < count; i++) {
        uint32_t base = (uint32_t)get_u16(heads + (size_t)i * 4) << 16;
        uint32_t members = (uint32_t)get_u16(heads + (size_t)i * 4 + 2) + 1;
        if (has_runs && ((uint8_t)flags[i / 8] >> (i % 8) & 1) != 0) {
            uint32_t runs = get_u16(at);
            add_runs(map, base, at + 2, runs);
            at += 2 + (size_t)runs * 4;
        } else if (members > ARRAY_MOST) {
            copy_words(map, base, at);
            at += WORD_BYTES;
        } else {
            add_array(map, base, at, members);
            at += (size_t)members * 2;
        }
    }
}

enum sh_err dense_of(const roaring_bitmap_t *from, uint32_t bits, struct sh_arena *arena,
                     struct bitmap *out)
{
    *out = (struct bitmap){
        sh_arena_array(arena, bitmap_words(bits) + 1, sizeof(uint64_t)), bits};
    if (!out->words)
        return SH_NOMEM;
    if (roaring_bitmap_is_empty(from))
        return SH_OK;
    char *data = sh_realloc(NULL, roaring_bitmap_portable_size_in_bytes(from));
    if (!data)
        return SH_NOMEM;
    (void)roaring_bitmap_portable_serialize(from, data);
    read_portable(data, out);
    sh_free(data);
    return SH_OK;
}

/* --- to a roaring bitmap ---------------------------------------------------------- */

static uint32_t count_words(const uint64_t *words)
{
    uint32_t count = 0;
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i] != 0)
            count += (uint32_t)__builtin_popcountll(words[i]);
    }
    return count;
}

static char *put_array(char *at, const uint64_t *words)
{
    for (uint32_t i = 0; i < WORDS; i++) {
        for (uint64_t word = words[i]; word != 0; word &= word - 1)
            at = put_u16(at, i * 64 + (uint32_t)__builtin_ctzll(word));
    }
    return at;
}

static size_t container_bytes(uint32_t count)
{
    return count > ARRAY_MOST ? (size_t)WORD_BYTES : (size_t)count * 2;
}

/* Of all containers, those that hold something. */
static char *put_heads(char *at, const uint32_t *counts, uint32_t count)
{
    for (uint32_t i = 0; i < count; i++) {
        if (counts[i] > 0)
            at = put_u16(put_u16(at, i), counts[i] - 1);
    }
    return at;
}

static char *put_offsets(char *at, const uint32_t *counts, uint32_t count, uint32_t used)
{
    uint32_t offset = 8 + used * 8;
    for (uint32_t i = 0; i < count; i++) {
        if (counts[i] == 0)
            continue;
        at = put_u32(at, offset);
        offset += (uint32_t)container_bytes(counts[i]);
    }
    return at;
}

/* Returns the bytes that the whole takes. */
static size_t count_containers(const struct bitmap *from, uint32_t *counts,
                               uint32_t count, uint32_t *used)
{
    size_t size = 8;
    *used = 0;
    for (uint32_t i = 0; i < count; i++) {
        counts[i] = count_words(&from->words[(size_t)i * WORDS]);
        if (counts[i] == 0)
            continue;
        ++*used;
        size += 8 + container_bytes(counts[i]);
    }
    return size;
}

static void write_portable(struct bitmap *from, const uint32_t *counts, uint32_t count,
                           uint32_t used, char *at)
{
    at = put_u32(put_u32(at, COOKIE_PLAIN), used);
    at = put_heads(at, counts, count);
    at = put_offsets(at, counts, count, used);
    for (uint32_t i = 0; i < count; i++) {
        uint64_t *words = &from->words[(size_t)i * WORDS];
        if (counts[i] == 0)
            continue;
        if (counts[i] <= ARRAY_MOST) {
            at = put_array(at, words);
        } else {
            memcpy(at, words, WORD_BYTES);
            at += WORD_BYTES;
        }
        memset(words, 0, WORD_BYTES);
    }
}

enum sh_err dense_take(struct bitmap *from, roaring_bitmap_t **out)
{
    uint32_t count = (uint32_t)(dense_words(from->bits) / WORDS);
    uint32_t used = 0;
    enum sh_err err = SH_NOMEM;
    uint32_t *counts = sh_alloc_array(count + 1, sizeof(*counts));
    char *data = NULL;
    *out = NULL;
    if (counts) {
        size_t size = count_containers(from, counts, count, &used);
        data = sh_realloc(NULL, size);
        if (data) {
            write_portable(from, counts, count, used, data);
            *out = roaring_bitmap_portable_deserialize_safe(data, size);
            err = *out ? SH_OK : SH_NOMEM;
        }
    }
    sh_free(counts);
    sh_free(data);
    return err;
}
