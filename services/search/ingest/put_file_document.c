#include "services/search/ingest/put_file_document.h"

#include <ctype.h>
#include <jansson.h>

#include "services/search/ingest/moment.h"

enum { LANGUAGE_MAX = 35 }; /* the longest tags that BCP 47 asks to be kept */

/* "en", "de-AT", "zh_Hant": what follows the first part is not looked at. */
static bool is_language(struct sh_bytes text)
{
    const char *at = text.data;
    size_t letters = 0;

    while (letters < text.len && isalpha((unsigned char)at[letters]))
        letters++;
    return text.len <= LANGUAGE_MAX && letters >= 2 && letters <= 3 &&
           (letters == text.len || at[letters] == '-' || at[letters] == '_');
}

/* Where the object says nothing of it. False when memory ran out. */
static bool add(json_t *object, const char *name, struct sh_bytes text)
{
    return json_object_get(object, name) != NULL ||
           json_object_set_new(object, name, json_stringn(text.data, text.len)) == 0;
}

static bool add_found(json_t *object, const struct extracted *found)
{
    char created[MOMENT_TEXT];

    if (is_language(found->language) && json_object_get(object, "lang") == NULL &&
        !add(object, "language", found->language))
        return false;
    return !moment_parse(found->created, created) ||
           add(object, "created", sh_bytes_of(created));
}

/* What is no object stays as it is: it is refused later, by its name. */
static enum sh_err merge(struct sh_bytes said, const struct extracted *found, char **out)
{
    json_t *object =
        json_loadb(said.len > 0 ? said.data : "{}", said.len > 0 ? said.len : 2, 0, NULL);

    *out = NULL;
    if (!json_is_object(object)) {
        json_decref(object);
        return SH_OK;
    }
    if (add_found(object, found))
        *out = json_dumps(object, JSON_COMPACT);
    json_decref(object);
    return *out == NULL ? SH_NOMEM : SH_OK;
}

static struct sh_bytes title_of(const struct file_put *put, const struct extracted *found)
{
    if (put->document[0].title.len > 0)
        return put->document[0].title;
    return found->title.len > 0 ? found->title : put->name;
}

enum sh_err put_file_document(const struct file_put *put, const struct extracted *found,
                              struct sh_buffer *out)
{
    struct document document = put->document[0];
    struct document_put message = {
        .document = &document, .document_count = 1, .no_wait = put->no_wait};
    char *metadata;
    enum sh_err err = merge(document.metadata, found, &metadata);

    if (err != SH_OK)
        return err;
    if (metadata != NULL)
        document.metadata = sh_bytes_of(metadata);
    document.title = title_of(put, found);
    document.sections = found->sections;
    document.sections_count = found->count;
    err = msg_encode(document_put_desc(), &message, out);
    free(metadata);
    return err;
}

/* Bytes that begin a character. */
static uint64_t characters(struct sh_bytes text)
{
    const uint8_t *at = text.data;
    uint64_t count = 0;

    for (size_t i = 0; i < text.len; i++)
        count += (at[i] & 0xc0) != 0x80;
    return count;
}

enum sh_err put_file_report(const struct extracted *found, struct sh_buffer *out)
{
    json_t *report = json_object();
    uint64_t count = 0;
    bool ok;

    for (size_t i = 0; i < found->count; i++)
        count += characters(found->sections[i].text);
    ok =
        report != NULL &&
        json_object_set_new(report, "sections", json_integer((json_int_t)found->count)) ==
            0 &&
        json_object_set_new(report, "characters", json_integer((json_int_t)count)) == 0 &&
        add_found(report, found);
    char *text = ok ? json_dumps(report, JSON_COMPACT) : NULL;
    json_decref(report);
    if (text == NULL)
        return SH_NOMEM;
    sh_buffer_text(out, text);
    free(text);
    return out->err;
}
