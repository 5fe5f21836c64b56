#include "services/search/lookup/lookup_shape.h"

#include <ctype.h>
#include <jansson.h>
#include <stdlib.h>

enum { ANSWERS_MAX = 100, LANGUAGE_MAX = 64 };

const char *const lookup_names[LOOKUP_SOURCES] = {"deepl", "iate"};

static void lower(struct sh_bytes text, char out[LANGUAGE_MAX + 1])
{
    size_t len = text.len < LANGUAGE_MAX ? text.len : LANGUAGE_MAX;

    for (size_t i = 0; i < len; i++)
        out[i] = (char)tolower(((const unsigned char *)text.data)[i]);
    out[len] = '\0';
}

static void upper(struct sh_bytes text, char out[LANGUAGE_MAX + 1])
{
    lower(text, out);
    for (size_t i = 0; out[i] != '\0'; i++)
        out[i] = (char)toupper((unsigned char)out[i]);
}

/* --- requests --------------------------------------------------------------------- */

static json_t *deepl_request(const struct glossary_lookup *asked)
{
    char from[LANGUAGE_MAX + 1], to[LANGUAGE_MAX + 1];
    json_t *body;

    upper(asked->from, from);
    upper(asked->to, to);
    from[strcspn(from, "-_")] = '\0'; /* what is translated has no variant */
    body = json_pack("{s:[s%], s:s}", "text", asked->term.data, asked->term.len,
                     "target_lang", to);
    if (from[0] != '\0')
        (void)json_object_set_new(body, "source_lang", json_string(from));
    return body;
}

static json_t *iate_request(const struct glossary_lookup *asked)
{
    char from[LANGUAGE_MAX + 1], to[LANGUAGE_MAX + 1];

    lower(asked->from, from);
    lower(asked->to, to);
    return json_pack("{s:s%, s:s, s:[s], s:[i], s:[i,i,i,i,i], s:i}", "query",
                     asked->term.data, asked->term.len, "source", from, "targets", to,
                     "search_in_fields", 0, "search_in_term_types", 0, 1, 2, 3, 4,
                     "query_operator", 1);
}

void lookup_request(enum lookup_source source, const struct glossary_lookup *asked,
                    struct sh_buffer *out)
{
    json_t *body = source == LOOKUP_DEEPL ? deepl_request(asked) : iate_request(asked);
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;

    if (text != NULL)
        sh_buffer_text(out, text);
    else
        out->err = SH_NOMEM;
    free(text);
    json_decref(body);
}

/* --- answers ---------------------------------------------------------------------- */

static void put(json_t *into, const char *name, const json_t *text)
{
    if (json_is_string(text) && json_string_length(text) > 0)
        (void)json_object_set_new(into, name, json_string(json_string_value(text)));
}

static void add(json_t *all, json_t *answer)
{
    if (json_is_string(json_object_get(answer, "term")) &&
        json_array_size(all) < ANSWERS_MAX)
        (void)json_array_append(all, answer);
    json_decref(answer);
}

static bool read_deepl(const json_t *body, const char *to, json_t *all)
{
    const json_t *translations = json_object_get(body, "translations");
    const json_t *one;
    size_t i;

    json_array_foreach(translations, i, one)
    {
        json_t *answer = json_pack("{s:s}", "language", to);
        const char *from =
            json_string_value(json_object_get(one, "detected_source_language"));
        char language[LANGUAGE_MAX + 1];
        put(answer, "term", json_object_get(one, "text"));
        lower(sh_bytes_of(from != NULL ? from : ""), language);
        if (language[0] != '\0')
            (void)json_object_set_new(answer, "source_language", json_string(language));
        add(all, answer);
    }
    return json_is_array(translations);
}

/* The terms of an entry in a language. */
static void read_iate_entry(const json_t *entry, const char *to, json_t *all)
{
    const json_t *language = json_object_get(json_object_get(entry, "language"), to);
    const json_t *terms = json_object_get(language, "term_entries");
    const json_t *one;
    size_t i;

    json_array_foreach(terms, i, one)
    {
        json_t *answer = json_pack("{s:s}", "language", to);
        put(answer, "term", json_object_get(one, "term_value"));
        put(answer, "definition", json_object_get(language, "definition"));
        put(answer, "domain",
            json_object_get(json_array_get(json_object_get(entry, "domains"), 0),
                            "name"));
        if (json_is_integer(json_object_get(entry, "id")))
            (void)json_object_set_new(
                answer, "id",
                json_sprintf("%" JSON_INTEGER_FORMAT,
                             json_integer_value(json_object_get(entry, "id"))));
        add(all, answer);
    }
}

static bool read_iate(const json_t *body, const char *to, json_t *all)
{
    const json_t *items = json_object_get(body, "items");
    const json_t *one;
    size_t i;

    json_array_foreach(items, i, one)
    {
        read_iate_entry(one, to, all);
    }
    return json_is_array(items);
}

bool lookup_answers(enum lookup_source source, const struct glossary_lookup *asked,
                    struct sh_bytes body, struct sh_buffer *out)
{
    json_t *json = json_loadb(body.data, body.len, 0, NULL);
    json_t *all = json_array();
    char to[LANGUAGE_MAX + 1];
    char *text = NULL;
    bool good;

    lower(asked->to, to);
    good = source == LOOKUP_DEEPL ? read_deepl(json, to, all) : read_iate(json, to, all);
    if (good)
        text = json_dumps(all, JSON_COMPACT);
    good = text != NULL;
    sh_buffer_text(out, good ? text : "");
    free(text);
    json_decref(all);
    json_decref(json);
    return good && out->err == SH_OK;
}
