#include "services/gateway/audit/record.h"

#include <stddef.h>
#include <utf8proc.h>

#include "shared/digits.h"

#define AUDIT_FIELD(kind, name, max)                                                     \
    {AUDIT_##kind, #name, offsetof(struct audit_record, name), max},
const struct audit_field audit_fields[] = {AUDIT_FIELDS(AUDIT_FIELD)};
const size_t audit_fields_count = SH_COUNT(audit_fields);
_Static_assert(SH_COUNT(audit_fields) <= AUDIT_FIELDS_MAX, "more fields than expected");

struct sh_bytes audit_text(const struct audit_record *record,
                           const struct audit_field *field)
{
    const void *at = (const char *)record + field->offset;
    return *(const struct sh_bytes *)at;
}

int64_t audit_number(const struct audit_record *record, const struct audit_field *field)
{
    const void *at = (const char *)record + field->offset;
    return *(const int64_t *)at;
}

struct sh_bytes *audit_text_at(struct audit_record *record,
                               const struct audit_field *field)
{
    void *at = (char *)record + field->offset;
    return at;
}

int64_t *audit_number_at(struct audit_record *record, const struct audit_field *field)
{
    void *at = (char *)record + field->offset;
    return at;
}

/* --- cleaning --------------------------------------------------------------------- */

static bool deceptive(int32_t c)
{
    return c < 0x20 || (c >= 0x7f && c < 0xa0) || (c >= 0x200b && c <= 0x200f) ||
           (c >= 0x2028 && c <= 0x202e) || (c >= 0x2066 && c <= 0x2069) || c == 0xfeff;
}

bool audit_is_plain(struct sh_bytes text, size_t max)
{
    const uint64_t ones = UINT64_C(0x0101010101010101);
    const uint64_t tops = ones << 7;
    const uint8_t *bytes = text.data;
    size_t i = 0;

    for (; i + sizeof(uint64_t) <= text.len; i += sizeof(uint64_t)) {
        uint64_t eight;
        memcpy(&eight, bytes + i, sizeof eight);
        /* a byte that is less, or the same, borrows its top bit */
        if ((eight | (eight - ones * 0x20) | ((eight ^ ones * '"') - ones) |
             ((eight ^ ones * '\\') - ones) | ((eight ^ ones * 0x7f) - ones)) &
            tops)
            return false;
    }
    for (; i < text.len; i++)
        if (bytes[i] < 0x20 || bytes[i] >= 0x7f || bytes[i] == '"' || bytes[i] == '\\')
            return false;
    return text.len <= max;
}

static size_t plain(const uint8_t *text, size_t len)
{
    size_t i = 0;
    while (i < len && text[i] >= 0x20 && text[i] < 0x7f)
        i++;
    return i;
}

void audit_clean(struct sh_bytes text, size_t max, struct sh_buffer *out)
{
    static const char replaced[] = "\xef\xbf\xbd";
    const uint8_t *at = text.data;
    const uint8_t *end = at + text.len;
    size_t left = max;

    while (at < end && left > 0) {
        size_t len = plain(at, (size_t)(end - at) < left ? (size_t)(end - at) : left);
        utf8proc_int32_t c = 0;
        const void *piece = at;
        size_t size = len;
        if (len == 0) {
            utf8proc_ssize_t took = utf8proc_iterate(at, end - at, &c);
            bool bad = took <= 0 || deceptive(c);
            len = took > 0 ? (size_t)took : 1;
            size = bad ? sizeof replaced - 1 : len;
            piece = bad ? (const void *)replaced : at;
        }
        if (size > left)
            return;
        sh_buffer_append(out, piece, size);
        at += len;
        left -= size;
    }
}

/* --- as it was hashed ------------------------------------------------------------- */

static void put_counted(struct sh_buffer *out, struct sh_bytes text)
{
    char *at = sh_buffer_reserve(out, SH_DIGITS_MAX + 1 + text.len + 1);
    if (at == NULL)
        return;
    size_t len = sh_digits(text.len, at);
    at[len++] = ':';
    if (text.len > 0)
        memcpy(at + len, text.data, text.len);
    len += text.len;
    at[len++] = ',';
    out->len += len;
}

static struct sh_bytes number_text(int64_t number, char out[static SH_DIGITS_MAX + 1])
{
    return (struct sh_bytes){out, sh_digits_signed(number, out)};
}

void audit_canonical(const struct audit_record *record, struct sh_buffer *out)
{
    char number[24];

    sh_buffer_text(out, "cairn-audit-1\n");
    for (size_t i = 0; i < audit_fields_count; i++) {
        const struct audit_field *field = &audit_fields[i];
        put_counted(out, field->kind == AUDIT_text
                             ? audit_text(record, field)
                             : number_text(audit_number(record, field), number));
    }
}

/* --- read back -------------------------------------------------------------------- */

static bool read_text(const json_t *object, const char *name, struct sh_bytes *out)
{
    const json_t *value = json_object_get(object, name);
    if (!json_is_string(value))
        return false;
    *out = (struct sh_bytes){json_string_value(value), json_string_length(value)};
    return true;
}

static bool read_fields(const json_t *object, struct audit_record *record)
{
    for (size_t i = 0; i < audit_fields_count; i++) {
        const struct audit_field *field = &audit_fields[i];
        const json_t *value = json_object_get(object, field->name);
        if (field->kind == AUDIT_number && json_is_integer(value))
            *audit_number_at(record, field) = json_integer_value(value);
        else if (field->kind == AUDIT_number ||
                 !read_text(object, field->name, audit_text_at(record, field)))
            return false;
    }
    return read_text(object, "hash", &record->hash);
}

/* Whether the record makes this very line: then nothing in it is beside the record. */
static bool makes(const struct audit_record *record, struct sh_bytes line)
{
    struct sh_buffer again = {0};
    audit_line(record, false, &again);
    bool same = again.err == SH_OK && again.len > 0 &&
                sh_bytes_equal((struct sh_bytes){again.data, again.len - 1}, line);
    sh_buffer_free(&again);
    return same;
}

bool audit_parse(struct sh_bytes line, struct audit_record *record, json_t **json)
{
    *json = json_loadb(line.data, line.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(*json) && read_fields(*json, record) && makes(record, line))
        return true;
    json_decref(*json);
    *json = NULL;
    return false;
}
