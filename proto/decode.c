/* The receiving half of msg.h. The scan has bounded everything before the first field is
 * read; docs/decisions/0010 says why the fields are then read with the same cursor. */
#include <math.h>

#include "proto/msg.h"
#include "proto/wire.h"

struct decoder {
    struct wire_cursor cursor;
    struct sh_arena *arena;
};

static enum sh_err get_token(struct decoder *dec, enum wire_kind kind,
                             struct wire_token *out)
{
    return wire_next(&dec->cursor, out) && out->kind == kind ? SH_OK : SH_MALFORMED;
}

static enum sh_err get_number(struct decoder *dec, uint64_t max, uint64_t *out)
{
    struct wire_token token;
    enum sh_err err = get_token(dec, WIRE_UINT, &token);
    if (err != SH_OK)
        return err;
    *out = token.number;
    return token.number > max ? SH_TOOBIG : SH_OK;
}

static enum sh_err get_u32(struct decoder *dec, uint64_t max, uint32_t *out)
{
    uint64_t number = 0;
    enum sh_err err = get_number(dec, max < UINT32_MAX ? max : UINT32_MAX, &number);
    if (err == SH_OK)
        *out = (uint32_t)number;
    return err;
}

static enum sh_err get_real(struct decoder *dec, double *out)
{
    struct wire_token token;
    enum sh_err err = get_token(dec, WIRE_FLOAT, &token);
    if (err == SH_OK && !isfinite(token.real))
        err = SH_MALFORMED;
    if (err == SH_OK)
        *out = token.real;
    return err;
}

static enum sh_err get_flag(struct decoder *dec, bool *out)
{
    struct wire_token token;
    enum sh_err err = get_token(dec, WIRE_BOOL, &token);
    if (err == SH_OK)
        *out = token.number != 0;
    return err;
}

static enum sh_err get_text(struct decoder *dec, uint64_t max, struct sh_bytes *out)
{
    struct wire_token token;
    enum sh_err err = get_token(dec, WIRE_STR, &token);
    if (err != SH_OK)
        return err;
    if (token.bytes.len > max)
        return SH_TOOBIG;
    if (!wire_utf8(token.bytes))
        return SH_MALFORMED;
    *out = token.bytes;
    return SH_OK;
}

static enum sh_err get_bytes(struct decoder *dec, uint64_t max, struct sh_bytes *out)
{
    struct wire_token token;
    enum sh_err err = get_token(dec, WIRE_BIN, &token);
    if (err != SH_OK)
        return err;
    if (token.bytes.len > max)
        return SH_TOOBIG;
    *out = token.bytes;
    return SH_OK;
}

/* Room for the elements of an array: *out stays NULL when there are none. */
static enum sh_err get_array(struct decoder *dec, uint64_t max, size_t size, char **out,
                             size_t *count)
{
    struct wire_token token;
    *count = 0;
    enum sh_err err = get_token(dec, WIRE_ARRAY, &token);
    if (err != SH_OK)
        return err;
    if (token.number > max)
        return SH_TOOBIG;
    if (token.number == 0)
        return SH_OK;
    *out = sh_arena_array(dec->arena, (size_t)token.number, size);
    if (!*out)
        return SH_NOMEM;
    *count = (size_t)token.number;
    return SH_OK;
}

static enum sh_err get_texts(struct decoder *dec, uint64_t max, char *at, size_t *count)
{
    char *items = NULL;
    enum sh_err err = get_array(dec, max, sizeof(struct sh_bytes), &items, count);
    struct sh_bytes *texts = (void *)items;
    for (size_t i = 0; i < *count && err == SH_OK; i++)
        err = get_text(dec, SIZE_MAX, &texts[i]);
    memcpy(at, &items, sizeof(items));
    return err;
}

static enum sh_err get_message(struct decoder *dec, const struct msg_desc *desc,
                               char *msg);

static enum sh_err get_list(struct decoder *dec, const struct msg_field *f, char *at,
                            size_t *count)
{
    const struct msg_desc *of = f->of();
    char *items = NULL;
    enum sh_err err = get_array(dec, f->max, of->size, &items, count);
    for (size_t i = 0; i < *count && err == SH_OK; i++)
        err = get_message(dec, of, items + i * of->size);
    memcpy(at, &items, sizeof(items));
    return err;
}

static enum sh_err get_field(struct decoder *dec, const struct msg_field *f, char *msg)
{
    void *at = msg + f->offset;
    void *count = msg + f->count_offset;
    switch (f->type) {
    case MSG_u32:
        return get_u32(dec, f->max, at);
    case MSG_u64:
        return get_number(dec, f->max, at);
    case MSG_f64:
        return get_real(dec, at);
    case MSG_flag:
        return get_flag(dec, at);
    case MSG_str:
    case MSG_json:
        return get_text(dec, f->max, at);
    case MSG_bytes:
        return get_bytes(dec, f->max, at);
    case MSG_strs:
        return get_texts(dec, f->max, at, count);
    case MSG_list:
        return get_list(dec, f, at, count);
    }
    return SH_INTERNAL;
}

/* Depth is bounded by the tables: a message stands below those that it contains. */
static enum sh_err get_message(struct decoder *dec, const struct msg_desc *desc,
                               char *msg)
{
    struct wire_token head;
    uint64_t id = 0;
    enum sh_err err = get_token(dec, WIRE_ARRAY, &head);
    if (err == SH_OK && head.number == 0)
        err = SH_MALFORMED;
    if (err == SH_OK)
        err = get_number(dec, UINT64_MAX, &id);
    if (err == SH_OK && id != desc->id)
        err = SH_MALFORMED;
    if (err != SH_OK)
        return err;

    uint64_t sent = head.number - 1;
    for (uint64_t i = 0; i < sent && err == SH_OK; i++) {
        if (i < desc->count)
            err = get_field(dec, &desc->fields[i], msg);
        else if (!wire_skip(&dec->cursor))
            err = SH_MALFORMED;
    }
    return err;
}

enum sh_err msg_decode(const struct msg_desc *desc, struct sh_bytes frame,
                       struct sh_arena *arena, void *msg)
{
    memset(msg, 0, desc->size);
    enum sh_err err = wire_scan(frame);
    if (err != SH_OK)
        return err;
    struct decoder dec = {.cursor = {frame.data, frame.len}, .arena = arena};
    return get_message(&dec, desc, msg);
}
