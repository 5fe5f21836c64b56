#include "services/search/extract/child/terms_out.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "services/search/glossary/terms_rules.h"

enum { BATCH_ROWS = 500, BATCH_BYTES = 512 << 10, ROWS_MAX = 10000000 };

#define TERMS_NAME(name, most) #name,
const char *const terms_field_names[] = {TERMS_FIELDS(TERMS_NAME)};
#define TERMS_MOST(name, most) most,
static const size_t longest[] = {TERMS_FIELDS(TERMS_MOST)};

/* --- an entry --------------------------------------------------------------------- */

void terms_begin(struct terms_out *terms, uint64_t line)
{
    terms->line = line;
    for (size_t i = 0; i < TERMS_FIELD_COUNT; i++)
        sh_buffer_clear(&terms->fields[i]);
    sh_buffer_clear(&terms->links);
    terms->link_count = 0;
    terms->wrong = NULL;
    terms->wrong_field = NULL;
}

void terms_wrong(struct terms_out *terms, const char *field, const char *wrong)
{
    if (terms->wrong != NULL)
        return;
    terms->wrong = wrong;
    terms->wrong_field = field;
}

/* No text of the record can hold one. */
static bool has_nul(struct sh_bytes text)
{
    return text.len > 0 && memchr(text.data, 0, text.len) != NULL;
}

void terms_add(struct terms_out *terms, enum terms_field field, struct sh_bytes text)
{
    struct sh_buffer *into = &terms->fields[field];

    if (text.len > longest[field] - into->len)
        terms_wrong(terms, terms_field_names[field], "it is too long");
    else if (has_nul(text))
        terms_wrong(terms, terms_field_names[field], "it holds a NUL");
    else if (text.len > 0)
        sh_buffer_append(into, text.data, text.len);
}

void terms_set(struct terms_out *terms, enum terms_field field, struct sh_bytes text)
{
    sh_buffer_clear(&terms->fields[field]);
    terms_add(terms, field, text);
}

void terms_link(struct terms_out *terms, const char *type, struct sh_bytes target)
{
    json_t *link;
    char *text;

    if (terms->counting || target.len == 0 || target.len > longest[TERMS_id])
        return;
    if (has_nul(target)) {
        terms_wrong(terms, NULL, "a relation of it holds a NUL");
        return;
    }
    if (terms->link_count++ == TERMS_LINKS_MAX) {
        terms_wrong(terms, NULL, "it has too many relations");
        return;
    }
    link = json_pack("[s,s%]", type, (const char *)target.data, target.len);
    text = link != NULL ? json_dumps(link, JSON_COMPACT) : NULL;
    if (text == NULL) {
        terms_wrong(terms, NULL, "a relation of it is not UTF-8");
    } else {
        sh_buffer_text(&terms->links, terms->links.len > 0 ? "," : "");
        sh_buffer_text(&terms->links, text);
    }
    free(text);
    json_decref(link);
}

/* --- a batch ---------------------------------------------------------------------- */

static bool is_broken(const struct terms_out *terms)
{
    bool broken = terms->batch.err != SH_OK || terms->batch_links.err != SH_OK ||
                  terms->links.err != SH_OK;

    for (size_t i = 0; i < TERMS_FIELD_COUNT; i++)
        broken = broken || terms->fields[i].err != SH_OK;
    return broken;
}

static void flush(struct terms_out *terms)
{
    struct glossary_batch batch = {.rows = terms->rows,
                                   .errors = terms->errors,
                                   .errors_count = terms->error_count,
                                   .total = terms->total};

    if (terms->rows == 0 || terms->out.code != NULL)
        return;
    sh_buffer_text(&terms->batch, terms->batch.len > 0 ? "]" : "[]");
    sh_buffer_text(&terms->batch_links, terms->batch_links.len > 0 ? "]" : "[]");
    batch.terms = sh_buffer_bytes(&terms->batch);
    batch.links = sh_buffer_bytes(&terms->batch_links);
    if (is_broken(terms))
        out_refuse(&terms->out, OUT_LIMIT, "there is not memory enough to read it");
    else if (!terms->emit(terms->arg, &batch))
        out_refuse(&terms->out, OUT_FAILED, "it is not wanted any more");
    terms->rows = 0;
    terms->error_count = 0;
    sh_buffer_clear(&terms->batch);
    sh_buffer_clear(&terms->batch_links);
    sh_arena_free(&terms->arena);
}

