#include "services/backup/physical/until.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#include "services/backup/wal/segment.h"

enum { HOUR_S = 3600, MINUTE_S = 60, DIGITS_MOST = 6 };

static bool two_digits(const char *text, int most, int *out)
{
    if (text[0] < '0' || text[0] > '9' || text[1] < '0' || text[1] > '9')
        return false;
    *out = (text[0] - '0') * 10 + (text[1] - '0');
    return *out <= most;
}

/* "Z", "+01:00". */
static bool take_zone(const char *rest, double *at)
{
    int hours, minutes;

    if (strcmp(rest, "Z") == 0 || strcmp(rest, "z") == 0)
        return true;
    if ((rest[0] != '+' && rest[0] != '-') || strlen(rest) != 6 || rest[3] != ':' ||
        !two_digits(rest + 1, 23, &hours) || !two_digits(rest + 4, 59, &minutes))
        return false;
    int seconds = hours * HOUR_S + minutes * MINUTE_S;
    *at -= rest[0] == '+' ? seconds : -seconds;
    return true;
}

static bool parse_time(const char *text, struct until *out)
{
    struct tm tm = {0};
    const char *rest = strptime(text, "%Y-%m-%d", &tm);
    double unit = 1;

    if (rest == NULL || (*rest != 'T' && *rest != 't' && *rest != ' '))
        return false;
    rest = strptime(rest + 1, "%H:%M:%S", &tm);
    if (rest == NULL)
        return false;
    out->at = (double)timegm(&tm);
    if (*rest == '.')
        for (int i = 0; *++rest >= '0' && *rest <= '9'; i++) {
            unit /= 10;
            if (i >= DIGITS_MOST) /* PostgreSQL's times have no more */
                return false;
            out->at += unit * (*rest - '0');
        }
    return take_zone(rest, &out->at);
}

enum sh_err until_parse(const char *text, struct until *out)
{
    *out = (struct until){.kind = UNTIL_SET};
    if (text[0] == '\0' || strcmp(text, "set") == 0)
        return SH_OK;
    if (strcmp(text, "latest") == 0) {
        out->kind = UNTIL_LATEST;
        return SH_OK;
    }
    if (strlen(text) + 2 >= sizeof(out->text)) /* a Z becomes three */
        return SH_INVALID;
    (void)snprintf(out->text, sizeof(out->text), "%s", text);
    if (lsn_parse(text, &out->lsn)) {
        out->kind = UNTIL_POSITION;
    } else if (parse_time(text, out)) {
        size_t last = strlen(out->text) - 1;
        out->kind = UNTIL_TIME;
        if (out->text[last] == 'Z' || out->text[last] == 'z') /* settings know no Z */
            memcpy(out->text + last, "+00", sizeof("+00"));
    } else {
        return SH_INVALID;
    }
    return SH_OK;
}
