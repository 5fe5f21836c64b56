/* Messages made from their tables: the input chooses a message, fills its fields up to
 * and over their bounds, and says which bytes of the encoding are spoilt. What was
 * encoded is decoded to the same; what was spoilt is refused or read, never worse. */
#include <stdlib.h>

#include "proto/msg.h"

enum { ITEMS_MAX = 4, DEPTH_MAX = 4 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct source {
    const uint8_t *at;
    size_t left;
    struct sh_arena arena;
};

static uint8_t take(struct source *in)
{
    if (in->left == 0)
        return 0;
    in->left--;
    return *in->at++;
}

static struct sh_bytes take_bytes(struct source *in)
{
    size_t len = take(in);
    if (len > in->left)
        len = in->left;
    struct sh_bytes bytes = {in->at, len};
    in->at += len;
    in->left -= len;
    return bytes;
}

/* Small ones, those around the bound, and any. */
static uint64_t take_number(struct source *in, uint64_t max)
{
    uint8_t how = take(in);
    uint64_t number = 0;
    if (how < 200)
        return how;
    if (how < 230)
        return max + how - 220;
    for (int i = 0; i < 8; i++)
        number = number << 8 | take(in);
    return number;
}

static void fill(struct source *in, const struct msg_desc *desc, char *msg, int depth);

static size_t fill_items(struct source *in, const struct msg_field *f, char *at,
                         int depth)
{
    size_t count = depth < DEPTH_MAX ? take(in) % (ITEMS_MAX + 1) : 0;
    bool texts = f->type == MSG_strs;
    size_t each = texts ? sizeof(struct sh_bytes) : f->of()->size;
    char *items = sh_arena_array(&in->arena, count + 1, each);
    if (!items)
        abort();
    for (size_t i = 0; i < count; i++) {
        if (texts)
            ((struct sh_bytes *)(void *)items)[i] = take_bytes(in);
        else
            fill(in, f->of(), items + i * each, depth + 1);
    }
    memcpy(at, &items, sizeof(items));
    return count;
}

static void fill_field(struct source *in, const struct msg_field *f, char *msg, int depth)
{
    char *at = msg + f->offset;
    uint64_t wide = 0;
    uint32_t narrow = 0;
    double real = 0;
    struct sh_bytes bytes = {0};
    switch (f->type) {
    case MSG_u32:
        narrow = (uint32_t)take_number(in, f->max);
        memcpy(at, &narrow, sizeof(narrow));
        break;
    case MSG_u64:
        wide = take_number(in, f->max);
        memcpy(at, &wide, sizeof(wide));
        break;
    case MSG_f64:
        wide = take_number(in, UINT64_MAX);
        memcpy(&real, &wide, sizeof(real));
        memcpy(at, &real, sizeof(real));
        break;
    case MSG_flag:
        *(bool *)(void *)at = take(in) & 1;
        break;
    case MSG_str:
    case MSG_json:
    case MSG_bytes:
        bytes = take_bytes(in);
        memcpy(at, &bytes, sizeof(bytes));
        break;
    case MSG_strs:
    case MSG_list:
        *(size_t *)(void *)(msg + f->count_offset) = fill_items(in, f, at, depth);
    }
}

static void fill(struct source *in, const struct msg_desc *desc, char *msg, int depth)
{
    for (size_t i = 0; i < desc->count; i++)
        fill_field(in, &desc->fields[i], msg, depth);
}

/* Decoded and encoded again, `wire` must come out. */
static void round_trip(const struct msg_desc *desc, const struct sh_buffer *wire,
                       void *room)
{
    struct sh_arena arena = {0};
    struct sh_buffer again = {0};
    if (msg_decode(desc, sh_buffer_bytes(wire), &arena, room) != SH_OK ||
        msg_encode(desc, room, &again) != SH_OK ||
        !sh_bytes_equal(sh_buffer_bytes(wire), sh_buffer_bytes(&again)))
        abort();
    sh_buffer_free(&again);
    sh_arena_free(&arena);
}

/* Pairs of place and value, and a cut end, in a copy of the exact size. */
static void spoil(struct source *in, const struct msg_desc *desc,
                  const struct sh_buffer *wire, void *room)
{
    struct sh_arena arena = {0};
    size_t cut = take(in) < 64 ? take(in) % (wire->len + 1) : 0;
    size_t len = wire->len - cut;
    uint8_t *copy = malloc(len + (len == 0));
    if (!copy)
        abort();
    memcpy(copy, wire->data, len);
    while (in->left > 1 && len > 0) {
        size_t at = take(in);
        copy[(at * 257 + in->left) % len] = take(in);
    }
    enum sh_err err = msg_decode(desc, (struct sh_bytes){copy, len}, &arena, room);
    if (err != SH_OK && err != SH_MALFORMED && err != SH_TOOBIG)
        abort();
    sh_arena_free(&arena);
    free(copy);
}

static const struct msg_desc *choose(uint8_t byte)
{
    const struct msg_desc *const *all = msg_all();
    size_t count = 1;
    while (all[count])
        count++;
    return all[byte % count];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct source in = {.at = data, .left = size};
    const struct msg_desc *desc = choose(take(&in));
    struct sh_buffer wire = {0};
    char *msg = calloc(1, desc->size);
    char *room = calloc(1, desc->size);
    if (!msg || !room)
        abort();
    fill(&in, desc, msg, 0);
    if (msg_encode(desc, msg, &wire) == SH_OK) {
        round_trip(desc, &wire, room);
        spoil(&in, desc, &wire, room);
    } else if (wire.len > 0) {
        abort(); /* all or nothing */
    }
    free(msg);
    free(room);
    sh_buffer_free(&wire);
    sh_arena_free(&in.arena);
    return 0;
}
