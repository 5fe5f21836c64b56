#include "services/backup/schedule/cron.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "shared/bytes.h"

enum { FIELDS = 5, TEXT_MAX = 256, DAYS_AHEAD = 3660, MINUTE_S = 60, DAY_S = 86400 };

struct field {
    const char *name;
    unsigned least;
    unsigned most;
    const char *const *names; /* of `least` and those that follow */
};

static const char *const months[] = {"jan", "feb", "mar", "apr", "may", "jun", "jul",
                                     "aug", "sep", "oct", "nov", "dec", NULL};
static const char *const weekdays[] = {"sun", "mon", "tue", "wed",
                                       "thu", "fri", "sat", NULL};
static const struct field fields[FIELDS] = {{"minute", 0, 59, NULL},
                                            {"hour", 0, 23, NULL},
                                            {"day", 1, 31, NULL},
                                            {"month", 1, 12, months},
                                            {"weekday", 0, 7, weekdays}};

/* --- reading ---------------------------------------------------------------------- */

static enum sh_err wrong(char fault[static 128], const struct field *field,
                         const char *text)
{
    (void)snprintf(fault, 128, "%s: \"%.40s\" makes no sense", field->name, text);
    return SH_INVALID;
}

static bool take_number(const struct field *field, const char **at, unsigned *out)
{
    const char *text = *at;

    for (unsigned i = 0; field->names != NULL && field->names[i] != NULL; i++)
        if (strncasecmp(text, field->names[i], 3) == 0) {
            *out = field->least + i;
            *at = text + 3;
            return true;
        }
    if (*text < '0' || *text > '9')
        return false;
    for (*out = 0; *text >= '0' && *text <= '9'; text++)
        if ((*out = *out * 10 + (unsigned)(*text - '0')) > 99)
            return false;
    *at = text;
    return *out >= field->least && *out <= field->most;
}

/* One of a list: *, 5, 5-8, each perhaps with /2. */
static bool take_range(const struct field *field, const char *text, uint64_t *bits)
{
    unsigned from = field->least;
    unsigned to = field->most;
    unsigned step = 1;

    if (*text == '*') {
        text++;
    } else {
        if (!take_number(field, &text, &from))
            return false;
        to = from;
        if (*text == '-' && (text++, !take_number(field, &text, &to)))
            return false;
        if (*text == '/' && to == from)
            to = field->most; /* 5/10: from 5 on */
    }
    if (*text == '/') {
        char *end = NULL;
        unsigned long value =
            text[1] >= '0' && text[1] <= '9' ? strtoul(text + 1, &end, 10) : 0;
        if (value == 0 || value > 99)
            return false;
        step = (unsigned)value;
        text = end;
    }
    for (unsigned i = from; i <= to; i += step)
        *bits |= (uint64_t)1 << i;
    return *text == '\0' && from <= to;
}

static enum sh_err take_field(const struct field *field, char *text, uint64_t *bits,
                              char fault[static 128])
{
    char *rest = NULL;
    char copy[TEXT_MAX];

    (void)snprintf(copy, sizeof(copy), "%s", text);
    *bits = 0;
    if (text[0] == ',' || text[strlen(text) - 1] == ',' || strstr(text, ",,") != NULL)
        return wrong(fault, field, copy);
    for (char *one = strtok_r(text, ",", &rest); one != NULL;
         one = strtok_r(NULL, ",", &rest))
        if (!take_range(field, one, bits))
            return wrong(fault, field, copy);
    return *bits != 0 ? SH_OK : wrong(fault, field, copy);
}

static const char *expand(const char *text)
{
    static const struct {
        const char *name;
        const char *means;
    } known[] = {{"@hourly", "0 * * * *"},   {"@daily", "0 0 * * *"},
                 {"@midnight", "0 0 * * *"}, {"@weekly", "0 0 * * 0"},
                 {"@monthly", "0 0 1 * *"},  {"@yearly", "0 0 1 1 *"},
                 {"@annually", "0 0 1 1 *"}};

    for (size_t i = 0; i < SH_COUNT(known); i++)
        if (strcasecmp(text, known[i].name) == 0)
            return known[i].means;
    return text;
}

