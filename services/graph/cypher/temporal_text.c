/* Dates, times and durations as text. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>

#include "services/graph/cypher/calendar.h"
#include "services/graph/cypher/env.h"
#include "services/graph/cypher/temporal.h"

enum { ROOM = 200 };

struct line {
    char text[ROOM];
    size_t len;
};

__attribute__((format(printf, 2, 3))) static void put(struct line *line,
                                                      const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    int len = vsnprintf(line->text + line->len, ROOM - line->len, format, arguments);
    va_end(arguments);
    if (len > 0 && (size_t)len < ROOM - line->len)
        line->len += (size_t)len;
}

static void put_date(struct line *line, int64_t days)
{
    struct calendar_date date = calendar_date(days);
    const char *sign = date.year > 9999 ? "+" : "";
    int64_t size = date.year;
    if (date.year < 0) {
        sign = "-";
        size = -size;
    }
    put(line, "%s%04" PRId64 "-%02d-%02d", sign, size, (int)date.month, (int)date.day);
}

/* In thousandths, millionths or billionths, as few as it takes. */
static void put_time(struct line *line, int64_t seconds, int32_t nanos)
{
    put(line, "%02d:%02d", (int)(seconds / 3600), (int)(seconds / 60 % 60));
    if (seconds % 60 == 0 && nanos == 0)
        return;
    put(line, ":%02d", (int)(seconds % 60));
    if (nanos == 0)
        return;
    if (nanos % 1000000 == 0)
        put(line, ".%03d", nanos / 1000000);
    else if (nanos % 1000 == 0)
        put(line, ".%06d", nanos / 1000);
    else
        put(line, ".%09d", nanos);
}

static void put_offset(struct line *line, int32_t offset)
{
    int32_t size = offset < 0 ? -offset : offset;
    if (offset == 0) {
        put(line, "Z");
        return;
    }
    put(line, "%c%02d:%02d", offset < 0 ? '-' : '+', size / 3600, size / 60 % 60);
    if (size % 60 != 0)
        put(line, ":%02d", size % 60);
}

static void put_unit(struct line *line, int64_t amount, char unit)
{
    if (amount != 0)
        put(line, "%" PRId64 "%c", amount, unit);
}

static void put_seconds(struct line *line, int64_t seconds, int32_t nanos)
{
    bool negative = seconds < 0 || nanos < 0;
    char fraction[16];
    if (seconds == 0 && nanos == 0)
        return;
    put(line, "%s%" PRId64, negative ? "-" : "", seconds < 0 ? -seconds : seconds);
    if (nanos != 0) {
        int len =
            snprintf(fraction, sizeof(fraction), "%09d", nanos < 0 ? -nanos : nanos);
        while (len > 1 && fraction[len - 1] == '0')
            len--;
        put(line, ".%.*s", len, fraction);
    }
    put(line, "S");
}

static void put_duration(struct line *line, const struct cyv_temporal *duration)
{
    int64_t seconds = duration->seconds;
    int32_t nanos = duration->nanos;
    if (seconds < 0 && nanos > 0) { /* kept from the second below upwards */
        seconds++;
        nanos -= 1000000000;
    }
    put(line, "P");
    put_unit(line, duration->months / 12, 'Y');
    put_unit(line, duration->months % 12, 'M');
    put_unit(line, duration->days, 'D');
    if (seconds != 0 || nanos != 0)
        put(line, "T");
    put_unit(line, seconds / 3600, 'H');
    put_unit(line, seconds / 60 % 60, 'M');
    put_seconds(line, seconds % 60, nanos);
    if (line->len == 1)
        put(line, "T0S");
}

bool cy_temporal_text(struct cy_env *env, struct cy_value value, struct cy_value *out)
{
    struct line line = {.len = 0};
    const struct cyv_temporal *temporal = value.temporal;
    if (value.type == CYV_DURATION) {
        put_duration(&line, temporal);
        return cyv_copy(env, (struct sh_bytes){line.text, line.len}, out);
    }
    if (temporal_has_date(value.type))
        put_date(&line, temporal->days);
    if (temporal_has_date(value.type) && temporal_has_time(value.type))
        put(&line, "T");
    if (temporal_has_time(value.type))
        put_time(&line, temporal->seconds, temporal->nanos);
    if (temporal_has_zone(value.type))
        put_offset(&line, temporal->offset);
    if (temporal->zone.len > 0)
        put(&line, "[%.*s]", (int)temporal->zone.len, (const char *)temporal->zone.data);
    return cyv_copy(env, (struct sh_bytes){line.text, line.len}, out);
}
