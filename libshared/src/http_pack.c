#include "http_pack.h"

#include <strings.h>
#include <zlib.h>
#include <zstd.h>

#include "shared/mem.h"

/* --- what is asked for ------------------------------------------------------------ */

static struct sh_bytes trim(struct sh_bytes text)
{
    const char *at = text.data;
    size_t len = text.len;
    while (len > 0 && (at[0] == ' ' || at[0] == '\t')) {
        at++;
        len--;
    }
    while (len > 0 && (at[len - 1] == ' ' || at[len - 1] == '\t'))
        len--;
    return (struct sh_bytes){at, len};
}

static struct sh_bytes cut_at(struct sh_bytes *rest, char mark)
{
    const char *at = rest->data;
    const char *found = rest->len > 0 ? memchr(at, mark, rest->len) : NULL;
    struct sh_bytes part = {at, found ? (size_t)(found - at) : rest->len};
    size_t used = part.len + (found != NULL);
    *rest = (struct sh_bytes){at + used, rest->len - used};
    return part;
}

static bool same_word(struct sh_bytes text, const char *word)
{
    return text.len == strlen(word) && strncasecmp(text.data, word, text.len) == 0;
}

/* "q=0.5" → 500; -1: not a weight. */
static int weight(struct sh_bytes text)
{
    const char *at = text.data;
    if (text.len < 3 || text.len > 7 || (at[0] != 'q' && at[0] != 'Q') || at[1] != '=' ||
        (at[2] != '0' && at[2] != '1') || (text.len > 3 && at[3] != '.'))
        return -1;
    int value = (at[2] - '0') * 1000;
    int unit = 100;
    for (size_t i = 4; i < text.len; i++, unit /= 10) {
        if (at[i] < '0' || at[i] > '9')
            return -1;
        value += (at[i] - '0') * unit;
    }
    return value <= 1000 ? value : -1;
}

void http_wish_read(struct http_wish *wish, struct sh_bytes line)
{
    if (!wish->said)
        *wish = (struct http_wish){-1, -1, -1, -1, true};
    while (line.len > 0) {
        struct sh_bytes item = cut_at(&line, ',');
        struct sh_bytes name = trim(cut_at(&item, ';'));
        int value = item.len > 0 ? weight(trim(item)) : 1000;
        if (value < 0)
            continue; /* what is not understood is not asked for */
        if (same_word(name, "gzip") || same_word(name, "x-gzip"))
            wish->gzip = value;
        else if (same_word(name, "zstd"))
            wish->zstd = value;
        else if (same_word(name, "identity"))
            wish->identity = value;
        else if (same_word(name, "*"))
            wish->any = value;
    }
}

/* Nobody is answered 406: who forbids all that we have gets it plain. */
enum http_coding http_wish_best(const struct http_wish *wish)
{
    if (!wish->said)
        return HTTP_IDENTITY;
    int gzip = wish->gzip >= 0 ? wish->gzip : wish->any;
    int zstd = wish->zstd >= 0 ? wish->zstd : wish->any;
    int best = zstd >= gzip ? zstd : gzip;
    if (best <= 0 || wish->identity > best)
        return HTTP_IDENTITY;
    return zstd >= gzip ? HTTP_ZSTD : HTTP_GZIP;
}

const char *http_coding_name(enum http_coding coding)
{
    return coding == HTTP_ZSTD ? "zstd" : coding == HTTP_GZIP ? "gzip" : "identity";
}

bool http_is_packable(const char *content_type)
{
    struct sh_bytes rest = sh_bytes_of(content_type);
    struct sh_bytes type = trim(cut_at(&rest, ';'));
    const char *at = type.data;
    if (type.len > 5 && strncasecmp(at, "text/", 5) == 0)
        return true;
    if (type.len > 5 && (strncasecmp(at + type.len - 5, "+json", 5) == 0 ||
                         strncasecmp(at + type.len - 4, "+xml", 4) == 0))
        return true;
    return same_word(type, "application/json") || same_word(type, "application/xml") ||
           same_word(type, "application/x-ndjson") ||
           same_word(type, "application/javascript");
}

/* --- packing ---------------------------------------------------------------------- */

enum { GZIP_WINDOW = 15 + 16 };

static enum sh_err pack_gzip(struct http_packer *self, struct sh_bytes bytes, char *room,
                             size_t *size)
{
    z_stream *stream = self->gzip;
    if (!stream) {
        stream = sh_alloc(sizeof(*stream));
        if (!stream)
            return SH_NOMEM;
        if (deflateInit2(stream, Z_BEST_SPEED, Z_DEFLATED, GZIP_WINDOW, 8,
                         Z_DEFAULT_STRATEGY) != Z_OK) {
            sh_free(stream);
            return SH_NOMEM;
        }
        self->gzip = stream;
    } else if (deflateReset(stream) != Z_OK) {
        return SH_NOMEM;
    }
    /* zlib only reads, but older ones have no const */
    memcpy(&stream->next_in, &bytes.data, sizeof(stream->next_in));
    stream->avail_in = (uInt)bytes.len;
    stream->next_out = (void *)room;
    stream->avail_out = (uInt)*size;
    int rc = deflate(stream, Z_FINISH);
    *size -= stream->avail_out;
    return rc == Z_STREAM_END ? SH_OK : SH_TOOBIG;
}

static enum sh_err pack_zstd(struct http_packer *self, struct sh_bytes bytes, char *room,
                             size_t *size)
{
    if (!self->zstd)
        self->zstd = ZSTD_createCCtx();
    if (!self->zstd)
        return SH_NOMEM;
    size_t got = ZSTD_compressCCtx(self->zstd, room, *size, bytes.data, bytes.len, 1);
    if (ZSTD_isError(got))
        return SH_TOOBIG;
    *size = got;
    return SH_OK;
}

enum sh_err http_pack(struct http_packer *self, enum http_coding coding,
                      struct sh_bytes bytes, struct sh_buffer *out)
{
    size_t size = bytes.len; /* what does not fit into this is not worth it */
    if (size > UINT32_MAX / 2)
        return SH_TOOBIG;
    char *room = sh_buffer_reserve(out, size);
    if (!room)
        return SH_NOMEM;
    enum sh_err err = coding == HTTP_ZSTD ? pack_zstd(self, bytes, room, &size)
                                          : pack_gzip(self, bytes, room, &size);
    if (err == SH_OK)
        out->len += size;
    return err;
}

void http_packer_free(struct http_packer *self)
{
    if (self->gzip)
        (void)deflateEnd(self->gzip); /* drops what was pending */
    sh_free(self->gzip);
    ZSTD_freeCCtx(self->zstd);
    *self = (struct http_packer){0};
}
