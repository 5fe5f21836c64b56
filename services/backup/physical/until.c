#include "services/backup/physical/until.h"

#include <stdio.h>
#include <string.h>

#include "services/backup/wal/segment.h"
#include "shared/date.h"

enum { DIGITS_MOST = 6 }; /* PostgreSQL's times have no more behind the second */

/* It ends as "Z" or "+01:00": without a zone it would be the server's. */
static bool has_zone(const char *text)
{
    size_t len = strlen(text);
    char last = text[len - 1];

    return last == 'Z' || last == 'z' ||
           (len > 6 && strchr("+-", text[len - 6]) != NULL && text[len - 3] == ':');
}

static bool parse_time(const char *text, struct until *out)
{
    const char *point = strchr(text, '.');

    return strlen(text) > strlen("2026-01-31T12:00") && has_zone(text) &&
           (point == NULL || strspn(point + 1, "0123456789") <= DIGITS_MOST) &&
           sh_date_parse(sh_bytes_of(text), &out->at);
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
