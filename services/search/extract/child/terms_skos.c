/* A glossary as SKOS in RDF/XML: each concept is the entry of its first preferred label;
 * preferred labels of other languages are translations of it, alternative ones synonyms.
 * http://www.w3.org/TR/skos-reference/ */
#include <stdio.h>

#include "services/search/extract/child/terms_xml.h"

enum { ID_ROOM = 257, LABELS_MAX = 64, OWN_URI = sizeof("urn:cairn:term:") - 1 };

struct label {
    char language[65];
    struct sh_buffer text;
    bool preferred;
};

struct skos {
    struct terms_out *terms;
    struct sh_buffer text;
    char language[65]; /* of the element under way */
    char id[ID_ROOM];
    struct label labels[LABELS_MAX];
    size_t count;
    struct sh_buffer definition;
    struct sh_buffer links;                     /* pairs: letter of the type, id, NUL */
    struct sh_buffer fields[TERMS_FIELD_COUNT]; /* as Cairn writes them */
    uint64_t concepts;
    bool inside;
};

/* --- what is read ----------------------------------------------------------------- */

static int hex(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* An address as an id: one that Cairn wrote is the id that it had. Empty: too long. */
static void id_of(struct sh_bytes uri, char out[static ID_ROOM])
{
    const char *at = uri.data;
    bool own = uri.len > OWN_URI && memcmp(at, "urn:cairn:term:", OWN_URI) == 0;
    size_t len = 0;

    for (size_t i = own ? OWN_URI : 0; i < uri.len && len < ID_ROOM; i++) {
        bool coded = own && at[i] == '%' && i + 2 < uri.len && hex(at[i + 1]) >= 0 &&
                     hex(at[i + 2]) >= 0;
        out[len++] = at[i];
        if (coded) {
            out[len - 1] = (char)(hex(at[i + 1]) << 4 | hex(at[i + 2]));
            i += 2;
        }
    }
    out[len < ID_ROOM ? len : 0] = '\0';
}

static void begin_concept(struct skos *self, struct sh_bytes about)
{
    self->inside = true;
    self->concepts++;
    id_of(about, self->id);
    for (size_t i = 0; i < self->count; i++)
        sh_buffer_clear(&self->labels[i].text);
    self->count = 0;
    sh_buffer_clear(&self->definition);
    sh_buffer_clear(&self->links);
    for (size_t i = 0; i < TERMS_FIELD_COUNT; i++)
        sh_buffer_clear(&self->fields[i]);
}

/* Upper case first letters of BROADER, NARROWER, RELATED: as types are known below. */
static const struct {
    const char *element;
    const char *type;
} relations[] = {{"broader", "BROADER"},
                 {"narrower", "NARROWER"},
                 {"related", "RELATED"},
                 {"exactMatch", "SYNONYM_OF"},
                 {"synonymOf", "SYNONYM_OF"},
                 {"translationOf", "TRANSLATION_OF"},
                 {"abbreviationOf", "ABBREVIATION_OF"}};

static void note_link(struct skos *self, const char *name, struct sh_bytes resource)
{
    char id[ID_ROOM];

    for (size_t i = 0; resource.len > 0 && i < SH_COUNT(relations); i++) {
        if (strcmp(name, relations[i].element) != 0)
            continue;
        id_of(resource, id);
        sh_buffer_append(&self->links, &(char){(char)i}, 1);
        sh_buffer_append(&self->links, id, strlen(id) + 1);
    }
}

static void on_start(void *arg, const char *name, const xmlChar **attributes, int count)
{
    struct skos *self = arg;
    struct sh_bytes language = xml_attribute(attributes, count, "lang");

    sh_buffer_clear(&self->text);
    (void)snprintf(self->language, sizeof(self->language), "%.*s",
                   language.len < 64 ? (int)language.len : 0,
                   language.len > 0 ? (const char *)language.data : "");
    if (strcmp(name, "Concept") == 0)
        begin_concept(self, xml_attribute(attributes, count, "about"));
    else if (self->inside)
        note_link(self, name, xml_attribute(attributes, count, "resource"));
}

static void on_text(void *arg, struct sh_bytes text)
{
    struct skos *self = arg;

    if (self->inside && self->text.len + text.len <= (size_t)1 << 17)
        sh_buffer_append(&self->text, text.data, text.len);
}

/* --- a concept is whole ----------------------------------------------------------- */

static void add_label(struct skos *self, struct sh_bytes text, bool preferred)
{
    struct label *label;

    if (self->count == LABELS_MAX || text.len == 0)
        return;
    label = &self->labels[self->count++];
    label->preferred = preferred;
    memcpy(label->language, self->language, sizeof(label->language));
    sh_buffer_clear(&label->text);
    sh_buffer_append(&label->text, text.data, text.len);
}

static void add_links(struct skos *self)
{
    const char *at = self->links.data;

    for (size_t i = 0; i < self->links.len; i += strlen(at + i + 1) + 2)
        terms_link(self->terms, relations[(unsigned char)at[i]].type,
                   sh_bytes_of(at + i + 1));
}

static void emit(struct skos *self, size_t which, size_t main)
{
    struct terms_out *terms = self->terms;
    const struct label *label = &self->labels[which];
    char id[ID_ROOM + 90];

    terms_begin(terms, self->concepts);
    for (int i = 0; which == main && i < TERMS_FIELD_COUNT; i++)
        terms_set(terms, (enum terms_field)i, sh_buffer_bytes(&self->fields[i]));
    terms_set(terms, TERMS_term, out_trim(sh_buffer_bytes(&label->text)));
    terms_set(terms, TERMS_language, sh_bytes_of(label->language));
    terms_set(terms, TERMS_definition, out_trim(sh_buffer_bytes(&self->definition)));
    if (which == main) {
        terms_set(terms, TERMS_id, sh_bytes_of(self->id));
        add_links(self);
    } else {
        (void)snprintf(id, sizeof(id), "%s#%.64s-%zu", self->id, label->language, which);
        terms_set(terms, TERMS_id, sh_bytes_of(self->id[0] != '\0' ? id : ""));
        terms_set(terms, TERMS_sense, sh_bytes_of(self->id));
        terms_link(terms, label->preferred ? "TRANSLATION_OF" : "SYNONYM_OF",
                   sh_bytes_of(self->id));
    }
    terms_end(terms);
}

static void end_concept(struct skos *self)
{
    size_t main = 0;

    self->inside = false;
    while (main < self->count && !self->labels[main].preferred)
        main++;
    if (main == self->count) {
        terms_begin(self->terms, self->concepts);
        terms_wrong(self->terms, "prefLabel", "the concept has none");
        terms_end(self->terms);
        return;
    }
    emit(self, main, main);
    for (size_t i = 0; i < self->count; i++)
        if (i != main)
            emit(self, i, main);
}

static void put(struct sh_buffer *into, struct sh_bytes text)
{
    sh_buffer_clear(into);
    sh_buffer_append(into, text.data, text.len);
}

static void on_end(void *arg, const char *name)
{
    struct skos *self = arg;
    struct sh_bytes text = out_trim(sh_buffer_bytes(&self->text));

    if (!self->inside)
        return;
    if (strcmp(name, "Concept") == 0) {
        end_concept(self);
    } else if (strcmp(name, "prefLabel") == 0 || strcmp(name, "altLabel") == 0) {
        add_label(self, text, name[0] == 'p');
    } else if (strcmp(name, "definition") == 0 && text.len > 0) {
        put(&self->definition, text);
    } else if (text.len > 0) {
        for (int i = 0; i < TERMS_FIELD_COUNT; i++)
            if (strcmp(name, terms_field_names[i]) == 0)
                put(&self->fields[i], text);
    }
    sh_buffer_clear(&self->text);
}

static const struct xml_events events = {on_start, on_end, on_text};

void terms_read_skos(struct sh_bytes file, struct terms_out *terms)
{
    struct skos *self = sh_alloc(sizeof(*self));

    if (self == NULL) {
        out_refuse(&terms->out, OUT_LIMIT, "there is not memory enough to read it");
        return;
    }
    self->terms = terms;
    terms_read_xml(file, terms, &events, self);
    for (size_t i = 0; i < LABELS_MAX; i++)
        sh_buffer_free(&self->labels[i].text);
    for (size_t i = 0; i < TERMS_FIELD_COUNT; i++)
        sh_buffer_free(&self->fields[i]);
    sh_buffer_free(&self->text);
    sh_buffer_free(&self->definition);
    sh_buffer_free(&self->links);
    sh_free(self);
}
