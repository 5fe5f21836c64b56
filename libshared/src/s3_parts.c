/* s3_parts: uploads in parts
 * (https://docs.aws.amazon.com/AmazonS3/latest/userguide/mpuoverview.html). Each part
 * goes with its SHA-256, for S3 to compare and to keep, so that a later look at the parts
 * tells which of them need not be sent again. Parameters of queries in the order of their
 * names: so they are signed. */
#include <fcntl.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>

#include "s3_call.h"

enum { HASH = 32, HEX = 2 * HASH };

/* "?PARAMETERS&uploadId=UPLOAD" behind the key. */
static struct sh_s3_call *make_upload_call(struct sh_s3 *s3, enum s3_operation operation,
                                           const char *key, const char *parameters,
                                           const char *upload)
{
    struct sh_buffer query = {0};
    struct sh_s3_call *call = NULL;

    sh_buffer_printf(&query, "?%suploadId=", parameters);
    s3_escape(&query, upload, "");
    sh_buffer_append(&query, "", 1);
    if (query.err == SH_OK)
        call = s3_call_make_key(s3, operation, key, query.data);
    sh_buffer_free(&query);
    return call;
}

static bool upload_ok(const char *upload)
{
    size_t len = strlen(upload);

    return len > 0 && len < SH_S3_UPLOAD_MAX;
}

enum sh_err sh_s3_upload_begin(struct sh_s3 *s3, const char *key, sh_s3_done_fn *done,
                               void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key))
        return SH_INVALID;
    struct sh_s3_call *call = s3_call_make_key(s3, S3_BEGIN, key, "?uploads=");
    if (call == NULL)
        return SH_NOMEM;
    (void)snprintf(call->type_line, sizeof(call->type_line),
                   "Content-Type: application/octet-stream");
    (void)snprintf(call->extra_line, sizeof(call->extra_line),
                   "x-amz-checksum-algorithm: SHA256");
    return s3_call_start(call, done, arg, out);
}

/* False: these are no hex digits of a SHA-256. */
static bool to_base64(const char *hex, unsigned char out[static 48])
{
    unsigned char bytes[HASH];

    if (strlen(hex) != HEX || strspn(hex, "0123456789abcdef") != HEX)
        return false;
    for (size_t i = 0; i < HASH; i++) {
        unsigned value = 0;
        for (size_t j = 0; j < 2; j++) {
            char digit = hex[2 * i + j];
            value =
                value * 16 + (unsigned)(digit <= '9' ? digit - '0' : digit - 'a' + 10);
        }
        bytes[i] = (unsigned char)value;
    }
    (void)EVP_EncodeBlock(out, bytes, HASH); /* 44 characters and a NUL */
    return true;
}

enum sh_err sh_s3_upload_put(struct sh_s3 *s3, const char *key,
                             const struct sh_s3_piece *piece, sh_s3_done_fn *done,
                             void *arg, struct sh_s3_call **out)
{
    unsigned char base64[48];
    char parameters[40];

    if (!s3_key_ok(key) || !upload_ok(piece->upload) || piece->number == 0 ||
        piece->number > SH_S3_PARTS_MAX || !to_base64(piece->sha256, base64))
        return SH_INVALID;
    (void)snprintf(parameters, sizeof(parameters), "partNumber=%u&", piece->number);
    struct sh_s3_call *call =
        make_upload_call(s3, S3_PUT, key, parameters, piece->upload);
    if (call == NULL)
        return SH_NOMEM;
    call->size = piece->size;
    call->offset = piece->offset;
    (void)snprintf(call->hash_line, sizeof(call->hash_line), "x-amz-content-sha256: %s",
                   piece->sha256);
    (void)snprintf(call->extra_line, sizeof(call->extra_line),
                   "x-amz-checksum-sha256: %s", (const char *)base64);
    (void)snprintf(call->type_line, sizeof(call->type_line),
                   "Content-Type: application/octet-stream");
    call->fd = fcntl(piece->fd, F_DUPFD_CLOEXEC, 0);
    if (call->fd < 0) {
        s3_call_drop(call);
        return SH_IO;
    }
    return s3_call_start(call, done, arg, out);
}

