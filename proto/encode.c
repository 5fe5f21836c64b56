/* The sending half of msg.h. */
#include <math.h>
#include <msgpack.h>

#include "proto/msg.h"
#include "proto/wire.h"

struct encoder {
    msgpack_packer packer;
    size_t declared; /* elements, against what the receiver's scan allows */
};

static int append(void *data, const char *bytes, size_t len)
{
    struct sh_buffer *out = data;
    sh_buffer_append(out, bytes, len);
    return out->err == SH_OK ? 0 : -1;
}

static enum sh_err packed(int rc)
{
    return rc == 0 ? SH_OK : SH_NOMEM;
}

static enum sh_err put_array(struct encoder *enc, size_t count)
{
    enc->declared += count;
    if (enc->declared > WIRE_ELEMENTS_MAX)
        return SH_TOOBIG;
    return packed(msgpack_pack_array(&enc->packer, count));
}

static enum sh_err put_text(struct encoder *enc, struct sh_bytes text)
{
    if (!wire_utf8(text))
        return SH_MALFORMED;
    if (text.len == 0)
        return packed(msgpack_pack_str(&enc->packer, 0));
    return packed(msgpack_pack_str_with_body(&enc->packer, text.data, text.len));
}

static enum sh_err put_bytes(struct encoder *enc, const struct sh_bytes *bytes,
                             uint64_t max)
{
    if (bytes->len > max)
        return SH_TOOBIG;
    if (bytes->len == 0)
        return packed(msgpack_pack_bin(&enc->packer, 0));
    return packed(msgpack_pack_bin_with_body(&enc->packer, bytes->data, bytes->len));
}

static enum sh_err put_texts(struct encoder *enc, const struct sh_bytes *texts,
                             size_t count)
{
    enum sh_err err = put_array(enc, count);
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = put_text(enc, texts[i]);
    return err;
}

static enum sh_err put_message(struct encoder *enc, const struct msg_desc *desc,
                               const char *msg);

static enum sh_err put_list(struct encoder *enc, const struct msg_field *f,
                            const void *at, size_t count)
{
    const struct msg_desc *of = f->of();
    const char *items = NULL;
    memcpy(&items, at, sizeof(items)); /* pointers to any struct look the same */
    if (count > f->max)
        return SH_TOOBIG;
    enum sh_err err = put_array(enc, count);
    for (size_t i = 0; i < count && err == SH_OK; i++)
        err = put_message(enc, of, items + i * of->size);
    return err;
}

static enum sh_err put_number(struct encoder *enc, uint64_t number, uint64_t max)
{
    if (number > max)
        return SH_TOOBIG;
    return packed(msgpack_pack_uint64(&enc->packer, number));
}

static enum sh_err put_real(struct encoder *enc, double real)
{
    if (!isfinite(real))
        return SH_MALFORMED;
    return packed(msgpack_pack_double(&enc->packer, real));
}

static enum sh_err put_bounded_text(struct encoder *enc, const struct sh_bytes *text,
                                    uint64_t max)
{
    return text->len > max ? SH_TOOBIG : put_text(enc, *text);
}

static enum sh_err put_field(struct encoder *enc, const struct msg_field *f,
                             const char *msg)
{
    const void *at = msg + f->offset;
    const void *count_at = msg + f->count_offset;
    switch (f->type) {
    case MSG_u32:
        return put_number(enc, *(const uint32_t *)at, f->max);
    case MSG_u64:
        return put_number(enc, *(const uint64_t *)at, f->max);
    case MSG_f64:
        return put_real(enc, *(const double *)at);
    case MSG_flag:
        return packed(*(const bool *)at ? msgpack_pack_true(&enc->packer)
                                        : msgpack_pack_false(&enc->packer));
    case MSG_str:
    case MSG_json:
        return put_bounded_text(enc, at, f->max);
    case MSG_bytes:
        return put_bytes(enc, at, f->max);
    case MSG_strs:
        if (*(const size_t *)count_at > f->max)
            return SH_TOOBIG;
        return put_texts(enc, *(const struct sh_bytes *const *)at,
                         *(const size_t *)count_at);
    case MSG_list:
        return put_list(enc, f, at, *(const size_t *)count_at);
    }
    return SH_INTERNAL;
}

static enum sh_err put_message(struct encoder *enc, const struct msg_desc *desc,
                               const char *msg)
{
    enum sh_err err = put_array(enc, desc->count + 1);
    if (err == SH_OK)
        err = packed(msgpack_pack_uint32(&enc->packer, desc->id));
    for (size_t i = 0; i < desc->count && err == SH_OK; i++)
        err = put_field(enc, &desc->fields[i], msg);
    return err;
}

enum sh_err msg_encode(const struct msg_desc *desc, const void *msg,
                       struct sh_buffer *out)
{
    if (out->err != SH_OK)
        return out->err;
    size_t start = out->len;
    struct encoder enc = {.declared = 0};
    msgpack_packer_init(&enc.packer, out, append);
    enum sh_err err = put_message(&enc, desc, msg);
    if (err != SH_OK) {
        out->len = start; /* never half a message */
        out->err = SH_OK;
    }
    return err;
}
