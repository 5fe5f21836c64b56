/* digits: whole numbers as decimal text, for what is written with every request: several
 * times as quick as printf. Any thread. */
#ifndef SHARED_DIGITS_H
#define SHARED_DIGITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

enum { SH_DIGITS_MAX = 20 };

/* How many digits it has. */
static inline size_t sh_digits_count(uint64_t value)
{
    static const uint64_t powers[] = {1,
                                      10,
                                      100,
                                      1000,
                                      10000,
                                      100000,
                                      1000000,
                                      10000000,
                                      100000000,
                                      1000000000,
                                      10000000000,
                                      100000000000,
                                      1000000000000,
                                      10000000000000,
                                      100000000000000,
                                      1000000000000000,
                                      10000000000000000,
                                      100000000000000000,
                                      1000000000000000000,
                                      10000000000000000000U};
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned digits =
        bits * 1233 >> 12; /* log10(2) is 1233 / 4096; one too few, or not */

    return digits + ((value | 1) >= powers[digits]);
}

/* How many characters were written; no NUL follows them. */
static inline size_t sh_digits(uint64_t value, char out[static SH_DIGITS_MAX])
{
    static const char pairs[] = "00010203040506070809101112131415161718192021222324"
                                "25262728293031323334353637383940414243444546474849"
                                "50515253545556575859606162636465666768697071727374"
                                "75767778798081828384858687888990919293949596979899";
    size_t len = sh_digits_count(value);
    size_t at = len;

    for (; at > 1; value /= 100) {
        at -= 2;
        memcpy(out + at, pairs + value % 100 * 2, 2);
    }
    if (at > 0)
        out[0] = (char)('0' + value);
    return len;
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
