#include "shared/date.h"

struct scan {
    const char *at;
    const char *end;
};

static bool number(struct scan *scan, int digits, int least, int most, int *out)
{
    int value = 0;
    if (scan->end - scan->at < digits)
        return false;
    for (int i = 0; i < digits; i++) {
        char c = *scan->at++;
        if (c < '0' || c > '9')
            return false;
        value = value * 10 + (c - '0');
    }
    *out = value;
    return value >= least && value <= most;
}

static bool skip(struct scan *scan, char c)
{
    if (scan->at >= scan->end || *scan->at != c)
        return false;
    scan->at++;
    return true;
}

/* Days since 1970-01-01 in the Gregorian calendar: years are counted from March, so that
 * the leap day is the last day of a year. */
static int64_t days_from_civil(int year, int month, int day)
{
    int64_t y = year - (month <= 2);
    int64_t era = y / 400;
    int64_t of_era = y - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;
    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

static int days_in(int year, int month)
{
    static const int days[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
    return days[month - 1] + (month == 2 && leap);
}

static bool day(struct scan *scan, double *seconds)
{
    int year = 0;
    int month = 0;
    int of_month = 0;
    if (!number(scan, 4, 1, 9999, &year) || !skip(scan, '-') ||
        !number(scan, 2, 1, 12, &month) || !skip(scan, '-') ||
        !number(scan, 2, 1, days_in(year, month), &of_month))
        return false;
    *seconds = (double)days_from_civil(year, month, of_month) * 86400;
    return true;
}

static void fraction(struct scan *scan, double *seconds)
{
    double unit = 0.1;
    for (; scan->at < scan->end && *scan->at >= '0' && *scan->at <= '9'; scan->at++) {
        *seconds += unit * (*scan->at - '0');
        unit /= 10;
    }
}

static bool zone(struct scan *scan, double *seconds)
{
    int hours = 0;
    int minutes = 0;
    if (scan->at == scan->end)
        return true;
    if (skip(scan, 'Z') || skip(scan, 'z'))
        return true;
    bool east = skip(scan, '+');
    if (!east && !skip(scan, '-'))
        return false;
    if (!number(scan, 2, 0, 23, &hours))
        return false;
    skip(scan, ':');
    if (!number(scan, 2, 0, 59, &minutes))
        return false;
    double offset = hours * 3600.0 + minutes * 60.0;
    *seconds += east ? -offset : offset;
    return true;
}

static bool time_of_day(struct scan *scan, double *seconds)
{
    int hours = 0;
    int minutes = 0;
    int whole = 0;
    if (!number(scan, 2, 0, 23, &hours) || !skip(scan, ':') ||
        !number(scan, 2, 0, 59, &minutes))
        return false;
    if (skip(scan, ':')) {
        if (!number(scan, 2, 0, 60, &whole))
            return false;
        if (skip(scan, '.'))
            fraction(scan, seconds);
    }
    *seconds += hours * 3600.0 + minutes * 60.0 + whole;
    return zone(scan, seconds);
}

bool sh_date_parse(struct sh_bytes text, double *unix_seconds)
{
    const char *data = text.data;
    if (text.len < 10 || text.len > 40)
        return false;
    struct scan scan = {data, data + text.len};
    if (!day(&scan, unix_seconds))
        return false;
    if (scan.at == scan.end)
        return true;
    if (!skip(&scan, 'T') && !skip(&scan, 't') && !skip(&scan, ' '))
        return false;
    return time_of_day(&scan, unix_seconds) && scan.at == scan.end;
}
