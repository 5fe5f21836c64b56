#include "libshared/src/config_value.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "libshared/src/escape.h"
#include "libshared/src/number.h"

struct sh_bytes sh_config_item(const char *list, size_t n)
{
    while (*list != '\0' && *list != ';') {
        size_t len = strcspn(list, "|;");
        if (n-- == 0)
            return (struct sh_bytes){list, len};
        list += len;
        if (*list == '|')
            list++;
    }
    return (struct sh_bytes){0};
}

const char *sh_config_aliases(const struct sh_setting *row)
{
    if (row->type != SH_SETTING_choice)
        return row->extra;
    const char *end = strchr(row->extra, ';');
    return end ? end + 1 : "";
}

bool sh_config_is_text(const struct sh_setting *row)
{
    return row->type == SH_SETTING_str || row->type == SH_SETTING_choice ||
           row->type == SH_SETTING_url;
}

/* --- from text -------------------------------------------------------------------- */

static enum sh_err parse_str(const struct sh_setting *row, const char *text,
                             union sh_config_value *out)
{
    size_t len = strlen(text);
    out->text = text;
    if ((double)len < row->least || (row->most > 0 && (double)len > row->most))
        return SH_INVALID;
    if (row->flags & SH_SECRET)
        return SH_OK; /* a key may have lines */
    for (const char *at = text; *at != '\0'; at++) {
        if (iscntrl((unsigned char)*at))
            return SH_INVALID;
    }
    return SH_OK;
}

/* Loosely: a scheme, "://" and something behind. What it names is for others to judge,
 * but for the scheme of what is asked over HTTP. */
static enum sh_err parse_url(const struct sh_setting *row, const char *text,
                             union sh_config_value *out)
{
    const char *colon = strstr(text, "://");
    enum sh_err err = parse_str(row, text, out);
    if (err != SH_OK || (text[0] == '\0' && row->least <= 0))
        return err;
    if (!colon || colon[3] == '\0' || !isalpha((unsigned char)text[0]))
        return SH_INVALID;
    if (row->flags & SH_HTTP && strncasecmp(text, "http://", 7) != 0 &&
        strncasecmp(text, "https://", 8) != 0)
        return SH_INVALID;
    for (const char *at = text; at < colon; at++) {
        if (!isalnum((unsigned char)*at) && !strchr("+-.", *at))
            return SH_INVALID;
    }
    return strpbrk(text, " \t\r\n") ? SH_INVALID : SH_OK;
}

static enum sh_err parse_choice(const struct sh_setting *row, const char *text,
                                struct sh_arena *arena, union sh_config_value *out)
{
    struct sh_bytes item = sh_config_item(row->extra, 0);
    for (size_t n = 1; item.data; n++) {
        if (item.len == strlen(text) && strncasecmp(item.data, text, item.len) == 0) {
            out->text = sh_arena_strndup(arena, item.data, item.len);
            return out->text ? SH_OK : SH_NOMEM;
        }
        item = sh_config_item(row->extra, n);
    }
    return SH_INVALID;
}

static enum sh_err parse_f64(const struct sh_setting *row, const char *text, double *out)
{
    char *end;
    if (text[0] == '\0' || strspn(text, "0123456789+-.eE") != strlen(text))
        return SH_INVALID; /* strtod would take blanks, hex, inf and nan */
    errno = 0;
    *out = strtod(text, &end);
    if (*end != '\0' || errno == ERANGE || !isfinite(*out))
        return SH_INVALID;
    return *out < row->least || *out > row->most ? SH_INVALID : SH_OK;
}

static enum sh_err parse_u32(const struct sh_setting *row, const char *text,
                             uint32_t *out)
{
    double value;
    if (strspn(text, "0123456789") != strlen(text))
        return SH_INVALID;
    enum sh_err err = parse_f64(row, text, &value);
    if (err != SH_OK || value > (double)UINT32_MAX)
        return SH_INVALID;
    *out = (uint32_t)value; /* below 2^53 every whole number is exact */
    return SH_OK;
}

