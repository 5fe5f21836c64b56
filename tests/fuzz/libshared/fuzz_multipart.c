/* Bytes as a multipart/form-data message: the Content-Type up to the first LF, then the
 * body. The first byte says how the body is cut; however it is cut, the same must come
 * out, and no more data than went in. */
#include <stdlib.h>

#include "shared/multipart.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct digest {
    uint64_t value;
    size_t bytes;
    size_t parts;
    int open;
    enum sh_err err;
};

static void add(struct digest *digest, const void *data, size_t len)
{
    const unsigned char *at = data;
    for (size_t i = 0; i < len; i++)
        digest->value = (digest->value ^ at[i]) * 1099511628211u;
}

static void add_text(struct digest *digest, const char *text, size_t max)
{
    size_t len = strnlen(text, max);
    if (len == max)
        abort();
    for (size_t i = 0; i < len; i++)
        if ((unsigned char)text[i] < 0x20 || text[i] == 0x7f)
            abort();
    add(digest, text, len + 1);
}

static enum sh_err on_begin(void *arg, const struct sh_multipart_part *part)
{
    struct digest *digest = arg;
    if (digest->open++ != 0 || part->name[0] == '\0')
        abort();
    digest->parts++;
    add_text(digest, part->name, sizeof(part->name));
    add_text(digest, part->filename, sizeof(part->filename));
    if (strpbrk(part->filename, "/\\") || (part->filename[0] && !part->is_file))
        abort();
    return SH_OK;
}

static enum sh_err on_data(void *arg, struct sh_bytes piece)
{
    struct digest *digest = arg;
    if (digest->open != 1 || piece.len == 0)
        abort();
    digest->bytes += piece.len;
    add(digest, piece.data, piece.len);
    return SH_OK;
}

static enum sh_err on_end(void *arg)
{
    struct digest *digest = arg;
    if (digest->open-- != 1)
        abort();
    return SH_OK;
}

static struct digest run(struct sh_bytes type, const uint8_t *body, size_t len,
                         size_t step)
{
    static const struct sh_multipart_events events = {on_begin, on_data, on_end};
    static const struct sh_multipart_limits limits = {.parts = 8, .head_bytes = 512};
    struct digest digest = {0};
    struct sh_multipart *self;

    digest.err = sh_multipart_create(type, &limits, &events, &digest, &self);
    if (digest.err != SH_OK)
        return digest;
    for (size_t at = 0; at < len && digest.err == SH_OK; at += step) {
        size_t most = len - at < step ? len - at : step;
        digest.err = sh_multipart_feed(self, (struct sh_bytes){body + at, most});
    }
    if (digest.err == SH_OK)
        digest.err = sh_multipart_end(self);
    if ((digest.err == SH_OK && digest.open != 0) || digest.bytes > len ||
        (digest.err != SH_OK) != (sh_multipart_why(self)[0] != '\0'))
        abort();
    sh_multipart_free(&self);
    return digest;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint8_t *lf = size > 1 ? memchr(data + 1, '\n', size - 1) : NULL;
    if (lf == NULL)
        return 0;
    struct sh_bytes type = {data + 1, (size_t)(lf - data) - 1};
    size_t len = size - (size_t)(lf + 1 - data);
    struct digest whole = run(type, lf + 1, len, len + 1);
    struct digest cut = run(type, lf + 1, len, (size_t)data[0] + 1);

    if (whole.err != cut.err || whole.parts != cut.parts ||
        (whole.err == SH_OK && whole.value != cut.value))
        abort();
    return 0;
}
