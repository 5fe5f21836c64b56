/* A glossary as TBX (ISO 30042): concepts with terms by language, in the spelling of 2008
 * (martif, termEntry, langSet, tig, ntig) and of 2019 (tbx, conceptEntry, langSec,
 * termSec). Terms of one concept and language are synonyms of its first one there; those
 * of other languages are translations of the first. */
#include <stdio.h>

#include "services/search/extract/child/terms_out.h"
#include "services/search/extract/child/terms_xml.h"

enum { OWN_MAX = 32, ID_ROOM = 257 };

struct tbx {
    struct terms_out *terms;
    struct sh_buffer text;
    char type[OWN_MAX]; /* of the element under way */
    char concept[ID_ROOM];
    char language[65];
    char term_id[ID_ROOM];
    char first[ID_ROOM];             /* of the concept */
    char first_of_language[ID_ROOM]; /* of the language */
    struct sh_buffer domain;         /* of the concept */
    struct sh_buffer definition;     /* of it, and then of the language */
    struct sh_buffer own_definition;
    uint64_t concepts;
    unsigned number; /* of the term in its concept */
    bool in_term;    /* inside tig, ntig or termSec */
    bool in_language;
};

static bool is(const char *name, const char *old, const char *new)
{
    return strcmp(name, old) == 0 || strcmp(name, new) == 0;
}

static void copy(char *into, size_t room, struct sh_bytes text)
{
    size_t len = text.len < room ? text.len : 0; /* too long: as if it were not there */

    memcpy(into, text.len > 0 ? text.data : "", len);
    into[len] = '\0';
}

/* --- beginnings ------------------------------------------------------------------- */

static void begin_concept(struct tbx *self, struct sh_bytes id)
{
    self->concepts++;
    copy(self->concept, sizeof(self->concept), id);
    self->first[0] = self->language[0] = '\0';
    self->number = 0;
    sh_buffer_clear(&self->domain);
    sh_buffer_clear(&self->definition);
}

static void begin_term(struct tbx *self, struct sh_bytes id)
{
    struct terms_out *terms = self->terms;

    self->in_term = true;
    self->number++;
    terms_begin(terms, self->concepts);
    if (id.len > 0 || self->concept[0] == '\0')
        copy(self->term_id, sizeof(self->term_id), id);
    else
        (void)snprintf(self->term_id, sizeof(self->term_id), "%.180s-%.60s-%u",
                       self->concept, self->language, self->number);
}

static void take_target(struct tbx *self, const xmlChar **attributes, int count);

static void on_start(void *arg, const char *name, const xmlChar **attributes, int count)
{
    struct tbx *self = arg;

    sh_buffer_clear(&self->text);
    copy(self->type, sizeof(self->type), xml_attribute(attributes, count, "type"));
    if (is(name, "termEntry", "conceptEntry")) {
        begin_concept(self, xml_attribute(attributes, count, "id"));
    } else if (is(name, "langSet", "langSec")) {
        copy(self->language, sizeof(self->language),
             xml_attribute(attributes, count, "lang"));
        self->first_of_language[0] = '\0';
        self->in_language = true;
        sh_buffer_clear(&self->own_definition);
    } else if (is(name, "tig", "termSec") || strcmp(name, "ntig") == 0) {
        begin_term(self, xml_attribute(attributes, count, "id"));
    } else {
        take_target(self, attributes, count);
    }
}

static void on_text(void *arg, struct sh_bytes text)
{
    struct tbx *self = arg;

    if (self->text.len + text.len <= (size_t)1 << 17)
        sh_buffer_append(&self->text, text.data, text.len);
}

/* --- ends ------------------------------------------------------------------------- */

static void end_term(struct tbx *self)
{
    struct terms_out *terms = self->terms;
    struct sh_buffer *definition =
        self->own_definition.len > 0 ? &self->own_definition : &self->definition;

    self->in_term = false;
    if (terms->fields[TERMS_id].len > 0)
        copy(self->term_id, sizeof(self->term_id),
             sh_buffer_bytes(&terms->fields[TERMS_id]));
    else
        terms_set(terms, TERMS_id, sh_bytes_of(self->term_id));
    terms_set(terms, TERMS_language, sh_bytes_of(self->language));
    if (terms->fields[TERMS_domain].len == 0)
        terms_set(terms, TERMS_domain, out_trim(sh_buffer_bytes(&self->domain)));
    if (terms->fields[TERMS_definition].len == 0)
        terms_set(terms, TERMS_definition, out_trim(sh_buffer_bytes(definition)));
    if (self->first_of_language[0] != '\0')
        terms_link(terms, "SYNONYM_OF", sh_bytes_of(self->first_of_language));
    else if (self->first[0] != '\0')
        terms_link(terms, "TRANSLATION_OF", sh_bytes_of(self->first));
    if (self->first[0] == '\0')
        memcpy(self->first, self->term_id, sizeof(self->first));
    if (self->first_of_language[0] == '\0')
        memcpy(self->first_of_language, self->term_id, sizeof(self->first));
    terms_end(terms);
}

