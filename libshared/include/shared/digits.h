/* digits: whole numbers as decimal text, for what is written with every request: several
 * times as quick as printf. Any thread. */
#ifndef SHARED_DIGITS_H
#define SHARED_DIGITS_H

#include <stddef.h>
#include <stdint.h>

enum { SH_DIGITS_MAX = 20 };

/* How many characters were written; no NUL follows them. */
static inline size_t sh_digits(uint64_t value, char out[static SH_DIGITS_MAX])
{
    char text[SH_DIGITS_MAX];
    size_t at = sizeof(text);
    do {
        text[--at] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = at; i < sizeof(text); i++)
        out[i - at] = text[i];
    return sizeof(text) - at;
}

/* The same with a sign where there is one: a character more. */
static inline size_t sh_digits_signed(int64_t value, char out[static SH_DIGITS_MAX + 1])
{
    if (value >= 0)
        return sh_digits((uint64_t)value, out);
    out[0] = '-';
    return 1 + sh_digits(0 - (uint64_t)value, out + 1);
}

#endif
