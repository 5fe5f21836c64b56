/* A glossary as tbx from a stranger. */
#include "tests/fuzz/extract/terms_fuzz.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    terms_fuzz("tbx", data, size);
    return 0;
}