static enum sh_err parse_flag(const char *text, bool *out)
{
    static const char *const yes[] = {"true", "1", "yes", "on"};
    static const char *const no[] = {"false", "0", "no", "off"};
    for (size_t i = 0; i < SH_COUNT(yes); i++) {
        *out = strcasecmp(text, yes[i]) == 0;
        if (*out || strcasecmp(text, no[i]) == 0)
            return SH_OK;
    }
    return SH_INVALID;
}

static enum sh_err parse(const struct sh_setting *row, const char *text,
                         struct sh_arena *arena, union sh_config_value *out)
{
    switch (row->type) {
    case SH_SETTING_str:
        return parse_str(row, text, out);
    case SH_SETTING_choice:
        return parse_choice(row, text, arena, out);
    case SH_SETTING_url:
        return parse_url(row, text, out);
    case SH_SETTING_u32:
        return parse_u32(row, text, &out->u32);
    case SH_SETTING_f64:
        return parse_f64(row, text, &out->f64);
    case SH_SETTING_flag:
        return parse_flag(text, &out->flag);
    default:
        return SH_INTERNAL;
    }
}

static void name_fault(const struct sh_setting *row, const char *name, const char *text,
                       struct sh_buffer *faults)
{
    sh_buffer_printf(faults, "%s: ", name);
    if (row->flags & SH_SECRET || row->type == SH_SETTING_url) {
        sh_buffer_text(faults, "the value");
    } else {
        sh_buffer_json_text(faults, text);
    }
    sh_buffer_text(faults, " is not ");
    if (row->type == SH_SETTING_url)
        sh_buffer_text(faults, row->flags & SH_HTTP ? "an http(s) URL of " : "a URL of ");
    else if (row->type == SH_SETTING_u32)
        sh_buffer_text(faults, "a whole number, ");
    else if (row->type == SH_SETTING_f64)
        sh_buffer_text(faults, "a number, ");
    else if (row->type == SH_SETTING_str)
        sh_buffer_text(faults, "a text, without control characters, of ");
    sh_config_show_range(row, faults);
    sh_buffer_text(faults, "\n");
}

enum sh_err sh_config_parse(const struct sh_setting *row, const char *name,
                            const char *text, struct sh_arena *arena,
                            union sh_config_value *out, struct sh_buffer *faults)
{
    *out = (union sh_config_value){0};
    enum sh_err err = parse(row, text, arena, out);
    if (err == SH_INVALID)
        name_fault(row, name, text, faults);
    return err;
}

/* --- in the struct ---------------------------------------------------------------- */

union sh_config_value sh_config_get(const struct sh_setting *row, const void *from)
{
    const char *at = (const char *)from + row->offset;
    union sh_config_value value = {0};
    if (row->type == SH_SETTING_u32)
        memcpy(&value.u32, at, sizeof(value.u32));
    else if (row->type == SH_SETTING_f64)
        memcpy(&value.f64, at, sizeof(value.f64));
    else if (row->type == SH_SETTING_flag)
        memcpy(&value.flag, at, sizeof(value.flag));
    else
        memcpy(&value.text, at, sizeof(value.text));
    return value;
}

void sh_config_put(const struct sh_setting *row, union sh_config_value value, void *into)
{
    char *at = (char *)into + row->offset;
    if (row->type == SH_SETTING_u32)
        memcpy(at, &value.u32, sizeof(value.u32));
    else if (row->type == SH_SETTING_f64)
        memcpy(at, &value.f64, sizeof(value.f64));
    else if (row->type == SH_SETTING_flag)
        memcpy(at, &value.flag, sizeof(value.flag));
    else
        memcpy(at, &value.text, sizeof(value.text));
}

bool sh_config_same(const struct sh_setting *row, union sh_config_value a,
                    union sh_config_value b)
{
    if (row->type == SH_SETTING_u32)
        return a.u32 == b.u32;
    if (row->type == SH_SETTING_f64)
        return a.f64 == b.f64;
    if (row->type == SH_SETTING_flag)
        return a.flag == b.flag;
    return strcmp(a.text ? a.text : "", b.text ? b.text : "") == 0;
}
