#include "services/search/text/pfor.h"

#include "services/search/text/varint.h"

/* Four numbers stand side by side, so that they are unpacked by the same shifts in one
 * vector: number i is in lane i % 4, after those of its lane before it (as in Lemire and
 * Boytsov, "Decoding billions of integers per second through vectorization", 2015). In
 * the order of the machine. */
typedef uint32_t four __attribute__((vector_size(16)));
enum { LANES = 4, ROWS = PFOR_COUNT / LANES };

static unsigned bits_of(uint32_t value)
{
    return value == 0 ? 0 : 32 - (unsigned)__builtin_clz(value);
}

/* An exception costs its place and the bytes of its upper bits. */
static unsigned best_width(const uint32_t values[PFOR_COUNT])
{
    unsigned counts[33] = {0};
    unsigned best = 32;
    unsigned least = PFOR_COUNT * 4;
    for (int i = 0; i < PFOR_COUNT; i++)
        counts[bits_of(values[i])]++;
    for (unsigned width = 0; width < 32; width++) {
        unsigned bytes = PFOR_COUNT / 8 * width;
        for (unsigned bits = width + 1; bits <= 32; bits++)
            bytes += counts[bits] * (1 + (bits - width + 6) / 7);
        if (bytes < least) {
            least = bytes;
            best = width;
        }
    }
    return best;
}

static uint8_t *write_bits(uint8_t *at, const uint32_t values[PFOR_COUNT], unsigned width)
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << width) - 1);
    uint64_t held[LANES] = {0};
    unsigned count = 0;
    for (int row = 0; row < ROWS; row++) {
        for (int lane = 0; lane < LANES; lane++)
            held[lane] |= (uint64_t)(values[row * LANES + lane] & mask) << count;
        count += width;
        if (count < 32)
            continue;
        count -= 32;
        for (int lane = 0; lane < LANES; lane++) {
            uint32_t word = (uint32_t)held[lane];
            memcpy(at, &word, sizeof(word));
            at += sizeof(word);
            held[lane] >>= 32;
        }
    }
    return at;
}

uint8_t *pfor_write(uint8_t *at, const uint32_t values[PFOR_COUNT])
{
    unsigned width = best_width(values);
    uint8_t *head = at;
    unsigned exceptions = 0;
    at = write_bits(at + 2, values, width);
    for (int i = 0; width < 32 && i < PFOR_COUNT; i++) {
        if (values[i] >> width == 0)
            continue;
        *at++ = (uint8_t)i;
        at = varint_put(at, values[i] >> width);
        exceptions++;
    }
    head[0] = (uint8_t)width;
    head[1] = (uint8_t)exceptions;
    return at;
}

static four load(const uint8_t *at)
{
    four words;
    memcpy(&words, at, sizeof(words));
    return words;
}

/* `width` above 0. */
static void read_bits(const uint8_t *at, unsigned width, uint32_t values[PFOR_COUNT])
{
    uint32_t mask = (uint32_t)((UINT64_C(1) << width) - 1);
    four words = load(at);
    unsigned used = 0;
    for (size_t row = 0; row < ROWS; row++) {
        four read = words >> used;
        used += width;
        if (used >= 32 && row + 1 < ROWS) {
            used -= 32;
            at += sizeof(words);
            words = load(at);
            if (used > 0)
                read |= words << (width - used);
        }
        read &= mask;
        memcpy(values + row * LANES, &read, sizeof(read));
    }
}

const uint8_t *pfor_read(const uint8_t *at, const uint8_t *end,
                         uint32_t values[PFOR_COUNT])
{
    if (end - at < 2 || at[0] > 32 || end - at < 2 + PFOR_COUNT / 8 * at[0])
        return NULL;
    unsigned width = at[0];
    unsigned exceptions = at[1];
    at += 2;
    if (width == 0)
        memset(values, 0, PFOR_COUNT * sizeof(*values));
    else
        read_bits(at, width, values);
    at += (size_t)width * (PFOR_COUNT / 8);
    for (; exceptions > 0; exceptions--) {
        uint32_t above = 0;
        if (at >= end || *at >= PFOR_COUNT || width == 32)
            return NULL;
        unsigned i = *at++;
        at = varint_get(at, end, &above);
        values[i] |= above << width;
    }
    return at;
}
