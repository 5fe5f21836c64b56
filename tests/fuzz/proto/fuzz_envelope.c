/* Any 96 bytes that are read must be written back the same, but for the spare ones.
 * Chance would hardly ever find the magic: what is short is made into a frame that has
 * it. */
#include <stdlib.h>

#include "proto/envelope.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_state(const struct envelope *envelope)
{
    struct envelope again = *envelope;
    uint64_t changes = 0, state = 0, changes_again = 0, state_again = 0;

    if (!envelope_state(envelope, &changes, &state))
        return;
    envelope_set_state(&again, changes, state);
    if (!envelope_state(&again, &changes_again, &state_again) ||
        changes_again != changes || state_again != state)
        abort();
}

static void check(struct sh_bytes frame)
{
    const uint8_t *bytes = frame.data;
    struct envelope once;
    struct envelope twice;
    uint8_t wire[ENVELOPE_BYTES];

    if (envelope_read(frame, &once) != SH_OK || once.version == 0)
        return;
    envelope_write(&once, wire);
    if (memcmp(wire, bytes, 81) != 0 || memcmp(wire + 82, bytes + 82, 4) != 0 ||
        memcmp(wire + 88, bytes + 88, 4) != 0 ||
        envelope_read((struct sh_bytes){wire, sizeof(wire)}, &twice) != SH_OK)
        abort();
    (void)envelope_status_name(once.status);
    (void)envelope_status_err(once.status);
    (void)envelope_type_name(once.type);
    check_state(&once);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t magic[] = {'C', 'A', 'R', 'N'};
    uint8_t frame[ENVELOPE_BYTES] = {0};

    check((struct sh_bytes){data, size});
    if (size > sizeof(frame) - sizeof(magic))
        return 0;
    memcpy(frame, magic, sizeof(magic));
    if (size > 0)
        memcpy(frame + sizeof(magic), data, size);
    check((struct sh_bytes){frame, sizeof(frame)});
    return 0;
}
