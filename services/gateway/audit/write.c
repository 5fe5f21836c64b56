/* A record as bytes: written with every search, so that room is made once, and the fields
 * stand in the code one after another. */
#include <stddef.h>

#include "services/gateway/audit/record.h"
#include "services/gateway/json_out.h"
#include "shared/clock.h"
#include "shared/digits.h"

enum { SHORT = 8, TIME = 27, ESCAPED = 6 /* most bytes for one */ };

/* --- pieces; all return where the next one goes ----------------------------------- */

/* Most are short, where a call costs more than the copy. */
static inline char *put(char *at, const void *from, size_t len)
{
    const char *bytes = from;

    if (len > SHORT) {
        memcpy(at, bytes, len);
        return at + len;
    }
    for (size_t i = 0; i < len; i++)
        at[i] = bytes[i];
    return at + len;
}

static inline char *put_number(char *at, int64_t number)
{
    return at + sh_digits_signed(number, at);
}

/* 2026-01-31T12:00:00.123456Z, of the years 1970 to 9999. */
static char *put_time(char *at, int64_t us)
{
    char text[32];
    int64_t seconds = us / 1000000, rest = us % 1000000;

    sh_wall_text((double)seconds, text);
    memcpy(at, text, TIME);
    for (int i = TIME - 2; i >= TIME - 7; i--, rest /= 10)
        at[i] = (char)('0' + rest % 10);
    at[TIME - 1] = 'Z';
    return at + TIME;
}

static bool has_time(int64_t us)
{
    return us >= 0 && us < INT64_C(253402300800000000);
}

static char *put_for_copy(char *at, struct sh_bytes text)
{
    static const char escaped[] = "\\\t\n\r", by[] = "\\tnr";
    const char *bytes = text.data;

    for (size_t i = 0; i < text.len; i++) {
        const char *special = bytes[i] != '\0' ? strchr(escaped, bytes[i]) : NULL;
        if (special != NULL)
            *at++ = '\\';
        *at++ = *(special != NULL ? &by[special - escaped] : &bytes[i]);
    }
    return at;
}

/* --- room ------------------------------------------------------------------------- */

static const char start[] = "\",\"level\":\"INFO\",\"service\":\"gateway\","
                            "\"logger\":\"audit\",\"message\":\"audit\"";

#define ROOM_text(name)   texts += record->name.len;
#define ROOM_number(name) around += SH_DIGITS_MAX + 1;
#define ROOM(kind, name, max)                                                            \
    around += sizeof(",\"" #name "\":\"\"");                                             \
    ROOM_##kind(name)

/* For either form; NULL: out of memory. */
static char *make_room(const struct audit_record *record, bool plain,
                       struct sh_buffer *out)
{
    size_t around = (size_t)2 * TIME + sizeof start + sizeof "{\"timestamp\":\"}\n";
    size_t texts = 0;

    AUDIT_FIELDS(ROOM)
    ROOM(text, hash, 0)
    return sh_buffer_reserve(out, around + texts * (plain ? 1 : ESCAPED));
}

/* --- the row ---------------------------------------------------------------------- */

static inline char *put_cell(char *at, struct sh_bytes text, bool plain)
{
    at = plain ? put(at, text.data, text.len) : put_for_copy(at, text);
    *at++ = '\t';
    return at;
}

static inline char *put_number_cell(char *at, int64_t number)
{
    at = put_number(at, number);
    *at++ = '\t';
    return at;
}

static inline char *put_time_cell(char *at, int64_t us)
{
    at = has_time(us) ? put_time(at, us) : put_number(at, us);
    *at++ = '\t';
    return at;
}

#define CELL_text(name) at = put_cell(at, record->name, plain);
#define CELL_number(name)                                                                \
    at = offsetof(struct audit_record, name) == offsetof(struct audit_record, at_us)     \
             ? put_time_cell(at, record->name)                                           \
             : put_number_cell(at, record->name);
#define CELL(kind, name, max) CELL_##kind(name)

void audit_row(const struct audit_record *record, bool plain, struct sh_buffer *out)
{
    char *at = make_room(record, plain, out);

    if (at == NULL)
        return;
    AUDIT_FIELDS(CELL)
    out->len = (size_t)(at - 1 - out->data); /* no tab at the end */
}

/* --- the line --------------------------------------------------------------------- */

static char *put_for_json(const char *at, struct sh_bytes text, struct sh_buffer *out)
{
    out->len = (size_t)(at - out->data);
    json_text(out, text); /* there is room: nothing moves */
    return out->data + out->len;
}

static inline char *put_quoted(char *at, struct sh_bytes text)
{
    *at++ = '"';
    at = put(at, text.data, text.len);
    *at++ = '"';
    return at;
}

#define NAME(name)                                                                       \
    memcpy(at, ",\"" #name "\":", sizeof(",\"" #name "\":") - 1);                        \
    at += sizeof(",\"" #name "\":") - 1;
#define MEMBER_text(name)                                                                \
    at = plain ? put_quoted(at, record->name) : put_for_json(at, record->name, out);
#define MEMBER_number(name)     at = put_number(at, record->name);
#define MEMBER(kind, name, max) NAME(name) MEMBER_##kind(name)

void audit_line(const struct audit_record *record, bool plain, struct sh_buffer *out)
{
    static const char begin[] = "{\"timestamp\":\"";
    char time[32];
    char *at = make_room(record, plain, out);

    if (at == NULL)
        return;
    sh_wall_text((double)record->at_us / 1e6, time);
    memcpy(at, begin, sizeof begin - 1);
    at = put(at + sizeof begin - 1, time, strlen(time));
    memcpy(at, start, sizeof start - 1);
    at += sizeof start - 1;
    AUDIT_FIELDS(MEMBER)
    NAME(hash)
    MEMBER_text(hash) at = put(at, "}\n", 2);
    out->len = (size_t)(at - out->data);
}
