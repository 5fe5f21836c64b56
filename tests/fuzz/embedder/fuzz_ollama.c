/* Any bytes as an answer of the endpoint: no vector but unit ones of the right length. */
#include <math.h>
#include <stdlib.h>

#include "services/embedder/provider/ollama_reply.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { COUNT = 2, DIMENSION = 3 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_bytes body = {data, size};
    struct card card = {.name = ""};
    float vectors[COUNT][DIMENSION] = {{0}};
    struct provider_text texts[COUNT] = {{.vector = vectors[0]}, {.vector = vectors[1]}};
    char words[128];

    if (ollama_vectors(body, texts, COUNT, DIMENSION) == SH_OK) {
        for (size_t i = 0; i < COUNT; i++) {
            double squares = 0;
            for (size_t j = 0; j < DIMENSION; j++)
                squares += (double)vectors[i][j] * (double)vectors[i][j];
            if (!(fabs(squares - 1) < 1e-4))
                abort();
        }
    }
    if (ollama_dimension(body) > 65536)
        abort();
    (void)ollama_tags(body, "m", &card);
    ollama_show(body, &card);
    ollama_error(body, words, sizeof(words));
    return card.dimension > 65536 ? -1 : 0;
}
