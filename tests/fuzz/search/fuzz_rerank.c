/* Any bytes as the answer of a re-ranking endpoint, and as a row of the glossary with a
 * query: scores are shares or there are none, words stay within bounds. */
#include <stdlib.h>

#include "services/search/glossary/glossary.h"
#include "services/search/rerank/rerank_shape.h"
#include "services/search/text/language.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void rerank(enum rerank_shape shape, struct sh_bytes body, size_t count)
{
    double scores[8];
    if (rerank_scores(shape, body, count, scores) != SH_OK)
        return;
    for (size_t i = 0; i < count; i++)
        if (!(scores[i] >= 0 && scores[i] <= 1))
            abort();
}

static void widen(struct sh_bytes term, struct sh_bytes forms, struct sh_bytes text)
{
    const struct glossary_row row = {term, {"en", 2}, forms};
    struct analyzer *analyzers[LANGUAGE_COUNT] = {NULL};
    struct glossary *glossary = NULL;
    struct sh_arena arena = {0};
    struct text_query query;
    struct glossary_found found;
    if (glossary_create(&row, 1, &glossary) != SH_OK ||
        language_analyzer(analyzers, LANGUAGE_ENGLISH) != SH_OK ||
        text_query_make(analyzers, 1, text, &arena, &query) != SH_OK ||
        glossary_widen(glossary, text, analyzers, &arena, &query, &found) != SH_OK)
        abort();
    if (query.count > TEXT_QUERY_WORDS || found.count > GLOSSARY_MATCHES)
        abort();
    for (size_t i = 0; i < found.count; i++)
        if (found.items[i].added_count > GLOSSARY_ADDED)
            abort();
    for (unsigned i = 0; i < LANGUAGE_COUNT; i++)
        analyzer_free(&analyzers[i]);
    sh_arena_free(&arena);
    glossary_free(&glossary);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_bytes body = {data, size};
    if (size < 3)
        return 0;
    rerank(RERANK_TEI, body, 1 + data[0] % 8);
    rerank(RERANK_COHERE, body, 1 + data[0] % 8);
    size_t term = data[0] % size;
    size_t rest = size - term;
    size_t forms = data[1] % (rest + 1);
    widen((struct sh_bytes){data, term}, (struct sh_bytes){data + term, forms},
          (struct sh_bytes){data + term + forms, rest - forms});
    return 0;
}
