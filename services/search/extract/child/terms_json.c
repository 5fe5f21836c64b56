/* A glossary as JSON: an array of entries, or one after the other (NDJSON). Only one
 * entry at a time is made a value of: where it ends is found by its braces. */
#include <jansson.h>

#include "services/search/extract/child/terms_out.h"

enum { ENTRY_BYTES = 1 << 20 };

static void take_text(struct terms_out *terms, enum terms_field field,
                      const json_t *value)
{
    char number[24];

    if (json_is_string(value)) {
        terms_set(terms, field,
                  (struct sh_bytes){json_string_value(value), json_string_length(value)});
    } else if (json_is_integer(value) && field == TERMS_clearance_level) {
        (void)snprintf(number, sizeof(number), "%lld",
                       (long long)json_integer_value(value));
        terms_set(terms, field, sh_bytes_of(number));
    } else if (json_is_object(value) && field == TERMS_metadata) {
        char *text = json_dumps(value, JSON_COMPACT);
        terms_set(terms, field, sh_bytes_of(text));
        free(text);
    } else if (!json_is_null(value)) {
        terms_wrong(terms, terms_field_names[field], "it is of another type");
    }
}

static void take_link(struct terms_out *terms, const json_t *link)
{
    static const char *const known[] = {"SYNONYM_OF",     "BROADER",
                                        "NARROWER",       "RELATED",
                                        "TRANSLATION_OF", "ABBREVIATION_OF"};
    const char *type = json_string_value(json_object_get(link, "type"));
    const json_t *to = json_object_get(link, "to");

    for (size_t i = 0; type != NULL && i < SH_COUNT(known); i++)
        if (strcmp(type, known[i]) == 0 && json_is_string(to)) {
            terms_link(terms, known[i],
                       (struct sh_bytes){json_string_value(to), json_string_length(to)});
            return;
        }
    terms_wrong(terms, "relations", "each has a type that is known, and \"to\"");
}

static void take(struct terms_out *terms, const json_t *entry)
{
    const json_t *relations = json_object_get(entry, "relations");
    const json_t *one;
    size_t index;

    for (int i = 0; i < TERMS_FIELD_COUNT; i++) {
        const json_t *value = json_object_get(entry, terms_field_names[i]);
        if (value != NULL)
            take_text(terms, (enum terms_field)i, value);
    }
    json_array_foreach(relations, index, one)
    {
        take_link(terms, one);
    }
}

static void take_entry(struct terms_out *terms, struct sh_bytes text)
{
    json_t *entry = NULL;

    if (text.len > ENTRY_BYTES)
        terms_wrong(terms, NULL, "it is too long");
    else
        entry = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(entry))
        take(terms, entry);
    else
        terms_wrong(terms, NULL, "it is not a JSON object");
    json_decref(entry);
}

static void read_entry(struct terms_out *terms, uint64_t line, struct sh_bytes text)
{
    terms_begin(terms, line);
    if (!terms->counting)
        take_entry(terms, text);
    terms_end(terms);
}

/* Where the object that begins at `at` ends; file.len: nowhere. */
static size_t end_of(struct sh_bytes file, size_t at, uint64_t *lines)
{
    const char *text = file.data;
    size_t depth = 0;
    bool quoted = false;

    for (; at < file.len; at++) {
        char c = text[at];
        *lines += c == '\n';
        if (quoted) {
            at += c == '\\';
            quoted = c != '"';
        } else if (c == '"') {
            quoted = true;
        } else if (c == '{' || c == '[') {
            depth++;
        } else if ((c == '}' || c == ']') && --depth == 0) {
            return at + 1;
        }
    }
    return file.len;
}

/* To the end of a line that is no entry. */
static size_t skip_line(struct sh_bytes file, size_t at)
{
    const char *found = memchr((const char *)file.data + at, '\n', file.len - at);

    return found == NULL ? file.len : (size_t)(found - (const char *)file.data);
}

void terms_read_json(struct sh_bytes file, struct terms_out *terms)
{
    const char *text = file.data;
    uint64_t line = 1;
    size_t at = 0;

    if (file.len >= 3 && memcmp(file.data, "\xef\xbb\xbf", 3) == 0)
        at = 3;
    while (at < file.len && terms->out.code == NULL) {
        char c = text[at];
        uint64_t begun = line;
        size_t end = at + 1;

        if (c == '{') {
            end = end_of(file, at, &line);
            read_entry(terms, begun, (struct sh_bytes){text + at, end - at});
        } else if (c == '\n') {
            line++;
        } else if (strchr(" \t\r,[]", c) == NULL || c == '\0') {
            end = skip_line(file, at);
            read_entry(terms, begun, (struct sh_bytes){text + at, end - at});
        }
        at = end;
    }
}
