#include "libshared/src/config_value.h"

#include "libshared/src/escape.h"
#include "libshared/src/number.h"

#define MASK "********"

static void show_text(const char *text, size_t len, struct sh_buffer *out)
{
    const char *end = text + len;
    char escaped[SH_ESCAPE_MAX];
    while (text < end) {
        if (*text == '"' || *text == '\\') { /* harmless here, and common in paths */
            sh_buffer_append(out, text++, 1);
            continue;
        }
        size_t width = sh_escape_next(&text, end, escaped);
        sh_buffer_append(out, escaped, width);
    }
}

/* Everything from the first ':' after "://" to the last '@', since a password may hold
 * what it should not; and the value of any password parameter. */
static void show_url(const char *url, struct sh_buffer *out)
{
    const char *start = strstr(url, "://");
    const char *at = strrchr(url, '@');
    const char *colon = start ? strchr(start + 3, ':') : NULL;
    if (colon && at && colon < at) {
        show_text(url, (size_t)(colon + 1 - url), out);
        sh_buffer_text(out, MASK);
        url = at;
    }
    for (const char *key; (key = strstr(url, "password=")); url += strcspn(url, "& ")) {
        key += strlen("password=");
        show_text(url, (size_t)(key - url), out);
        sh_buffer_text(out, MASK);
        url = key;
    }
    show_text(url, strlen(url), out);
}

static void show_number(double number, struct sh_buffer *out)
{
    char text[32];
    sh_number_text(number, text);
    sh_buffer_text(out, text);
}

void sh_config_show(const struct sh_setting *row, union sh_config_value value,
                    struct sh_buffer *out)
{
    if (sh_config_is_text(row) && !value.text)
        return;
    if (sh_config_is_text(row) && row->flags & SH_SECRET)
        sh_buffer_text(out, value.text[0] != '\0' ? MASK : "");
    else if (row->flags & SH_SECRET)
        sh_buffer_text(out, MASK);
    else if (row->type == SH_SETTING_u32)
        show_number(value.u32, out);
    else if (row->type == SH_SETTING_f64)
        show_number(value.f64, out);
    else if (row->type == SH_SETTING_flag)
        sh_buffer_text(out, value.flag ? "true" : "false");
    else if (row->type == SH_SETTING_url)
        show_url(value.text, out);
    else
        show_text(value.text, strlen(value.text), out);
}

static void show_choices(const char *list, struct sh_buffer *out)
{
    struct sh_bytes item = sh_config_item(list, 0);
    for (size_t n = 1; item.data; n++) {
        struct sh_bytes after = sh_config_item(list, n);
        if (n > 1)
            sh_buffer_text(out, after.data ? ", " : " or ");
        sh_buffer_append(out, item.data, item.len);
        item = after;
    }
}

static void show_bounds(const struct sh_setting *row, struct sh_buffer *out)
{
    show_number(row->least, out);
    sh_buffer_text(out, " to ");
    show_number(row->most, out);
}

void sh_config_show_range(const struct sh_setting *row, struct sh_buffer *out)
{
    if (row->type == SH_SETTING_choice) {
        show_choices(row->extra, out);
    } else if (row->type == SH_SETTING_flag) {
        sh_buffer_text(out, "true or false");
    } else if (row->type == SH_SETTING_u32 || row->type == SH_SETTING_f64) {
        show_bounds(row, out);
    } else if (row->most > 0) {
        show_bounds(row, out);
        sh_buffer_text(out, " characters");
    } else {
        show_number(row->least, out);
        sh_buffer_text(out, " or more characters");
    }
}
