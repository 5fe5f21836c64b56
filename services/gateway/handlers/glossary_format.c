/* The formats of a glossary: their names, types and endings. */
#include <strings.h>

#include "services/gateway/handlers/glossary.h"

static const struct glossary_format formats[] = {
    {"csv", "text/csv; charset=utf-8", "csv", {"text/csv", NULL}},
    {"xlsx",
     "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
     "xlsx",
     {"application/vnd.openxmlformats-officedocument.spreadsheetml.sheet", NULL}},
    {"json",
     "application/json",
     "json",
     {"application/json", "application/x-ndjson", "application/jsonl", NULL}},
    {"tbx",
     "application/x-tbx+xml",
     "tbx",
     {"application/x-tbx+xml", "application/x-tbx", NULL}},
    {"skos", "application/rdf+xml", "rdf", {"application/rdf+xml", NULL}},
};

const struct glossary_format *glossary_format(struct sh_bytes name)
{
    if (sh_bytes_is(name, "ndjson"))
        name = sh_bytes_of("json");
    for (size_t i = 0; i < SH_COUNT(formats); i++)
        if (sh_bytes_is(name, formats[i].name))
            return &formats[i];
    return NULL;
}

static bool begins(struct sh_bytes text, const char *with)
{
    size_t len = strlen(with);

    return text.len >= len && strncasecmp(text.data, with, len) == 0 &&
           (text.len == len || strchr("; \t", ((const char *)text.data)[len]) != NULL);
}

const struct glossary_format *glossary_format_of_type(struct sh_bytes type)
{
    for (size_t i = 0; i < SH_COUNT(formats); i++)
        for (size_t k = 0; formats[i].types[k] != NULL; k++)
            if (begins(type, formats[i].types[k]))
                return &formats[i];
    return NULL;
}

const struct glossary_format *glossary_format_of_name(struct sh_bytes name)
{
    static const struct {
        const char *ending;
        const char *format;
    } endings[] = {{".csv", "csv"},     {".xlsx", "xlsx"}, {".json", "json"},
                   {".ndjson", "json"}, {".tbx", "tbx"},   {".rdf", "skos"},
                   {".skos", "skos"}};

    for (size_t i = 0; i < SH_COUNT(endings); i++) {
        size_t len = strlen(endings[i].ending);
        if (name.len > len && strncasecmp((const char *)name.data + name.len - len,
                                          endings[i].ending, len) == 0)
            return glossary_format(sh_bytes_of(endings[i].format));
    }
    return NULL;
}