static void fill(struct cron *out, const uint64_t bits[FIELDS])
{
    out->minutes = bits[0];
    out->hours = (uint32_t)bits[1];
    out->days = (uint32_t)bits[2];
    out->months = (uint16_t)bits[3];
    out->weekdays = (uint8_t)((bits[4] & 0x7f) | (bits[4] >> 7 & 1)); /* 7: Sunday */
}

enum sh_err cron_parse(const char *text, struct cron *out, char fault[static 128])
{
    char copy[TEXT_MAX];
    char *rest = NULL;
    uint64_t bits[FIELDS];
    size_t count = 0;
    enum sh_err err = SH_OK;

    *out = (struct cron){0};
    text = expand(text);
    if (strlen(text) >= sizeof(copy)) {
        (void)snprintf(fault, 128, "too long");
        return SH_INVALID;
    }
    memcpy(copy, text, strlen(text) + 1);
    for (char *one = strtok_r(copy, " \t", &rest); one != NULL && err == SH_OK;
         one = strtok_r(NULL, " \t", &rest), count++) {
        if (count == 2)
            out->any_day = one[0] == '*';
        if (count == 4)
            out->any_weekday = one[0] == '*';
        if (count < FIELDS)
            err = take_field(&fields[count], one, &bits[count], fault);
    }
    if (err == SH_OK && count != FIELDS) {
        (void)snprintf(fault, 128, "it has %zu fields, not five", count);
        err = SH_INVALID;
    }
    if (err == SH_OK)
        fill(out, bits);
    return err;
}

/* --- the next time ---------------------------------------------------------------- */

/* Dates and times are reckoned as the clock on the wall shows them, as if that were UTC;
 * only wall_time() knows of zones. */

static bool day_fits(const struct cron *cron, const struct tm *tm)
{
    bool day = (cron->days >> tm->tm_mday & 1) != 0;
    bool weekday = (cron->weekdays >> tm->tm_wday & 1) != 0;

    if ((cron->months >> (tm->tm_mon + 1) & 1) == 0)
        return false;
    if (cron->any_day || cron->any_weekday)
        return day && weekday; /* a star fits always, one with a step as it says */
    return day || weekday;
}

/* What the clock is ahead of UTC then. */
static time_t ahead(time_t at)
{
    struct tm tm;

    return localtime_r(&at, &tm) != NULL ? tm.tm_gmtoff : 0;
}

/* The first moment at which the clock shows `shown`, or where it leaps over that. The
 * clock is changed once in two days at most. */
static time_t wall_time(time_t shown)
{
    time_t before = ahead(shown - DAY_S);
    time_t after = ahead(shown + DAY_S);
    time_t low = shown - after;
    time_t high = shown - before;

    if (ahead(high) == before)
        return high;
    if (ahead(low) == after)
        return low;
    while (high - low > 1) { /* the leap is behind `low`, at the latest at `high` */
        time_t middle = low + (high - low) / 2;
        if (ahead(middle) == after)
            high = middle;
        else
            low = middle;
    }
    return high;
}

static time_t first_of_day(const struct cron *cron, time_t midnight, time_t after)
{
    for (int hour = 0; hour < 24; hour++) {
        if ((cron->hours >> hour & 1) == 0)
            continue;
        for (int minute = 0; minute < 60; minute++) {
            if ((cron->minutes >> minute & 1) == 0)
                continue;
            time_t at = wall_time(midnight + (hour * 60 + minute) * (time_t)MINUTE_S);
            if (at > after)
                return at;
        }
    }
    return 0;
}

time_t cron_next(const struct cron *cron, time_t after)
{
    time_t shown = after + ahead(after);
    time_t midnight = shown - shown % DAY_S;

    for (int i = 0; i < DAYS_AHEAD; i++, midnight += DAY_S) {
        struct tm day;
        if (gmtime_r(&midnight, &day) == NULL)
            return 0;
        time_t at = day_fits(cron, &day) ? first_of_day(cron, midnight, after) : 0;
        if (at != 0)
            return at;
    }
    return 0;
}
