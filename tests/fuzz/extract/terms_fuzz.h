/* terms_fuzz: a reader of glossaries is given any bytes; what it gives must be batches
 * that a message can hold and JSON can be read from. */
#ifndef FUZZ_TERMS_H
#define FUZZ_TERMS_H

#include <jansson.h>
#include <stdlib.h>

#include "services/search/extract/child/terms_out.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static bool terms_fuzz_batch(void *arg, const struct glossary_batch *batch)
{
    uint64_t *seen = arg;
    struct sh_buffer frame = {0};
    json_t *terms = json_loadb(batch->terms.data, batch->terms.len, 0, NULL);
    json_t *links = json_loadb(batch->links.data, batch->links.len, 0, NULL);

    *seen += batch->rows;
    if (!json_is_array(terms) || !json_is_array(links) || *seen > batch->total ||
        json_array_size(terms) + batch->errors_count != batch->rows ||
        msg_encode(glossary_batch_desc(), batch, &frame) != SH_OK)
        abort();
    json_decref(terms);
    json_decref(links);
    sh_buffer_free(&frame);
    return true;
}

static inline void terms_fuzz(const char *format, const uint8_t *data, size_t size)
{
    struct terms_out *terms = sh_alloc(sizeof(*terms));
    uint64_t seen = 0;

    if (terms == NULL)
        return;
    terms->out.limits = (struct extract_limits){1, 1000000, 32, 100};
    terms->emit = terms_fuzz_batch;
    terms->arg = &seen;
    terms_read_file((struct sh_bytes){data, size}, format, terms);
    terms_free(terms);
    sh_free(terms);
}

#endif
