#include "services/gateway/graphs/csv_header.h"

#include <strings.h>

struct parts {
    struct sh_bytes name;
    struct sh_bytes type;
    struct sh_bytes space;
};

static const struct {
    const char *name;
    enum csv_role role;
} roles[] = {
    {"ID", CSV_ID},          {"LABEL", CSV_LABEL},         {"EDGE_ID", CSV_EDGE_ID},
    {"START_ID", CSV_START}, {"END_ID", CSV_END},          {"TYPE", CSV_TYPE},
    {"IGNORE", CSV_IGNORE},  {"CLEARANCE", CSV_CLEARANCE}, {"DEPARTMENT", CSV_DEPARTMENT},
};

/* name:type(space){options} */
static struct parts split(struct sh_bytes field)
{
    struct parts parts = {.name = field};
    const char *text = field.len > 0 ? field.data : "";
    const char *colon = memrchr(text, ':', field.len);

    if (field.len == 0 || colon == NULL)
        return parts;
    /* "born:date{timezone:x}": the options may have a colon, too */
    const char *brace = memchr(text, '{', field.len);
    if (brace != NULL && brace < colon && text[field.len - 1] == '}')
        colon = memrchr(text, ':', (size_t)(brace - text));
    if (colon == NULL)
        return parts;
    parts.name.len = (size_t)(colon - text);
    parts.type = (struct sh_bytes){colon + 1, field.len - parts.name.len - 1};
    brace = memchr(parts.type.data, '{', parts.type.len);
    if (brace != NULL)
        parts.type.len = (size_t)(brace - colon) - 1;
    const char *open = memchr(parts.type.data, '(', parts.type.len);
    if (open != NULL && colon[parts.type.len] == ')') {
        parts.space.data = open + 1;
        parts.space.len = (size_t)(colon + parts.type.len - open) - 1;
        parts.type.len = (size_t)(open - colon) - 1;
    }
    return parts;
}

static bool find_role(struct sh_bytes type, enum csv_role *out)
{
    for (size_t i = 0; i < SH_COUNT(roles); i++)
        if (strlen(roles[i].name) == type.len &&
            strncasecmp(roles[i].name, type.data, type.len) == 0) {
            *out = roles[i].role;
            return true;
        }
    return false;
}

bool csv_is_header(const struct sh_bytes *fields, size_t count)
{
    bool found = false;

    for (size_t i = 0; i < count; i++) {
        struct parts parts = split(fields[i]);
        enum csv_role role = CSV_PROPERTY;
        enum reader_type type;
        bool known = parts.type.data == NULL || find_role(parts.type, &role) ||
                     reader_type(parts.type, &type) || parts.type.len > 2;
        if (!known)
            return false;
        found = found || role == CSV_ID || role == CSV_START;
    }
    return found;
}

static enum sh_err read_column(struct sh_bytes field, struct csv_column *out)
{
    out->text = sh_strndup(field.len > 0 ? field.data : "", field.len);
    if (out->text == NULL)
        return SH_NOMEM;
    struct parts parts = split((struct sh_bytes){out->text, field.len});
    struct sh_bytes type = parts.type;
    if (strlen(out->text) != field.len)
        return SH_INVALID; /* a NUL */
    out->space = parts.space;
    out->name = sh_strndup(parts.name.data, parts.name.len);
    if (out->name == NULL)
        return SH_NOMEM;
    if (type.data == NULL)
        return SH_OK;
    if (find_role(type, &out->role))
        return SH_OK;
    const char *text = type.data;
    out->list = type.len > 2 && memcmp(text + type.len - 2, "[]", 2) == 0;
    type.len -= out->list ? 2 : 0;
    return type.len == 0 || reader_type(type, &out->type) ? SH_OK : SH_INVALID;
}

static size_t count_role(const struct csv_header *header, enum csv_role role)
{
    size_t count = 0;

    for (size_t i = 0; i < header->count; i++)
        count += header->columns[i].role == role;
    return count;
}

enum sh_err csv_header_read(const struct sh_bytes *fields, size_t count,
                            struct csv_header *out, size_t *bad)
{
    enum sh_err err = SH_OK;

    csv_header_free(out);
    out->columns = sh_alloc_array(count + 1, sizeof(*out->columns));
    if (out->columns == NULL)
        return SH_NOMEM;
    out->count = count;
    for (size_t i = 0; i < count && err == SH_OK; i++) {
        *bad = i;
        err = read_column(fields[i], &out->columns[i]);
    }
    if (err != SH_OK)
        return err;
    out->edges = count_role(out, CSV_START) == 1 && count_role(out, CSV_END) == 1;
    *bad = 0;
    return out->edges || count_role(out, CSV_ID) == 1 ? SH_OK : SH_INVALID;
}

void csv_header_free(struct csv_header *header)
{
    for (size_t i = 0; i < header->count; i++) {
        sh_free(header->columns[i].name);
        sh_free(header->columns[i].text);
    }
    sh_free(header->columns);
    *header = (struct csv_header){0};
}
