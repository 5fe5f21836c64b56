#include "libshared/src/number.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SCALE = 1000000, DECIMALS = 6 };

/* Writes the digits of `value` so that they end before `end`, at least `width` of them;
 * returns where they begin. */
static char *digits(char *end, int width, unsigned long long value)
{
    while (value > 0 || width > 0) {
        *--end = (char)('0' + value % 10);
        value /= 10;
        width--;
    }
    return end;
}

/* `scaled` millionths, without zeros at the end. */
static void write_decimal(long long scaled, char out[static 32])
{
    char text[32];
    char *end = text + sizeof(text) - 1;
    unsigned long long size =
        scaled < 0 ? 0 - (unsigned long long)scaled : (unsigned long long)scaled;
    char *point = digits(end, DECIMALS, size % SCALE) - 1;
    char *start = digits(point, 1, size / SCALE);

    *point = '.';
    while (end[-1] == '0')
        end--;
    if (end[-1] == '.')
        end--;
    *end = '\0';
    if (scaled < 0)
        *--start = '-';
    memcpy(out, start, (size_t)(end + 1 - start));
}

void sh_number_text(double value, char out[static 32])
{
    /* Whole numbers and those of a few decimals are most of them; a division gives the
     * double nearest to the decimal, so the text reads back as the same value. */
    if (value > -1e9 && value < 1e9) {
        double shifted = value * SCALE;
        long long scaled = (long long)(shifted < 0 ? shifted - 0.5 : shifted + 0.5);
        if ((double)scaled / SCALE == value) {
            write_decimal(scaled, out);
            return;
        }
    }
    if (value > -1e15 && value < 1e15 && value == (double)(long long)value) {
        (void)snprintf(out, 32, "%lld", (long long)value); /* %g would write 1e+09 */
        return;
    }
    for (int precision = 15; precision <= 17; precision++) {
        (void)snprintf(out, 32, "%.*g", precision, value);
        if (strtod(out, NULL) == value)
            return;
    }
}
