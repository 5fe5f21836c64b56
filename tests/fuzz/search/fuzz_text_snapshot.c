/* A snapshot of a text index with any bytes of it changed, its sums set right again:
 * whatever it says, reading, searching and changing the index stay within its memory.
 * Input: how many changes, five bytes each (spoilt.h); the rest is a query. */
#include <stdio.h>
#include <stdlib.h>

#include "services/search/text/snapshot_format.h"
#include "services/search/text/text_snapshot.h"
#include "shared/clock.h"
#include "tests/fuzz/spoilt.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { SLOTS = 400 };

static struct analyzer *analyzer;
static char *original;
static size_t original_len;

static void change(struct text_index *index, uint32_t slot, bool add)
{
    char body[96];
    struct entry entry;
    struct sh_arena arena = {0};
    (void)snprintf(body, sizeof(body), "bee honey %u %s word%u the bee", slot,
                   slot % 3 ? "red wax" : "wax red", slot % 10);
    const struct sh_bytes fields[TEXT_FIELDS] = {
        sh_bytes_of("Title"), sh_bytes_of(slot % 2 ? "bee" : ""), sh_bytes_of(body)};
    if (entry_make(analyzer, fields, &arena, &entry) != SH_OK)
        abort();
    if (!add)
        text_index_remove(index, slot, &entry);
    else if (text_index_add(index, slot, &entry) == SH_NOMEM)
        abort();
    sh_arena_free(&arena);
}

static void make_original(void)
{
    struct text_options options = text_defaults();
    struct text_index *index = NULL;
    FILE *file = open_memstream(&original, &original_len);
    if (!file || analyzer_create("english", &analyzer) != SH_OK ||
        text_index_create(&options, &index) != SH_OK)
        abort();
    for (uint32_t slot = 0; slot < SLOTS; slot++)
        change(index, slot, true);
    for (uint32_t slot = 0; slot < SLOTS; slot += 7)
        change(index, slot, false);
    if (text_snapshot_save(index, sh_bytes_of("note"), file) != SH_OK ||
        fclose(file) != 0)
        abort();
    text_index_free(&index);
}

static void search(const struct text_index *index, struct sh_bytes text)
{
    struct sh_arena arena = {0};
    struct text_query query;
    struct leg leg;
    struct text_best best;
    const struct text_depth depth = {3, 0.1, SH_NO_DEADLINE};
    const uint32_t slots[] = {0, 1, 7, 128, 129, 300, SLOTS - 1, SLOTS, UINT32_MAX};
    float scores[sizeof(slots) / sizeof(slots[0])];
    struct bitmap allowed = {sh_arena_array(&arena, bitmap_words(SLOTS), 8), SLOTS};
    if (!allowed.words)
        abort();
    memset(allowed.words, 0xff, bitmap_words(SLOTS) * 8);
    if (text_query_make(&analyzer, 1, text, &arena, &query) != SH_OK ||
        text_index_expand(index, &allowed, &query, &arena) != SH_OK ||
        text_index_restrict(index, &query, &allowed, SH_NO_DEADLINE) != SH_OK ||
        text_index_search(index, &query, &allowed, SH_NO_DEADLINE, &arena, &leg) !=
            SH_OK ||
        text_index_top(index, &query, &allowed, &depth, &arena, &best) != SH_OK ||
        text_index_score(index, &query, slots, sizeof(slots) / sizeof(slots[0]),
                         SH_NO_DEADLINE, &arena, scores) != SH_OK)
        abort();
    sh_arena_free(&arena);
}

/* Until it is worth clearing away. */
static void waste(struct text_index *index)
{
    const struct entry nothing = {.count = 0};
    for (int i = 0; i < 5000; i++) {
        if (text_index_add(index, SLOTS, &nothing) != SH_OK)
            abort();
        text_index_remove(index, SLOTS, &nothing);
    }
}

static void live_on(struct text_index *index, struct sh_bytes query)
{
    struct text_upkeep *upkeep = NULL;
    search(index, query);
    search(index, sh_bytes_of("\"red wax\" bee title -word3 hony wor"));
    search(index, sh_bytes_of("bee honey the"));
    for (uint32_t slot = 0; slot < SLOTS; slot += 3)
        change(index, slot, false);
    for (uint32_t slot = 0; slot < SLOTS; slot += 3)
        change(index, slot, true);
    waste(index);
    search(index, query);
    if (text_upkeep_make(index, &upkeep) == SH_OK && upkeep)
        text_upkeep_apply(upkeep, index);
    text_upkeep_free(&upkeep);
    search(index, sh_bytes_of("\"red wax\" bee"));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct text_options options = text_defaults();
    struct text_index *index = NULL;
    struct sh_arena arena = {0};
    struct sh_bytes note;
    if (!original)
        make_original();
    struct sh_bytes input = {data, size};
    char *bytes =
        spoilt_copy(&snapshot_kind, (struct sh_bytes){original, original_len}, &input);
    if (text_snapshot_read((struct sh_bytes){bytes, original_len}, &options, &arena,
                           &index, &note) == SH_OK)
        live_on(index, input);
    text_index_free(&index);
    sh_arena_free(&arena);
    free(bytes);
    return 0;
}
