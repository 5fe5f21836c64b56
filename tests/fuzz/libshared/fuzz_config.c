/* The parser of .env files: whatever it takes, it keeps within its input, and what it
 * accepts can be asked for. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "libshared/src/dotenv.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct sh_dotenv env = {0};
    struct sh_buffer faults = {0};
    enum sh_err err = sh_dotenv_parse(&env, (struct sh_bytes){data, size}, &faults);

    if ((err == SH_INVALID) != (faults.len > 0))
        abort(); /* a fault that nobody is told, or the other way round */
    const char *value = sh_dotenv_get(&env, "A");
    if (value && strlen(value) > size)
        abort();
    sh_buffer_free(&faults);
    sh_dotenv_free(&env);
    return 0;
}
