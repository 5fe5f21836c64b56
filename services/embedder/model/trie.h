/* trie: which pieces start at a place of a text, in one step per byte (a double array:
 * a byte's successor of state s is base[s] ^ byte, where check[] says s). Built once,
 * when a model is packed; looked up in the mapped file. */
#ifndef EMBEDDER_TRIE_H
#define EMBEDDER_TRIE_H

#include "shared/buffer.h"
#include "shared/bytes.h"

struct trie_unit {
    uint32_t base;
    uint32_t check; /* the state it belongs to plus 1; 0: nobody's */
    int32_t value;  /* of the piece that ends here, or -1 */
};

struct trie {
    const struct trie_unit *units;
    uint32_t count;
};

struct trie_entry {
    struct sh_bytes key;
    int32_t value;
};

/* State 0 is the root. False when no piece goes on with this byte: any file, however
 * damaged, stays within its bounds. */
static inline bool trie_step(const struct trie *trie, uint32_t *state, uint8_t byte)
{
    uint32_t next = trie->units[*state].base ^ byte;
    if (next >= trie->count || trie->units[next].check != *state + 1)
        return false;
    *state = next;
    return true;
}

/* Append the units to `out`. Keys are sorted here and must not be empty; of equal ones
 * the highest value counts. Errors: SH_NOMEM, SH_INVALID. */
SH_CHECK enum sh_err trie_build(struct trie_entry *entries, size_t count,
                                struct sh_buffer *out);

#endif
