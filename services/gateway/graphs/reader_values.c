/* Values as texts say them. */
#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <strings.h>

#include "services/gateway/graphs/reader_internal.h"

struct sh_bytes *reader_split(struct graph_reader *reader, struct sh_bytes text,
                              char separator, char escape, size_t *count)
{
    const char *from = text.data;
    size_t most = 1;
    for (size_t i = 0; i < text.len; i++)
        most += from[i] == separator;
    struct sh_bytes *parts = sh_arena_array(&reader->arena, most + 1, sizeof(*parts));
    char *copy = sh_arena_alloc(&reader->arena, text.len + 1);

    *count = 0;
    if (parts == NULL || copy == NULL) {
        (void)reader_no_memory(reader);
        return NULL;
    }
    parts[0] = (struct sh_bytes){copy, 0};
    for (size_t i = 0; i < text.len; i++) {
        if (from[i] == separator) {
            parts[++*count] = (struct sh_bytes){copy, 0};
            continue;
        }
        i += escape != 0 && from[i] == escape && i + 1 < text.len;
        *copy++ = from[i];
        parts[*count].len++;
    }
    ++*count;
    return parts;
}

bool reader_type(struct sh_bytes name, enum reader_type *out)
{
    static const struct {
        const char *name;
        enum reader_type type;
    } types[] = {
        {"string", READER_STRING},
        {"char", READER_STRING},
        {"int", READER_INTEGER},
        {"integer", READER_INTEGER},
        {"long", READER_INTEGER},
        {"short", READER_INTEGER},
        {"byte", READER_INTEGER},
        {"float", READER_FLOAT},
        {"double", READER_FLOAT},
        {"boolean", READER_BOOLEAN},
        {"json", READER_JSON},
        {"date", READER_STRING},
        {"localtime", READER_STRING},
        {"time", READER_STRING},
        {"localdatetime", READER_STRING},
        {"datetime", READER_STRING},
        {"duration", READER_STRING},
        {"point", READER_STRING},
    };

    for (size_t i = 0; i < SH_COUNT(types); i++)
        if (strlen(types[i].name) == name.len &&
            strncasecmp(types[i].name, name.data, name.len) == 0) {
            *out = types[i].type;
            return true;
        }
    return false;
}

enum { NUMBER_MAX = 400 };

static json_t *read_number(struct sh_bytes text, bool whole)
{
    char copy[NUMBER_MAX + 1];
    char *end = NULL;

    if (text.len == 0 || text.len > NUMBER_MAX)
        return NULL;
    memcpy(copy, text.data, text.len);
    copy[text.len] = '\0';
    if (strspn(copy, "+-.0123456789eE") != text.len)
        return NULL; /* no "inf", no "0x1p3" */
    errno = 0;
    if (whole) {
        long long value = strtoll(copy, &end, 10);
        return *end == '\0' && end != copy && errno == 0 ? json_integer(value) : NULL;
    }
    double value = strtod(copy, &end);
    return *end == '\0' && end != copy && isfinite(value) ? json_real(value) : NULL;
}

static json_t *read_boolean(struct sh_bytes text)
{
    if (text.len == 4 && strncasecmp(text.data, "true", 4) == 0)
        return json_true();
    if (text.len == 5 && strncasecmp(text.data, "false", 5) == 0)
        return json_false();
    return NULL;
}

json_t *reader_value(struct sh_bytes text, enum reader_type type)
{
    const char *data = text.len > 0 ? text.data : "";

    switch (type) {
    case READER_INTEGER:
    case READER_FLOAT:
        return read_number(text, type == READER_INTEGER);
    case READER_BOOLEAN:
        return read_boolean(text);
    case READER_JSON:
        return json_loadb(data, text.len, JSON_DECODE_ANY | JSON_REJECT_DUPLICATES, NULL);
    case READER_STRING:
        break;
    }
    return memchr(data, 0, text.len) == NULL ? json_stringn(data, text.len) : NULL;
}
