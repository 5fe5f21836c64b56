#include "services/search/quality/signature.h"

#include <utf8proc.h>
#include <xxhash.h>

#include "services/search/chunk/tokens.h"

enum { SHINGLE_WORDS = 3, WORD_BYTES = 512 };
static const uint32_t EMPTY_BIN = UINT32_MAX;

/* A run of the text, in lower case. Runs are short: see tokens.h. */
static uint64_t hash_word(const uint8_t *word, size_t len)
{
    uint8_t folded[WORD_BYTES];
    size_t used = 0;
    size_t at = 0;

    while (at < len && used + 4 <= sizeof(folded)) {
        utf8proc_int32_t code = word[at];
        utf8proc_ssize_t taken = 1;
        if (code >= 0x80)
            taken = utf8proc_iterate(word + at, (utf8proc_ssize_t)(len - at), &code);
        if (taken < 1)
            break;
        if (code < 0x80)
            folded[used++] =
                (uint8_t)(code >= 'A' && code <= 'Z' ? code + ('a' - 'A') : code);
        else
            used += (size_t)utf8proc_encode_char(utf8proc_tolower(code), folded + used);
        at += (size_t)taken;
    }
    return XXH3_64bits(folded, used);
}

static void take(uint32_t bins[static SIGNATURE_BYTES], uint64_t hash)
{
    /* The upper half chooses the bin, the lower one is the rank in it. */
    size_t bin = (size_t)(((hash >> 32) * SIGNATURE_BYTES) >> 32);
    uint32_t rank = (uint32_t)hash;

    if (rank < bins[bin])
        bins[bin] = rank;
}

/* Every run of three words; where there are fewer, all that there are. */
static void take_all(struct sh_bytes text, uint32_t bins[static SIGNATURE_BYTES])
{
    uint64_t last[SHINGLE_WORDS] = {0};
    const uint8_t *data = text.data;
    size_t words = 0;

    for (struct run run = run_next(text, 0); run.kind != RUN_END;
         run = run_next(text, run.end)) {
        if (run.kind != RUN_WORD && run.kind != RUN_IDEOGRAPH)
            continue;
        last[0] = last[1];
        last[1] = last[2];
        last[2] = hash_word(data + run.start, run.end - run.start);
        if (++words >= SHINGLE_WORDS)
            take(bins, XXH3_64bits(last, sizeof(last)));
    }
    if (words == 0)
        take(bins, XXH3_64bits(text.len > 0 ? text.data : "", text.len));
    else if (words < SHINGLE_WORDS)
        take(bins, XXH3_64bits(last, sizeof(last)));
}

void signature_of(struct sh_bytes text, uint8_t out[static SIGNATURE_BYTES])
{
    uint32_t bins[SIGNATURE_BYTES];

    for (size_t i = 0; i < SIGNATURE_BYTES; i++)
        bins[i] = EMPTY_BIN;
    take_all(text, bins);
    for (size_t i = 0; i < SIGNATURE_BYTES; i++) {
        size_t steps = 0;
        while (steps + 1 < SIGNATURE_BYTES &&
               bins[(i + steps) % SIGNATURE_BYTES] == EMPTY_BIN)
            steps++;
        /* The distance counts, or borrowed bins would agree too easily. */
        uint32_t rank = bins[(i + steps) % SIGNATURE_BYTES];
        out[i] = (uint8_t)(rank + (uint32_t)steps * 0x9du);
    }
}

double signature_similarity(const uint8_t a[static SIGNATURE_BYTES],
                            const uint8_t b[static SIGNATURE_BYTES])
{
    const double chance = 1.0 / 256;
    unsigned same = 0;

    for (size_t i = 0; i < SIGNATURE_BYTES; i++)
        same += a[i] == b[i];
    double share = ((double)same / SIGNATURE_BYTES - chance) / (1 - chance);
    return share > 0 ? share : 0;
}
