/* Any bytes as the body of a search or of a document: refused with a sentence, or read
 * into a struct within its declared ranges. */
#include <stdlib.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_in.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check(const struct schema *schema, json_t *json)
{
    _Alignas(max_align_t) char into[1024];
    struct sh_arena arena = {0};
    struct schema_fault fault;

    if (schema->size > sizeof into)
        abort();
    enum sh_err err = schema_read(schema, json, &arena, into, &fault);
    if (err != SH_OK && fault.error[0] == '\0')
        abort();
    if (err == SH_OK && schema == &document_schema) {
        struct sh_buffer frame = {0};
        bool good = document_encode((const struct document_body *)into, false, &arena,
                                    &frame, &fault);
        if (good != (frame.len > 0))
            abort();
        sh_buffer_free(&frame);
    }
    sh_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char why[160];
    json_t *json;

    if (json_in((struct sh_bytes){data, size}, &json, why, sizeof why) != SH_OK)
        return 0;
    check(&search_schema, json);
    check(&document_schema, json);
    check(&embed_schema, json);
    json_decref(json);
    return 0;
}
