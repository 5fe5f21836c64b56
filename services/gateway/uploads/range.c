#include "services/gateway/uploads/range.h"

#include <strings.h>

static void skip_space(struct sh_bytes *text)
{
    const char *data = text->data;

    while (text->len > 0 && (*data == ' ' || *data == '\t')) {
        data++;
        text->len--;
    }
    text->data = data;
}

/* False: no digit, or too large a number. */
static bool take_number(struct sh_bytes *text, uint64_t *out)
{
    const char *data = text->data;
    size_t used = 0;
    uint64_t value = 0;

    for (; used < text->len && data[used] >= '0' && data[used] <= '9'; used++) {
        if (used >= 18)
            return false;
        value = value * 10 + (uint64_t)(data[used] - '0');
    }
    *text = (struct sh_bytes){data + used, text->len - used};
    *out = value;
    return used > 0;
}

static bool take(struct sh_bytes *text, const char *word)
{
    size_t len = strlen(word);

    if (text->len < len || strncasecmp(text->data, word, len) != 0)
        return false;
    *text = (struct sh_bytes){(const char *)text->data + len, text->len - len};
    return true;
}

/* "-500": the last 500. */
static enum range_verdict read_suffix(struct sh_bytes text, uint64_t size,
                                      uint64_t *first, uint64_t *last)
{
    uint64_t count;

    if (!take_number(&text, &count))
        return RANGE_WHOLE;
    skip_space(&text);
    if (text.len > 0)
        return RANGE_WHOLE;
    if (count == 0 || size == 0)
        return RANGE_NOTHING;
    *first = count < size ? size - count : 0;
    *last = size - 1;
    return RANGE_PART;
}

enum range_verdict range_read(struct sh_bytes header, uint64_t size, uint64_t *first,
                              uint64_t *last)
{
    struct sh_bytes text = header;
    uint64_t from;
    uint64_t to = UINT64_MAX;

    if (!take(&text, "bytes="))
        return RANGE_WHOLE;
    skip_space(&text);
    if (take(&text, "-"))
        return read_suffix(text, size, first, last);
    if (!take_number(&text, &from) || !take(&text, "-"))
        return RANGE_WHOLE;
    bool open_ended = !take_number(&text, &to);
    skip_space(&text);
    if (text.len > 0 || (!open_ended && to < from))
        return RANGE_WHOLE;
    if (from >= size)
        return RANGE_NOTHING;
    *first = from;
    *last = open_ended || to >= size ? size - 1 : to;
    return RANGE_PART;
}

bool range_names(struct sh_bytes list, const char *tag, bool weak)
{
    size_t len = strlen(tag);

    skip_space(&list);
    if (list.len == 1 && *(const char *)list.data == '*')
        return true;
    while (list.len > 0) {
        bool is_weak = take(&list, "W/");
        const char *data = list.data;
        bool same = list.len >= len && memcmp(data, tag, len) == 0;
        if (same && (weak || !is_weak))
            return true;
        const char *comma = memchr(data, ',', list.len);
        if (comma == NULL)
            return false;
        list.len -= (size_t)(comma + 1 - data);
        list.data = comma + 1;
        skip_space(&list);
    }
    return false;
}
