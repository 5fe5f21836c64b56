#include "services/backup/pipeline/pack.h"

#include <zlib.h>
#include <zstd.h>

#include "shared/mem.h"

enum {
    PIECE = 256 * 1024,
    JOB = 1024 * 1024, /* of a thread of zstd: keeps a run small */
    WINDOW_LOG_MAX = 27,
    GZIP = 16, /* zlib: with gzip's head and checksum */
};

struct pack {
    struct pack_options options;
    bool unpack;
    bool begun; /* zlib's stream is set up */
    bool ended; /* unpacking: a whole frame has come */
    z_stream zlib;
    ZSTD_CCtx *packer;
    ZSTD_DCtx *unpacker;
    char piece[PIECE];
};

static const char *const names[] = {"none", "zstd", "gzip"};

bool pack_method_parse(const char *name, enum pack_method *out)
{
    for (size_t i = 0; name != NULL && i < SH_COUNT(names); i++)
        if (strcmp(name, names[i]) == 0) {
            *out = (enum pack_method)i;
            return true;
        }
    return false;
}

/* --- opening ---------------------------------------------------------------------- */

static bool open_zstd(struct pack *pack)
{
    if (pack->unpack) {
        pack->unpacker = ZSTD_createDCtx();
        return pack->unpacker != NULL &&
               !ZSTD_isError(ZSTD_DCtx_setParameter(pack->unpacker, ZSTD_d_windowLogMax,
                                                    WINDOW_LOG_MAX));
    }
    pack->packer = ZSTD_createCCtx();
    if (pack->packer == NULL ||
        ZSTD_isError(ZSTD_CCtx_setParameter(pack->packer, ZSTD_c_compressionLevel,
                                            pack->options.level)) ||
        ZSTD_isError(ZSTD_CCtx_setParameter(pack->packer, ZSTD_c_checksumFlag, 1)))
        return false;
    /* a library without threads says no, and is slower */
    if (pack->options.threads > 0 &&
        !ZSTD_isError(ZSTD_CCtx_setParameter(pack->packer, ZSTD_c_nbWorkers,
                                             (int)pack->options.threads)))
        (void)ZSTD_CCtx_setParameter(pack->packer, ZSTD_c_jobSize, JOB);
    return true;
}

static bool open_zlib(struct pack *pack)
{
    int level = pack->options.level > 9 ? 9 : pack->options.level;

    if (pack->unpack)
        pack->begun = inflateInit2(&pack->zlib, MAX_WBITS + GZIP) == Z_OK;
    else
        pack->begun = deflateInit2(&pack->zlib, level, Z_DEFLATED, MAX_WBITS + GZIP, 8,
                                   Z_DEFAULT_STRATEGY) == Z_OK;
    return pack->begun;
}

enum sh_err pack_open(const struct pack_options *options, bool unpack, struct pack **out)
{
    struct pack *pack = sh_alloc(sizeof(*pack));
    bool good = pack != NULL;

    *out = NULL;
    if (!good)
        return SH_NOMEM;
    pack->options = *options;
    pack->unpack = unpack;
    if (options->method == PACK_ZSTD)
        good = open_zstd(pack);
    else if (options->method == PACK_GZIP)
        good = open_zlib(pack);
    if (good)
        *out = pack;
    else
        pack_close(&pack);
    return good ? SH_OK : SH_NOMEM;
}

void pack_close(struct pack **at)
{
    struct pack *pack = *at;

    *at = NULL;
    if (pack == NULL)
        return;
    (void)ZSTD_freeCCtx(pack->packer);
    (void)ZSTD_freeDCtx(pack->unpacker);
    if (pack->begun)
        (void)(pack->unpack ? inflateEnd(&pack->zlib) : deflateEnd(&pack->zlib));
    sh_free(pack);
}

/* --- zstd ------------------------------------------------------------------------- */

static enum sh_err give(struct pack *pack, size_t len)
{
    struct sh_bytes bytes = {pack->piece, len};

    return len > 0 ? pack->options.out(pack->options.arg, bytes) : SH_OK;
}

static enum sh_err zstd_pack(struct pack *pack, struct sh_bytes bytes, bool last)
{
    ZSTD_inBuffer in = {bytes.data, bytes.len, 0};
    ZSTD_EndDirective how = last ? ZSTD_e_end : ZSTD_e_continue;
    enum sh_err err = SH_OK;
    size_t left;

    do {
        ZSTD_outBuffer out = {pack->piece, sizeof(pack->piece), 0};
        left = ZSTD_compressStream2(pack->packer, &out, &in, how);
        if (ZSTD_isError(left))
            return SH_NOMEM; /* nothing else can go wrong */
        err = give(pack, out.pos);
    } while (err == SH_OK && (last ? left != 0 : in.pos < in.size));
    return err;
}

static enum sh_err zstd_unpack(struct pack *pack, struct sh_bytes bytes, bool last)
{
    ZSTD_inBuffer in = {bytes.data, bytes.len, 0};
    enum sh_err err = SH_OK;
    bool full = false;

    while (err == SH_OK && (in.pos < in.size || full)) {
        ZSTD_outBuffer out = {pack->piece, sizeof(pack->piece), 0};
        if (pack->ended && in.pos < in.size)
            return SH_MALFORMED; /* something follows the frame */
        size_t left = ZSTD_decompressStream(pack->unpacker, &out, &in);
        if (ZSTD_isError(left))
            return SH_MALFORMED;
        pack->ended = left == 0;
        full = out.pos == out.size && !pack->ended;
        err = give(pack, out.pos);
    }
    return err == SH_OK && last && !pack->ended ? SH_MALFORMED : err;
}

/* --- zlib ------------------------------------------------------------------------- */

static enum sh_err zlib_add(struct pack *pack, struct sh_bytes bytes, bool last)
{
    z_stream *stream = &pack->zlib;
    enum sh_err err = SH_OK;
    int rc = Z_OK;

    stream->next_in = sh_unconst(bytes.data);
    stream->avail_in = (unsigned)bytes.len;
    do {
        stream->next_out = (unsigned char *)pack->piece;
        stream->avail_out = sizeof(pack->piece);
        if (pack->ended && stream->avail_in > 0)
            return SH_MALFORMED;
        if (!pack->ended)
            rc = pack->unpack ? inflate(stream, Z_NO_FLUSH)
                              : deflate(stream, last ? Z_FINISH : Z_NO_FLUSH);
        if (rc != Z_OK && rc != Z_STREAM_END && rc != Z_BUF_ERROR)
            return SH_MALFORMED;
        pack->ended = pack->ended || rc == Z_STREAM_END;
        err = give(pack, sizeof(pack->piece) - stream->avail_out);
    } while (err == SH_OK && (stream->avail_in > 0 || stream->avail_out == 0));
    return err == SH_OK && last && !pack->ended ? SH_MALFORMED : err;
}

enum sh_err pack_add(struct pack *pack, struct sh_bytes bytes, bool last)
{
    if (pack->options.method == PACK_NONE)
        return bytes.len > 0 ? pack->options.out(pack->options.arg, bytes) : SH_OK;
    if (pack->options.method == PACK_GZIP)
        return bytes.len > 0 || last ? zlib_add(pack, bytes, last) : SH_OK;
    return pack->unpack ? zstd_unpack(pack, bytes, last) : zstd_pack(pack, bytes, last);
}
