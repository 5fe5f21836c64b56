/* Any 96 bytes that are read must be written back the same, but for the spare ones. */
#include <stdlib.h>

#include "proto/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct envelope once;
    struct envelope twice;
    uint8_t wire[ENVELOPE_BYTES];
    if (envelope_read((struct sh_bytes){data, size}, &once) != SH_OK || once.version == 0)
        return 0;
    envelope_write(&once, wire);
    if (memcmp(wire, data, 81) != 0 ||
        envelope_read((struct sh_bytes){wire, sizeof(wire)}, &twice) != SH_OK)
        abort();
    (void)envelope_status_name(once.status);
    return 0;
}
