/* values: fills any message from its table, so that a test covers messages that do not
 * exist yet. */
#ifndef TESTS_PROTO_VALUES_H
#define TESTS_PROTO_VALUES_H

#include <stdlib.h>

#include "proto/msg.h"

/* Lists of three, then two, then one by depth; numbers differ by field. */
static inline void values_fill(const struct msg_desc *desc, struct sh_arena *arena,
                               unsigned depth, char *msg)
{
    static const char text[] = "naïve – 測試 text";
    for (size_t i = 0; i < desc->count; i++) {
        const struct msg_field *f = &desc->fields[i];
        char *at = msg + f->offset;
        uint64_t number = (i * 7919 + 3) % (f->max == UINT64_MAX ? f->max : f->max + 1);
        size_t length = f->max < sizeof(text) - 1 ? 4 : sizeof(text) - 1;
        size_t count = f->max < 3 - depth ? (size_t)f->max : 3 - depth;
        struct sh_bytes *texts = NULL;
        char *items = NULL;
        switch (f->type) {
        case MSG_u32:
            *(uint32_t *)(void *)at = (uint32_t)number;
            break;
        case MSG_u64:
            *(uint64_t *)(void *)at = number;
            break;
        case MSG_f64:
            *(double *)(void *)at = (double)i + 0.25;
            break;
        case MSG_flag:
            *(bool *)(void *)at = true;
            break;
        case MSG_str:
        case MSG_json: /* four bytes of the text would cut ï */
            *(struct sh_bytes *)(void *)at =
                (struct sh_bytes){length == 4 ? "four" : text, length};
            break;
        case MSG_bytes: /* that are no text */
            *(struct sh_bytes *)(void *)at = (struct sh_bytes){"\xff\x00\xc1", 3};
            break;
        case MSG_strs:
            texts = sh_arena_array(arena, count, sizeof(*texts));
            for (size_t k = 0; k < count; k++)
                texts[k] = sh_bytes_of(text);
            *(struct sh_bytes **)(void *)at = texts;
            memcpy(msg + f->count_offset, &count, sizeof(count));
            break;
        case MSG_list:
            items = sh_arena_array(arena, count, f->of()->size);
            for (size_t k = 0; k < count; k++)
                values_fill(f->of(), arena, depth + 1, items + k * f->of()->size);
            *(void **)(void *)at = items;
            memcpy(msg + f->count_offset, &count, sizeof(count));
            break;
        }
    }
}

static inline void *values_new(const struct msg_desc *desc, struct sh_arena *arena)
{
    char *msg = sh_arena_alloc(arena, desc->size);
    values_fill(desc, arena, 0, msg);
    return msg;
}

#endif
