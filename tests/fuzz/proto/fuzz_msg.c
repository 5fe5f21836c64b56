/* The first byte chooses the message. What is accepted must be accepted again after a
 * round trip, and be the same. */
#include <stdlib.h>

#include "proto/msg.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct msg_desc *choose(uint8_t byte)
{
    const struct msg_desc *const *all = msg_all();
    size_t count = 1;
    while (all[count])
        count++;
    return all[byte % count];
}

static void round_trip(const struct msg_desc *desc, const void *msg, void *room)
{
    struct sh_buffer first = {0};
    struct sh_buffer second = {0};
    struct sh_arena arena = {0};
    enum sh_err err = msg_encode(desc, msg, &first);
    if (err == SH_TOOBIG) /* fields that the sender left out count as well */
        goto out;
    if (err != SH_OK ||
        msg_decode(desc, sh_buffer_bytes(&first), &arena, room) != SH_OK ||
        msg_encode(desc, room, &second) != SH_OK ||
        !sh_bytes_equal(sh_buffer_bytes(&first), sh_buffer_bytes(&second)))
        abort();
out:
    sh_buffer_free(&first);
    sh_buffer_free(&second);
    sh_arena_free(&arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    const struct msg_desc *desc = choose(data[0]);
    struct sh_arena arena = {0};
    void *msg = malloc(desc->size);
    void *room = malloc(desc->size);
    if (msg && room &&
        msg_decode(desc, (struct sh_bytes){data + 1, size - 1}, &arena, msg) == SH_OK)
        round_trip(desc, msg, room);
    free(msg);
    free(room);
    sh_arena_free(&arena);
    return 0;
}
