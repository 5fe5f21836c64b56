/* utf8: text by its code points. What is not UTF-8 counts as one code point a byte. */
#ifndef CYPHER_UTF8_H
#define CYPHER_UTF8_H

#include <utf8proc.h>

#include "shared/bytes.h"

/* Where the code point behind that at `at` < text.len begins. */
static inline size_t utf8_next(struct sh_bytes text, size_t at)
{
    utf8proc_int32_t point;
    utf8proc_ssize_t len = utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                                            (utf8proc_ssize_t)(text.len - at), &point);
    return at + (len > 0 ? (size_t)len : 1);
}

static inline size_t utf8_length(struct sh_bytes text)
{
    size_t count = 0;
    for (size_t at = 0; at < text.len; at = utf8_next(text, at))
        count++;
    return count;
}

/* Where code point `index` begins; text.len when there are no more than that. */
static inline size_t utf8_offset(struct sh_bytes text, size_t index)
{
    size_t at = 0;
    for (; index > 0 && at < text.len; index--)
        at = utf8_next(text, at);
    return at;
}

#endif
