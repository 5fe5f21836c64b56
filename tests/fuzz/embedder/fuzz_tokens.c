/* Any bytes as a text: the hashing model and the tokenizer, with a small vocabulary. */
#include <math.h>
#include <stdlib.h>

#include "services/embedder/model/hashing.h"
#include "services/embedder/model/tokenizer.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char *const pieces[] = {"\xe2\x96\x81",   "a", "b", "ab", "abc", "\xc3\xa9",
                                     "\xe2\x96\x81the"};
static const double scores[] = {0, -1, -2, -2, -3, -9, -4, -2.5};

static struct tokenizer make_tokenizer(void)
{
    static struct sh_buffer units;
    struct trie_entry entries[SH_COUNT(pieces)];
    for (size_t i = 0; i < SH_COUNT(pieces); i++)
        entries[i] = (struct trie_entry){sh_bytes_of(pieces[i]), (int32_t)i + 1};
    if (units.len == 0 && trie_build(entries, SH_COUNT(entries), &units) != SH_OK)
        abort();
    return (struct tokenizer){
        .trie = {(const struct trie_unit *)(const void *)units.data,
                 (uint32_t)(units.len / sizeof(struct trie_unit))},
        .scores = scores,
        .count = SH_COUNT(scores),
    };
}

static void check_unit(const float *vector)
{
    double squares = 0;
    for (size_t i = 0; i < HASHING_DIMENSION; i++)
        squares += (double)vector[i] * (double)vector[i];
    if (fabs(squares - 1) > 1e-4)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct hashing *hashing;
    float vector[HASHING_DIMENSION];
    size_t words = 0;
    struct sh_bytes text = {data, size};
    if (!hashing && hashing_create(&hashing) != SH_OK)
        abort();
    if (hashing_embed(hashing, text, false, vector, &words) == SH_OK)
        check_unit(vector);

    struct tokenizer tokenizer = make_tokenizer();
    struct pieces got;
    if (tokenizer_encode(&tokenizer, text, 64, &got) == SH_OK) {
        for (size_t i = 0; i < got.count; i++) {
            bool twice = i > 0 && got.ids[i] == 0 && got.ids[i - 1] == 0;
            if (got.ids[i] >= tokenizer.count || twice)
                abort();
        }
    }
    pieces_free(&got);
    return 0;
}