/* "BROADER id", as Cairn writes it. */
static void take_relation(struct tbx *self, struct sh_bytes text)
{
    static const char *const known[] = {"SYNONYM_OF",     "BROADER",
                                        "NARROWER",       "RELATED",
                                        "TRANSLATION_OF", "ABBREVIATION_OF"};
    const char *at = text.data;

    for (size_t i = 0; i < SH_COUNT(known); i++) {
        size_t len = strlen(known[i]);
        if (text.len > len + 1 && memcmp(at, known[i], len) == 0 && at[len] == ' ')
            terms_link(self->terms, known[i],
                       (struct sh_bytes){at + len + 1, text.len - len - 1});
    }
}

/* What TBX points at with a target: another concept, or a term of it. */
static void take_target(struct tbx *self, const xmlChar **attributes, int count)
{
    static const struct {
        const char *type;
        const char *relation;
    } known[] = {{"crossReference", "RELATED"},
                 {"relatedConcept", "RELATED"},
                 {"superordinateConceptGeneric", "BROADER"},
                 {"broaderConceptGeneric", "BROADER"},
                 {"subordinateConceptGeneric", "NARROWER"}};
    struct sh_bytes target = xml_attribute(attributes, count, "target");

    for (size_t i = 0; self->in_term && i < SH_COUNT(known); i++)
        if (strcmp(self->type, known[i].type) == 0)
            terms_link(self->terms, known[i].relation, target);
}

/* What Cairn writes for fields that TBX has no place for: type="cairn-status". */
static bool take_own(struct tbx *self, struct sh_bytes text)
{
    static const char prefix[] = "cairn-";

    if (strncmp(self->type, prefix, sizeof(prefix) - 1) != 0)
        return false;
    if (strcmp(self->type, "cairn-relation") == 0)
        take_relation(self, text);
    for (int i = 0; i < TERMS_FIELD_COUNT; i++)
        if (strcmp(self->type + sizeof(prefix) - 1, terms_field_names[i]) == 0)
            terms_set(self->terms, (enum terms_field)i, text);
    return true;
}

static void take_status(struct tbx *self, struct sh_bytes text)
{
    if (sh_bytes_is(text, "deprecatedTerm-admn-sts") ||
        sh_bytes_is(text, "supersededTerm-admn-sts"))
        terms_set(self->terms, TERMS_status, sh_bytes_of("deprecated"));
}

static void take_of_term(struct tbx *self, const char *name, struct sh_bytes text)
{
    const char *type = self->type;

    if (strcmp(name, "term") == 0)
        terms_set(self->terms, TERMS_term, text);
    else if (take_own(self, text))
        return;
    else if (strcmp(type, "partOfSpeech") == 0)
        terms_set(self->terms, TERMS_part_of_speech, text);
    else if (strcmp(type, "definition") == 0)
        terms_set(self->terms, TERMS_definition, text);
    else if (strcmp(type, "subjectField") == 0)
        terms_set(self->terms, TERMS_domain, text);
    else if (strcmp(type, "source") == 0 || strcmp(type, "termSource") == 0)
        terms_set(self->terms, TERMS_source, text);
    else if (strcmp(type, "administrativeStatus") == 0)
        take_status(self, text);
}

static void take_around(struct tbx *self, struct sh_bytes text)
{
    struct sh_buffer *into = NULL;

    if (strcmp(self->type, "subjectField") == 0)
        into = &self->domain;
    else if (strcmp(self->type, "definition") == 0)
        into = self->in_language ? &self->own_definition : &self->definition;
    if (into == NULL)
        return;
    sh_buffer_clear(into);
    sh_buffer_append(into, text.data, text.len);
}

static void on_end(void *arg, const char *name)
{
    struct tbx *self = arg;
    struct sh_bytes text = out_trim(sh_buffer_bytes(&self->text));

    if (is(name, "tig", "termSec") || strcmp(name, "ntig") == 0)
        end_term(self);
    else if (is(name, "langSet", "langSec"))
        self->in_language = false;
    else if (self->in_term && text.len > 0)
        take_of_term(self, name, text);
    else if (text.len > 0)
        take_around(self, text);
    self->type[0] = '\0';
    sh_buffer_clear(&self->text);
}

static const struct xml_events events = {on_start, on_end, on_text};

void terms_read_tbx(struct sh_bytes file, struct terms_out *terms)
{
    struct tbx self = {.terms = terms};

    terms_read_xml(file, terms, &events, &self);
    sh_buffer_free(&self.text);
    sh_buffer_free(&self.domain);
    sh_buffer_free(&self.definition);
    sh_buffer_free(&self.own_definition);
}
