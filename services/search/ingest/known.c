#include "services/search/ingest/known.h"

#include <stdlib.h>

#include "services/search/store/write.h"

struct known { /* a row of store_chunk_vectors */
    const char *hash;
    const char *vector;
};

static int compare_known(const void *a, const void *b)
{
    return memcmp(((const struct known *)a)->hash, ((const struct known *)b)->hash,
                  WRITE_HASH_BYTES);
}

static size_t read_known(const PGresult *rows, size_t vector_bytes, struct known *known)
{
    size_t count = 0;

    for (int row = 0; row < PQntuples(rows); row++)
        if (PQgetlength(rows, row, 0) == WRITE_HASH_BYTES &&
            (size_t)PQgetlength(rows, row, 1) == vector_bytes)
            known[count++] =
                (struct known){PQgetvalue(rows, row, 0), PQgetvalue(rows, row, 1)};
    qsort(known, count, sizeof(*known), compare_known);
    return count;
}

size_t known_reuse(const PGresult *rows, const struct prepared *doc, size_t dimension,
                   struct sh_arena *arena, bool *have, float *vectors)
{
    struct known *known =
        sh_arena_array(arena, (size_t)PQntuples(rows) + 1, sizeof(*known));
    size_t reused = 0;
    size_t count;

    if (known == NULL)
        return 0;
    count = read_known(rows, dimension * sizeof(float), known);
    for (size_t i = 0; i < doc->chunk_count; i++) {
        struct known wanted = {.hash = (const char *)doc->hashes + i * WRITE_HASH_BYTES};
        const struct known *found =
            bsearch(&wanted, known, count, sizeof(*known), compare_known);
        if (found == NULL)
            continue;
        memcpy(vectors + i * dimension, found->vector, dimension * sizeof(float));
        have[i] = true;
        reused++;
    }
    return reused;
}