static void note_error(struct terms_out *terms)
{
    struct job_error *error = &terms->errors[terms->error_count++];
    char text[256];

    (void)snprintf(text, sizeof(text), "%s%s%s",
                   terms->wrong_field != NULL ? terms->wrong_field : "",
                   terms->wrong_field != NULL ? ": " : "", terms->wrong);
    error->error = sh_arena_copy(&terms->arena, sh_bytes_of(text));
    (void)snprintf(text, sizeof(text), "line %" PRIu64, terms->line);
    error->item = sh_arena_copy(&terms->arena, sh_bytes_of(text));
    error->code = sh_bytes_of("invalid_request");
}

/* By its id, or where the file gives it none as it is written, and its language. */
static void add_links(struct terms_out *terms)
{
    const struct sh_buffer *own = &terms->fields[TERMS_id];
    const struct sh_buffer *language = &terms->fields[TERMS_language];
    json_t *id;
    char *text;

    if (terms->links.len == 0)
        return;
    if (own->len == 0)
        own = &terms->fields[TERMS_term];
    id = json_pack("[s%, s%]", own->data, own->len,
                   language->len > 0 ? language->data : "en",
                   language->len > 0 ? language->len : (size_t)2);
    text = id != NULL ? json_dumps(id, JSON_COMPACT) : NULL;
    if (text != NULL) {
        text[strlen(text) - 1] = '\0'; /* the array goes on */
        sh_buffer_printf(&terms->batch_links, "%s%s,",
                         terms->batch_links.len > 0 ? "," : "[", text);
        sh_buffer_append(&terms->batch_links, terms->links.data, terms->links.len);
        sh_buffer_text(&terms->batch_links, "]");
    }
    free(text);
    json_decref(id);
}

/* --- what is said of it ----------------------------------------------------------- */

static struct sh_bytes field(const struct terms_out *terms, enum terms_field which)
{
    return out_trim(sh_buffer_bytes(&terms->fields[which]));
}

static uint32_t clearance_of(struct terms_out *terms)
{
    struct sh_bytes text = field(terms, TERMS_clearance_level);
    const char *at = text.data;

    if (text.len == 0)
        return 1;
    if (text.len == 1 && at[0] >= '1' && at[0] <= '5')
        return (uint32_t)(at[0] - '0');
    terms_wrong(terms, "clearance_level", "it must be 1 to 5");
    return 1;
}

static void check(struct terms_out *terms, struct glossary_term *term)
{
    const char *name = NULL;
    const char *wrong;

    *term = (struct glossary_term){
        .id = field(terms, TERMS_id),
        .term = field(terms, TERMS_term),
        .definition = field(terms, TERMS_definition),
        .language = field(terms, TERMS_language),
        .domain = field(terms, TERMS_domain),
        .part_of_speech = field(terms, TERMS_part_of_speech),
        .source = field(terms, TERMS_source),
        .status = field(terms, TERMS_status),
        .sense = field(terms, TERMS_sense),
        .department = field(terms, TERMS_department),
        .clearance_level = clearance_of(terms),
    };
    wrong = terms_check(term, &name);
    if (wrong != NULL)
        terms_wrong(terms, name, wrong);
}

static int set(json_t *row, const char *name, struct sh_bytes text)
{
    if (text.len == 0)
        return 0;
    return json_object_set_new(row, name, json_stringn(text.data, text.len));
}

static json_t *metadata_of(struct terms_out *terms)
{
    struct sh_bytes text = field(terms, TERMS_metadata);
    json_t *metadata;

    if (text.len == 0)
        return json_object();
    metadata = json_loadb(text.data, text.len, JSON_REJECT_DUPLICATES, NULL);
    if (json_is_object(metadata))
        return metadata;
    json_decref(metadata);
    terms_wrong(terms, "metadata", "it must be a JSON object");
    return json_object();
}

