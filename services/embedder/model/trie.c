#include "services/embedder/model/trie.h"

#include <stdlib.h>

#include "shared/mem.h"

struct builder {
    const struct trie_entry *entries;
    struct trie_unit *units;
    uint32_t count;
    uint32_t room;
};

static int compare(const void *a, const void *b)
{
    const struct trie_entry *x = a;
    const struct trie_entry *y = b;
    size_t len = x->key.len < y->key.len ? x->key.len : y->key.len;
    int order = memcmp(x->key.data, y->key.data, len);
    if (order != 0)
        return order;
    if (x->key.len != y->key.len)
        return x->key.len < y->key.len ? -1 : 1;
    return (x->value > y->value) - (x->value < y->value);
}

/* Blocks are of 256, so that base ^ byte stays in the block of base. */
static bool grow(struct builder *b, uint32_t at)
{
    uint32_t need = (at / 256 + 1) * 256;
    if (need <= b->count)
        return true;
    if (need > b->room) {
        uint32_t room = b->room == 0 ? 1u << 14 : b->room * 2;
        struct trie_unit *units = sh_realloc(b->units, (size_t)room * sizeof(*units));
        if (!units)
            return false;
        b->units = units;
        b->room = room;
    }
    for (uint32_t i = b->count; i < need; i++)
        b->units[i] = (struct trie_unit){0, 0, -1};
    b->count = need;
    return true;
}

static uint8_t byte_at(const struct builder *b, size_t entry, size_t depth)
{
    return ((const uint8_t *)b->entries[entry].key.data)[depth];
}

struct range {
    size_t first;
    size_t end;
    size_t depth;
};

static size_t children(const struct builder *b, struct range r, uint8_t out[256])
{
    size_t count = 0;
    for (size_t i = r.first; i < r.end; i++) {
        uint8_t byte = byte_at(b, i, r.depth);
        if (count == 0 || out[count - 1] != byte)
            out[count++] = byte;
    }
    return count;
}

/* A base at which all children are free, looked for in the last blocks only: those before
 * are nearly full. Unit 0 is the root and never anyone's child. */
static bool place(struct builder *b, const uint8_t *bytes, size_t count, uint32_t *base)
{
    for (uint32_t try = b->count > 2048 ? b->count - 2048 : 0;; try++) {
        if (!grow(b, try))
            return false;
        size_t i = 0;
        while (i < count && (try ^ bytes[i]) != 0 && b->units[try ^ bytes[i]].check == 0)
            i++;
        if (i == count) {
            *base = try;
            return true;
        }
    }
}

static enum sh_err insert(struct builder *b, struct range r, uint32_t state)
{
    while (r.first < r.end && b->entries[r.first].key.len == r.depth)
        b->units[state].value = b->entries[r.first++].value;
    if (r.first == r.end)
        return SH_OK;
    uint8_t bytes[256];
    size_t count = children(b, r, bytes);
    uint32_t base = 0;
    if (!place(b, bytes, count, &base))
        return SH_NOMEM;
    b->units[state].base = base;
    for (size_t i = 0; i < count; i++)
        b->units[base ^ bytes[i]].check = state + 1;
    size_t first = r.first;
    for (size_t i = 0; i < count; i++) {
        size_t end = first;
        while (end < r.end && byte_at(b, end, r.depth) == bytes[i])
            end++;
        enum sh_err err =
            insert(b, (struct range){first, end, r.depth + 1}, base ^ bytes[i]);
        if (err != SH_OK)
            return err;
        first = end;
    }
    return SH_OK;
}

enum sh_err trie_build(struct trie_entry *entries, size_t count, struct sh_buffer *out)
{
    if (count == 0)
        return SH_INVALID;
    qsort(entries, count, sizeof(*entries), compare);
    if (entries[0].key.len == 0)
        return SH_INVALID;
    struct builder b = {.entries = entries};
    enum sh_err err = SH_NOMEM;
    if (grow(&b, 0))
        err = insert(&b, (struct range){0, count, 0}, 0);
    if (err == SH_OK) {
        sh_buffer_append(out, b.units, b.count * sizeof(b.units[0]));
        err = out->err;
    }
    sh_free(b.units);
    return err;
}
