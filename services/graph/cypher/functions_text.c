/* Functions of strings. Positions and lengths count code points. */
#include <utf8proc.h>

#include "services/graph/cypher/functions_internal.h"
#include "services/graph/cypher/utf8.h"

static bool need_text(struct cy_env *env, const struct cy_expr *call,
                      struct cy_value value)
{
    return value.type == CYV_STRING || cy_bad_type(env, call, value);
}

/* A length or a position. */
static bool need_size(struct cy_env *env, const struct cy_expr *call,
                      struct cy_value value)
{
    if (value.type != CYV_INTEGER)
        return cy_bad_type(env, call, value);
    return value.integer >= 0 ||
           cy_bad_value(env, call, "%s() takes no negative number", call->function->name);
}

static struct cy_value part(struct sh_bytes text, size_t from, size_t to)
{
    return cyv_string(
        (struct sh_bytes){(const char *)text.data + from, to > from ? to - from : 0});
}

/* --- parts ------------------------------------------------------------------------ */

static bool call_left(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]) || !need_size(env, call, arguments[1]))
        return false;
    struct sh_bytes text = cyv_text(arguments[0]);
    *out = part(text, 0, utf8_offset(text, (size_t)arguments[1].integer));
    return true;
}

static bool call_right(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]) || !need_size(env, call, arguments[1]))
        return false;
    struct sh_bytes text = cyv_text(arguments[0]);
    size_t length = utf8_length(text);
    size_t wanted = (size_t)arguments[1].integer;
    *out = part(text, utf8_offset(text, wanted < length ? length - wanted : 0), text.len);
    return true;
}

static bool call_substring(struct cy_env *env, const struct cy_expr *call,
                           const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]) || !need_size(env, call, arguments[1]) ||
        (call->item_count > 2 && !need_size(env, call, arguments[2])))
        return false;
    struct sh_bytes text = cyv_text(arguments[0]);
    size_t from = utf8_offset(text, (size_t)arguments[1].integer);
    struct cy_value rest = part(text, from, text.len);
    *out = rest;
    if (call->item_count > 2)
        *out = part(cyv_text(rest), 0,
                    utf8_offset(cyv_text(rest), (size_t)arguments[2].integer));
    return true;
}

/* --- trimming --------------------------------------------------------------------- */

static bool is_space(struct sh_bytes text, size_t at)
{
    utf8proc_int32_t point;
    if (utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                         (utf8proc_ssize_t)(text.len - at), &point) <= 0)
        return false;
    utf8proc_category_t category = utf8proc_category(point);
    return category == UTF8PROC_CATEGORY_ZS || category == UTF8PROC_CATEGORY_ZL ||
           category == UTF8PROC_CATEGORY_ZP || (point >= 9 && point <= 13) ||
           (point >= 28 && point <= 31);
}

static struct cy_value trim(struct sh_bytes text, bool left, bool right)
{
    size_t from = 0;
    size_t to = 0;
    while (left && from < text.len && is_space(text, from))
        from = utf8_next(text, from);
    for (size_t at = from; at < text.len; at = utf8_next(text, at))
        if (!right || !is_space(text, at))
            to = utf8_next(text, at);
    return part(text, from, to);
}

static bool call_trim(struct cy_env *env, const struct cy_expr *call,
                      const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]))
        return false;
    *out = trim(cyv_text(arguments[0]), true, true);
    return true;
}

static bool call_ltrim(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]))
        return false;
    *out = trim(cyv_text(arguments[0]), true, false);
    return true;
}

static bool call_rtrim(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]))
        return false;
    *out = trim(cyv_text(arguments[0]), false, true);
    return true;
}

/* --- letters ---------------------------------------------------------------------- */

static bool map_letters(struct cy_env *env, struct sh_bytes text,
                        utf8proc_int32_t (*letter)(utf8proc_int32_t),
                        struct cy_value *out)
{
    char *copy = cy_array(env, text.len + 1, 4); /* a letter's other form may be longer */
    size_t len = 0;
    if (copy == NULL)
        return false;
    for (size_t at = 0; at < text.len;) {
        utf8proc_int32_t point;
        size_t next = utf8_next(text, at);
        if (utf8proc_iterate((const utf8proc_uint8_t *)text.data + at,
                             (utf8proc_ssize_t)(text.len - at), &point) > 0)
            len += (size_t)utf8proc_encode_char(letter(point),
                                                (utf8proc_uint8_t *)copy + len);
        else
            copy[len++] = ((const char *)text.data)[at];
        at = next;
    }
    *out = cyv_string((struct sh_bytes){copy, len});
    return true;
}

