#include "services/gateway/json_out.h"

#include <math.h>
#include <stdio.h>

#include "shared/clock.h"

/* What stands for a byte below 0x20, a quote or a backslash. */
static void escape(struct sh_buffer *out, unsigned char byte)
{
    switch (byte) {
    case '"':
        sh_buffer_append(out, "\\\"", 2);
        return;
    case '\\':
        sh_buffer_append(out, "\\\\", 2);
        return;
    case '\n':
        sh_buffer_append(out, "\\n", 2);
        return;
    case '\r':
        sh_buffer_append(out, "\\r", 2);
        return;
    case '\t':
        sh_buffer_append(out, "\\t", 2);
        return;
    default:
        sh_buffer_printf(out, "\\u%04x", byte);
    }
}

/* How many of the first bytes certainly need no escape; eight are looked at at a time. */
static size_t plain(struct sh_bytes text)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    const unsigned char *data = text.data;
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= text.len; i += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, data + i, sizeof eight);
        uint64_t quote = eight ^ ones * '"';
        uint64_t slash = eight ^ ones * '\\';
        /* a byte that is less: borrowing sets its top bit, unless it had it before */
        if ((((eight - ones * 0x20) & ~eight) | ((quote - ones) & ~quote) |
             ((slash - ones) & ~slash)) &
            tops)
            break;
    }
    while (i < text.len && data[i] >= 0x20 && data[i] != '"' && data[i] != '\\')
        i++;
    return i;
}

void json_text(struct sh_buffer *out, struct sh_bytes text)
{
    const unsigned char *data = text.data;
    size_t start = 0;
    size_t i = plain(text);
    char *room = i == text.len ? sh_buffer_reserve(out, text.len + 2) : NULL;

    if (room != NULL) { /* nearly always */
        room[0] = room[text.len + 1] = '"';
        if (text.len > 0)
            memcpy(room + 1, data, text.len);
        out->len += text.len + 2;
        return;
    }
    sh_buffer_append(out, "\"", 1);
    while (i < text.len) {
        sh_buffer_append(out, data + start, i - start);
        escape(out, data[i]);
        start = i + 1;
        i = start + plain((struct sh_bytes){data + start, text.len - start});
    }
    if (text.len > start)
        sh_buffer_append(out, data + start, text.len - start);
    sh_buffer_append(out, "\"", 1);
}

void json_cstr(struct sh_buffer *out, const char *text)
{
    json_text(out, sh_bytes_of(text));
}

void json_member(struct sh_buffer *out, const char *name)
{
    if (out->len > 0 && out->data[out->len - 1] != '{')
        sh_buffer_append(out, ",", 1);
    json_cstr(out, name);
    sh_buffer_append(out, ":", 1);
}

void json_member_text(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    json_member(out, name);
    json_text(out, text);
}

static size_t digits_of(uint64_t value, char out[static 20])
{
    char reversed[20];
    size_t count = 0;

    do {
        reversed[count++] = (char)('0' + value % 10);
        value /= 10;
    } while (value > 0);
    for (size_t i = 0; i < count; i++)
        out[i] = reversed[count - 1 - i];
    return count;
}

void json_u64(struct sh_buffer *out, uint64_t value)
{
    char digits[20];
    sh_buffer_append(out, digits, digits_of(value, digits));
}

void json_bool(struct sh_buffer *out, bool value)
{
    sh_buffer_text(out, value ? "true" : "false");
}

static const double tens[] = {1,   1e1, 1e2, 1e3,  1e4,  1e5,  1e6,
                              1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13};

/* `whole` / 10^places without zeros at the end. */
static size_t write_decimal(uint64_t whole, size_t places, char *out)
{
    char digits[20];
    size_t count = digits_of(whole, digits);
    size_t len = 0;
    if (count <= places)
        out[len++] = '0';
    for (size_t i = 0; i + places < count; i++)
        out[len++] = digits[i];
    out[len++] = '.';
    for (size_t i = count; i < places; i++)
        out[len++] = '0';
    for (size_t i = count > places ? count - places : 0; i < count; i++)
        out[len++] = digits[i];
    while (out[len - 1] == '0')
        len--;
    return out[len - 1] == '.' ? len - 1 : len;
}

/* What printf's %.*f would write of a value from 2e-5 to below 10^(digits - 1), of so
 * many significant digits, at most nine, without zeros at the end. 0: the value lies so
 * close between two decimals that only printf can tell. The product is exact to 1e-16,
 * far below what so many digits tell apart. */
static size_t fast_decimal(double value, size_t digits, char *out)
{
    size_t places = 1;
    while (value * tens[places] < tens[digits - 1])
        places++;
    double scaled = value * tens[places];
    uint64_t whole = (uint64_t)scaled;
    double rest = scaled - (double)whole - 0.5;
    if (fabs(rest) < 1e-5)
        return 0;
    return write_decimal(whole + (rest > 0), places, out);
}

/* printf takes five times as long, and an answer has dozens of numbers. */
static bool write_fast(struct sh_buffer *out, double value, size_t digits, double least)
{
    double size = fabs(value);
    if (digits > 9 || !(size >= least && size < tens[digits - 1]))
        return false;
    char *end = sh_buffer_reserve(out, 34);
    if (end == NULL)
        return true; /* the buffer knows */
    size_t sign = value < 0;
    size_t len = fast_decimal(size, digits, end + sign);
    if (sign > 0)
        end[0] = '-';
    out->len += len > 0 ? sign + len : 0;
    return len > 0;
}

void json_number(struct sh_buffer *out, double value, int digits)
{
    if (!isfinite(value))
        sh_buffer_text(out, "null");
    else if (!write_fast(out, value, (size_t)digits, 1e-4)) /* below: with an exponent */
        sh_buffer_printf(out, "%.*g", digits, value);
}

void json_float(struct sh_buffer *out, float value)
{
    if (!write_fast(out, (double)value, 9, 2e-5))
        json_number(out, (double)value, 9);
}

void json_raw(struct sh_buffer *out, struct sh_bytes json, const char *fallback)
{
    if (json.len > 0)
        sh_buffer_append(out, json.data, json.len);
    else
        sh_buffer_text(out, fallback);
}

void json_time(struct sh_buffer *out, double unix_seconds)
{
    char text[32];

    if (unix_seconds <= 0) {
        sh_buffer_text(out, "null");
        return;
    }
    sh_wall_text(unix_seconds, text);
    json_cstr(out, text);
}

void json_pagination(struct sh_buffer *out, uint32_t page, uint32_t per_page,
                     uint64_t total)
{
    uint64_t pages = total / per_page + (total % per_page > 0);

    json_member(out, "pagination");
    sh_buffer_printf(out,
                     "{\"page\":%u,\"per_page\":%u,\"total_count\":%llu,"
                     "\"total_pages\":%llu,\"has_next\":%s,\"has_prev\":%s}",
                     page, per_page, (unsigned long long)total, (unsigned long long)pages,
                     page < pages ? "true" : "false", page > 1 ? "true" : "false");
}
