/* Bytes of a Bolt client, as a connection takes them: pieces, messages, their fields, and
 * parameters to msgpack. What is read is written again in the shortest form, which must
 * be accepted and read the same. With an odd first byte the bytes are rows of the graph
 * service instead: what becomes of them must be PackStream. */
#include <stdlib.h>

#include "services/gateway/bolt/chunks.h"
#include "services/gateway/bolt/request.h"
#include "services/gateway/bolt/values.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { MESSAGE_MAX = 65536 };

static void copy_token(const struct ps_token *token, struct sh_buffer *out)
{
    switch (token->kind) {
    case PS_NULL:
        ps_null(out);
        break;
    case PS_BOOL:
        ps_bool(out, token->number != 0);
        break;
    case PS_INT:
        ps_int(out, token->number);
        break;
    case PS_FLOAT:
        ps_float(out, token->real);
        break;
    case PS_BYTES:
        ps_bytes(out, token->bytes);
        break;
    case PS_TEXT:
        ps_text(out, token->bytes);
        break;
    case PS_LIST:
        ps_list(out, (size_t)token->number);
        break;
    case PS_MAP:
        ps_map(out, (size_t)token->number);
        break;
    case PS_STRUCT:
    default:
        ps_struct(out, token->tag, (size_t)token->number);
        break;
    }
}

static void copy_all(struct sh_bytes message, struct sh_buffer *out)
{
    struct ps_cursor cursor = ps_over(message);
    struct ps_token token;

    while (cursor.left > 0) {
        if (!ps_next(&cursor, &token))
            abort(); /* it was scanned */
        copy_token(&token, out);
    }
}

static void round_trip(struct sh_bytes message)
{
    struct sh_buffer once = {0}, twice = {0};

    copy_all(message, &once);
    if (once.err != SH_OK || once.len > message.len ||
        ps_scan(sh_buffer_bytes(&once)) != SH_OK)
        abort();
    copy_all(sh_buffer_bytes(&once), &twice);
    if (!sh_bytes_equal(sh_buffer_bytes(&once), sh_buffer_bytes(&twice)))
        abort();
    sh_buffer_free(&once);
    sh_buffer_free(&twice);
}

static void take_message(struct sh_bytes message, struct bolt_version version)
{
    struct bolt_request request;
    struct sh_buffer packed = {0};
    struct sh_bytes text;
    int64_t number;

    if (ps_scan(message) == SH_OK)
        round_trip(message);
    if (bolt_request_read(message, version, &request) != SH_OK)
        return;
    (void)bolt_after(BOLT_READY, request.tag, version);
    for (size_t i = 0; i < BOLT_FIELDS; i++) {
        if (request.fields[i].at == NULL)
            continue;
        enum sh_err err = values_to_msgpack(request.fields[i], &packed);
        if (err != SH_OK && err != SH_TYPE)
            abort();
        if (ps_find_text(request.fields[i], "scheme", &text) && text.data == NULL)
            abort();
        if (ps_find_int(request.fields[i], "n", &number) && number == 0)
            sh_buffer_clear(&packed);
    }
    sh_buffer_free(&packed);
}

static void take_bytes(struct sh_bytes bytes, struct bolt_version version)
{
    struct chunks chunks = {.most = MESSAGE_MAX};
    enum chunks_result result = CHUNKS_MESSAGE;

    (void)chunks_hold(bytes, BOLT_RESET);
    while (result == CHUNKS_MESSAGE) {
        size_t taken = 0;
        result = chunks_take(&chunks, bytes, &taken);
        if (taken > bytes.len)
            abort();
        bytes = (struct sh_bytes){(const char *)bytes.data + taken, bytes.len - taken};
        if (result == CHUNKS_MESSAGE) {
            take_message(sh_buffer_bytes(&chunks.message), version);
            chunks_clear(&chunks);
        }
    }
    chunks_free(&chunks);
}

static void take_rows(struct sh_bytes bytes, struct bolt_version version)
{
    struct sh_buffer out = {0};
    struct rows rows;

    if (rows_open(bytes, &rows) != SH_OK)
        return;
    while (rows.left > 0) {
        sh_buffer_clear(&out);
        size_t begin = chunks_begin(&out);
        if (rows_next(&rows, version, &out) != SH_OK)
            break;
        chunks_end(&out, begin);
    }
    sh_buffer_free(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t hello[HANDSHAKE_BYTES] = {0x60, 0x60, 0xb0, 0x17};
    struct bolt_version version;

    if (size == 0)
        return 0;
    uint8_t choice = data[0];
    struct sh_bytes bytes = {data + 1, size - 1};
    memcpy(hello + 4, data, size < 16 ? size : 16);
    (void)handshake_choose(hello, &version);
    version =
        (choice & 2) != 0 ? (struct bolt_version){5, 4} : (struct bolt_version){4, 4};
    if ((choice & 1) != 0)
        take_rows(bytes, version);
    else
        take_bytes(bytes, version);
    return 0;
}
