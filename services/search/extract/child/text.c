#include "services/search/extract/child/readers.h"

static size_t length_to(const char *at, size_t len, char end)
{
    const char *found = memchr(at, end, len);
    return found == NULL ? len : (size_t)(found - at);
}

void read_text(struct sh_bytes text, struct out *out)
{
    const char *at = text.data;
    size_t left = text.len;
    uint32_t page = 1;

    if (left > 0 && memchr(at, '\f', left) != NULL)
        out_page(out, page);
    while (left > 0 && out->code == NULL) {
        size_t len = length_to(at, left, '\f');
        if (page >= out->limits.pages && len < left)
            out_refuse(out, OUT_LIMIT, "it has more than %u pages", out->limits.pages);
        out_text(out, (struct sh_bytes){at, len});
        at += len;
        left -= len;
        if (left > 0) {
            at++;
            left--;
            out_page(out, ++page);
            out->pages = page;
        }
    }
}