static json_t *row_of(struct terms_out *terms, const struct glossary_term *term)
{
    json_t *row = json_object();
    int failed = set(row, "id", term->id) | set(row, "term", term->term) |
                 set(row, "definition", term->definition) |
                 set(row, "language", term->language) | set(row, "domain", term->domain) |
                 set(row, "part_of_speech", term->part_of_speech) |
                 set(row, "source", term->source) | set(row, "status", term->status) |
                 set(row, "sense", term->sense) |
                 set(row, "department", term->department);

    failed |= json_object_set_new(row, "line", json_integer((json_int_t)terms->line));
    failed |=
        json_object_set_new(row, "clearance_level", json_integer(term->clearance_level));
    failed |= json_object_set_new(row, "metadata", metadata_of(terms));
    if (failed != 0)
        terms_wrong(terms, NULL, "it is not UTF-8");
    return row;
}

static void add_row(struct terms_out *terms, json_t *row)
{
    char *text = terms->wrong == NULL ? json_dumps(row, JSON_COMPACT) : NULL;

    if (text != NULL) {
        sh_buffer_text(&terms->batch, terms->batch.len > 0 ? "," : "[");
        sh_buffer_text(&terms->batch, text);
        add_links(terms);
    } else {
        terms_wrong(terms, NULL, "there is not memory enough for it");
        note_error(terms);
    }
    free(text);
}

static void take(struct terms_out *terms)
{
    struct glossary_term term;
    json_t *row;

    check(terms, &term);
    row = row_of(terms, &term);
    add_row(terms, row);
    json_decref(row);
    terms->rows++;
}

void terms_end(struct terms_out *terms)
{
    if (terms->out.code != NULL)
        return;
    if (!terms->counting)
        take(terms);
    if (++terms->out.characters > ROWS_MAX)
        out_refuse(&terms->out, OUT_LIMIT, "it holds more than %d entries", ROWS_MAX);
    if (terms->rows >= BATCH_ROWS || terms->error_count == TERMS_ERRORS_MAX ||
        terms->batch.len + terms->batch_links.len >= BATCH_BYTES)
        flush(terms);
}

void terms_finish(struct terms_out *terms)
{
    if (terms->out.code == NULL && terms->out.characters == 0)
        out_refuse(&terms->out, OUT_NO_TEXT, "it holds no entry");
    flush(terms);
}

void terms_free(struct terms_out *terms)
{
    for (size_t i = 0; i < TERMS_FIELD_COUNT; i++)
        sh_buffer_free(&terms->fields[i]);
    sh_buffer_free(&terms->links);
    sh_buffer_free(&terms->batch);
    sh_buffer_free(&terms->batch_links);
    sh_arena_free(&terms->arena);
    out_free(&terms->out);
}

/* What is wrong with the file is told when it is read. */
static uint64_t count(struct sh_bytes file, terms_reader_fn *read,
                      const struct extract_limits *limits)
{
    struct terms_out *counter = sh_alloc(sizeof(*counter));
    uint64_t total = 0;

    if (counter == NULL)
        return 0;
    counter->out.limits = *limits;
    counter->counting = true;
    read(file, counter);
    total = counter->out.characters;
    terms_free(counter);
    sh_free(counter);
    return total;
}

void terms_read_file(struct sh_bytes file, const char *format, struct terms_out *terms)
{
    static const struct {
        const char *format;
        terms_reader_fn *read;
    } all[] = {{"csv", terms_read_csv},
               {"xlsx", terms_read_xlsx},
               {"json", terms_read_json},
               {"tbx", terms_read_tbx},
               {"skos", terms_read_skos}};

    for (size_t i = 0; i < SH_COUNT(all); i++) {
        if (strcmp(format, all[i].format) != 0)
            continue;
        terms->total = count(file, all[i].read, &terms->out.limits);
        all[i].read(file, terms);
        terms_finish(terms);
        return;
    }
    out_refuse(&terms->out, OUT_TYPE, "a glossary is csv, xlsx, json, tbx or skos");
}