enum sh_err sh_s3_upload_parts(struct sh_s3 *s3, const char *key, const char *upload,
                               sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key) || !upload_ok(upload))
        return SH_INVALID;
    return s3_call_start(make_upload_call(s3, S3_PARTS, key, "", upload), done, arg, out);
}

static void list_parts(struct sh_buffer *xml, const struct sh_s3_whole *whole)
{
    sh_buffer_text(xml, "<CompleteMultipartUpload "
                        "xmlns=\"http://s3.amazonaws.com/doc/2006-03-01/\">");
    for (size_t i = 0; i < whole->count; i++) {
        const struct sh_s3_part *part = &whole->parts[i];
        char etag[sizeof(part->etag)];
        size_t len = 0;
        for (const char *c = part->etag; *c != '\0'; c++) /* quoted, hex and a dash */
            if (strchr("\"<>&", *c) == NULL)
                etag[len++] = *c;
        sh_buffer_printf(xml,
                         "<Part><PartNumber>%u</PartNumber><ETag>&quot;%.*s&quot;</ETag>"
                         "<ChecksumSHA256>%s</ChecksumSHA256></Part>",
                         part->number, (int)len, etag, part->sha256);
    }
    sh_buffer_text(xml, "</CompleteMultipartUpload>");
}

static bool set_hash(struct sh_s3_call *call)
{
    unsigned char hash[EVP_MAX_MD_SIZE];
    char hex[HEX + 1];

    if (call->body.err != SH_OK ||
        EVP_Digest(call->body.data, call->body.len, hash, NULL, EVP_sha256(), NULL) != 1)
        return false;
    for (size_t i = 0; i < HASH; i++)
        (void)snprintf(hex + 2 * i, 3, "%02x", hash[i]);
    (void)snprintf(call->hash_line, sizeof(call->hash_line), "x-amz-content-sha256: %s",
                   hex);
    return true;
}

enum sh_err sh_s3_upload_complete(struct sh_s3 *s3, const char *key,
                                  const struct sh_s3_whole *whole, sh_s3_done_fn *done,
                                  void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key) || !upload_ok(whole->upload) || whole->count == 0)
        return SH_INVALID;
    for (size_t i = 0; i < whole->count; i++)
        if (strpbrk(whole->parts[i].sha256, "<>&") != NULL)
            return SH_INVALID;
    struct sh_s3_call *call = make_upload_call(s3, S3_COMPLETE, key, "", whole->upload);
    if (call == NULL)
        return SH_NOMEM;
    list_parts(&call->body, whole);
    (void)snprintf(call->type_line, sizeof(call->type_line),
                   "Content-Type: application/xml");
    if (!set_hash(call)) {
        s3_call_drop(call);
        return SH_NOMEM;
    }
    return s3_call_start(call, done, arg, out);
}

enum sh_err sh_s3_upload_abort(struct sh_s3 *s3, const char *key, const char *upload,
                               sh_s3_done_fn *done, void *arg, struct sh_s3_call **out)
{
    if (!s3_key_ok(key) || !upload_ok(upload))
        return SH_INVALID;
    return s3_call_start(make_upload_call(s3, S3_DELETE, key, "", upload), done, arg,
                         out);
}

enum sh_err sh_s3_uploads(struct sh_s3 *s3, const char *prefix, sh_s3_done_fn *done,
                          void *arg, struct sh_s3_call **out)
{
    struct sh_buffer url = {0};

    if (strlen(prefix) > SH_S3_KEY_MAX)
        return SH_INVALID;
    sh_buffer_printf(&url, "%s?max-uploads=%d&prefix=", s3->base, SH_S3_LIST_MAX);
    s3_escape(&url, prefix, "");
    sh_buffer_text(&url, "&uploads=");
    return s3_call_start(s3_call_make(s3, S3_UPLOADS, &url), done, arg, out);
}
