#include "libshared/src/number.h"

#include <stdio.h>
#include <stdlib.h>

void sh_number_text(double value, char out[static 32])
{
    /* Whole numbers are most of them, and %g would write 1e+06. */
    if (value > -1e15 && value < 1e15 && value == (double)(long long)value) {
        (void)snprintf(out, 32, "%lld", (long long)value);
        return;
    }
    for (int digits = 15; digits <= 17; digits++) {
        (void)snprintf(out, 32, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            return;
    }
}
