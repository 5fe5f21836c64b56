#include "services/backup/wal/segment.h"

#include <ctype.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { NAME_DIGITS = 24, HALF_DIGITS = 8 };

bool segment_size_ok(uint64_t size)
{
    return size >= SEGMENT_SIZE_LEAST && size <= SEGMENT_SIZE_MOST &&
           (size & (size - 1)) == 0;
}

static uint64_t in_a_log(uint64_t size)
{
    return (UINT64_C(1) << 32) / size;
}

/* At most eight digits. */
static bool parse_half(const char *text, size_t digits, uint32_t *out)
{
    char half[HALF_DIGITS + 1];

    if (digits == 0 || digits > HALF_DIGITS)
        return false;
    for (size_t i = 0; i < digits; i++)
        if (!isxdigit((unsigned char)text[i]))
            return false;
    memcpy(half, text, digits);
    half[digits] = '\0';
    *out = (uint32_t)strtoul(half, NULL, 16);
    return true;
}

bool segment_parse(const char *name, uint64_t size, struct segment *out)
{
    uint32_t timeline, log, low;

    if (!segment_size_ok(size) || strlen(name) != NAME_DIGITS ||
        !parse_half(name, HALF_DIGITS, &timeline) ||
        !parse_half(name + HALF_DIGITS, HALF_DIGITS, &log) ||
        !parse_half(name + (size_t)2 * HALF_DIGITS, HALF_DIGITS, &low) || timeline == 0 ||
        low >= in_a_log(size))
        return false;
    *out = (struct segment){timeline, log * in_a_log(size) + low};
    return true;
}

void segment_name(struct segment segment, uint64_t size, char out[static SEGMENT_NAME])
{
    uint64_t each = in_a_log(size);

    (void)snprintf(out, SEGMENT_NAME, "%08X%08X%08X", segment.timeline,
                   (uint32_t)(segment.number / each), (uint32_t)(segment.number % each));
}

bool lsn_parse(const char *text, uint64_t *out)
{
    const char *slash = text != NULL ? strchr(text, '/') : NULL;
    uint32_t high, low;

    if (slash == NULL || !parse_half(text, (size_t)(slash - text), &high) ||
        !parse_half(slash + 1, strlen(slash + 1), &low))
        return false;
    *out = (uint64_t)high << 32 | low;
    return true;
}

void lsn_text(uint64_t lsn, char out[static LSN_TEXT])
{
    (void)snprintf(out, LSN_TEXT, "%X/%X", (uint32_t)(lsn >> 32), (uint32_t)lsn);
}
