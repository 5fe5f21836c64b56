#include "services/search/ingest/moment.h"

#include <stdint.h>
#include <stdio.h>

struct reader {
    const char *at;
    const char *end;
};

static bool digits(struct reader *reader, int count, unsigned least, unsigned most,
                   unsigned *out)
{
    unsigned value = 0;

    if (reader->end - reader->at < count)
        return false;
    for (int i = 0; i < count; i++) {
        char c = *reader->at++;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (unsigned)(c - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

static bool one_of(struct reader *reader, const char *set, char *out)
{
    if (reader->at == reader->end || strchr(set, *reader->at) == NULL || !*reader->at)
        return false;
    *out = *reader->at++;
    return true;
}

static unsigned days_of(unsigned year, unsigned month)
{
    static const unsigned days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;

    return month == 2 && leap ? 29 : days[month - 1];
}

static bool date(struct reader *reader)
{
    unsigned year;
    unsigned month;
    unsigned day;
    char dash;

    return digits(reader, 4, 1, 9999, &year) && one_of(reader, "-", &dash) &&
           digits(reader, 2, 1, 12, &month) && one_of(reader, "-", &dash) &&
           digits(reader, 2, 1, days_of(year, month), &day);
}

static bool fraction(struct reader *reader)
{
    const char *start = reader->at;

    while (reader->at < reader->end && *reader->at >= '0' && *reader->at <= '9')
        reader->at++;
    return reader->at > start && reader->at - start <= 9;
}

static bool time_of_day(struct reader *reader)
{
    unsigned number;
    char c;

    if (!digits(reader, 2, 0, 23, &number) || !one_of(reader, ":", &c) ||
        !digits(reader, 2, 0, 59, &number))
        return false;
    if (!one_of(reader, ":", &c))
        return true;
    if (!digits(reader, 2, 0, 60, &number))
        return false;
    return !one_of(reader, ".", &c) || fraction(reader);
}

/* *zoned tells whether one was there. */
static bool zone(struct reader *reader, bool *zoned)
{
    unsigned number;
    char c;

    *zoned = reader->at < reader->end;
    if (!*zoned || one_of(reader, "Zz", &c))
        return true;
    return one_of(reader, "+-", &c) && digits(reader, 2, 0, 14, &number) &&
           one_of(reader, ":", &c) && digits(reader, 2, 0, 59, &number);
}

bool moment_parse(struct sh_bytes text, char out[static MOMENT_TEXT])
{
    struct reader reader = {text.data, (const char *)text.data + text.len};
    bool zoned = false;
    char c;

    if (text.len == 0 || text.len > MOMENT_TEXT - 16 || !date(&reader))
        return false;
    if (reader.at == reader.end) {
        (void)snprintf(out, MOMENT_TEXT, "%.10sT00:00:00Z", (const char *)text.data);
        return true;
    }
    if (!one_of(&reader, "Tt ", &c) || !time_of_day(&reader) || !zone(&reader, &zoned) ||
        reader.at != reader.end)
        return false;
    (void)snprintf(out, MOMENT_TEXT, "%.*s%s", (int)text.len, (const char *)text.data,
                   zoned ? "" : "Z");
    return true;
}