static bool call_upper(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    return need_text(env, call, arguments[0]) &&
           map_letters(env, cyv_text(arguments[0]), utf8proc_toupper, out);
}

static bool call_lower(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    return need_text(env, call, arguments[0]) &&
           map_letters(env, cyv_text(arguments[0]), utf8proc_tolower, out);
}

/* --- finding ---------------------------------------------------------------------- */

/* Where `part` is found from `from` on; text.len when it is not, or is empty. */
static size_t find(struct sh_bytes text, struct sh_bytes wanted, size_t from)
{
    if (wanted.len == 0 || text.len - from < wanted.len)
        return text.len;
    const char *found =
        memmem((const char *)text.data + from, text.len - from, wanted.data, wanted.len);
    return found ? (size_t)(found - (const char *)text.data) : text.len;
}

static size_t count_found(struct sh_bytes text, struct sh_bytes wanted)
{
    size_t count = 0;
    for (size_t at = find(text, wanted, 0); at < text.len;
         at = find(text, wanted, at + wanted.len))
        count++;
    return count;
}

static bool replace(struct cy_env *env, struct sh_bytes text, struct sh_bytes wanted,
                    struct sh_bytes with, struct cy_value *out)
{
    size_t count = count_found(text, wanted);
    size_t len = text.len - count * wanted.len + count * with.len;
    if (len > CYV_TEXT_MAX)
        return cy_fail(env, CY_OVER_BUDGET, NULL, (struct cy_at){0, 0},
                       "a string is over %d MB long", CYV_TEXT_MAX >> 20);
    char *copy = cy_alloc(env, len + 1);
    if (copy == NULL)
        return false;
    char *end = copy;
    size_t at = 0;
    for (size_t i = 0; i <= count; i++) {
        size_t next = i < count ? find(text, wanted, at) : text.len;
        if (next > at)
            end = mempcpy(end, (const char *)text.data + at, next - at);
        if (i < count && with.len > 0)
            end = mempcpy(end, with.data, with.len);
        at = next + wanted.len;
    }
    *out = cyv_string((struct sh_bytes){copy, len});
    return true;
}

static bool call_replace(struct cy_env *env, const struct cy_expr *call,
                         const struct cy_value *arguments, struct cy_value *out)
{
    for (uint32_t i = 0; i < 3; i++)
        if (!need_text(env, call, arguments[i]))
            return false;
    return replace(env, cyv_text(arguments[0]), cyv_text(arguments[1]),
                   cyv_text(arguments[2]), out);
}

/* By nothing at all: into its letters. */
static bool split_letters(struct cy_env *env, struct sh_bytes text, struct cy_value *out)
{
    size_t count = utf8_length(text);
    size_t at = 0;
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t next = utf8_next(text, at);
        items[i] = part(text, at, next);
        at = next;
    }
    return cyv_list(env, items, count, out);
}

static bool call_split(struct cy_env *env, const struct cy_expr *call,
                       const struct cy_value *arguments, struct cy_value *out)
{
    if (!need_text(env, call, arguments[0]) || !need_text(env, call, arguments[1]))
        return false;
    struct sh_bytes text = cyv_text(arguments[0]);
    struct sh_bytes by = cyv_text(arguments[1]);
    if (by.len == 0 && text.len > 0)
        return split_letters(env, text, out);
    size_t count = count_found(text, by) + 1;
    size_t at = 0;
    struct cy_value *items = cy_array(env, count, sizeof(*items));
    if (items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        size_t next = i + 1 < count ? find(text, by, at) : text.len;
        items[i] = part(text, at, next);
        at = next + by.len;
    }
    return cyv_list(env, items, count, out);
}

static const struct cy_function functions[] = {
    {"left", 2, 2, false, false, call_left},
    {"right", 2, 2, false, false, call_right},
    {"substring", 2, 3, false, false, call_substring},
    {"trim", 1, 1, false, false, call_trim},
    {"ltrim", 1, 1, false, false, call_ltrim},
    {"rtrim", 1, 1, false, false, call_rtrim},
    {"btrim", 1, 1, false, false, call_trim},
    {"toUpper", 1, 1, false, false, call_upper},
    {"upper", 1, 1, false, false, call_upper},
    {"toLower", 1, 1, false, false, call_lower},
    {"lower", 1, 1, false, false, call_lower},
    {"replace", 3, 3, false, false, call_replace},
    {"split", 2, 2, false, false, call_split},
};

const struct cy_function_table functions_text = {functions, SH_COUNT(functions)};
