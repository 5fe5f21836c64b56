/* An entry of the glossary as clients send it and see it. */
#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"

enum { ID_BYTES = 256, MARK_BEGIN = 2, MARK_END = 3 };

const char *const glossary_statuses[] = {"draft", "validated", "deprecated", NULL};

#define AT(member) offsetof(struct glossary_body, member)
#define TEXT(name_, most_, bytes_, help_)                                                \
    {                                                                                    \
        .name = #name_, .type = SCHEMA_TEXT, .offset = AT(name_), .most = (most_),       \
        .bytes = (bytes_), .help = (help_)                                               \
    }
static const struct schema_field fields[] = {
    TEXT(id, 256, 256, "one's own; made when absent. Of a change: that of the path"),
    {.name = "term",
     .type = SCHEMA_TEXT,
     .offset = AT(term),
     .least = 1,
     .most = 512,
     .bytes = 2048,
     .required = true,
     .help = "as it is written"},
    TEXT(definition, 65536, 65536, "what it means"),
    TEXT(language, 64, 64, "of the term, as BCP 47 has it; en when absent"),
    TEXT(domain, 256, 256, "the field that it belongs to"),
    TEXT(part_of_speech, 64, 64, "noun, verb, …"),
    TEXT(source, 1024, 1024, "where it is from"),
    TEXT(sense, 256, 256, "tells homonyms of one language and domain apart"),
    TEXT(department, 256, 256, "whose it is, above clearance 2"),
    {.name = "status",
     .type = SCHEMA_CHOICE,
     .offset = AT(status),
     .choices = glossary_statuses,
     .fallback = "\"draft\"",
     .help = "draft, validated or deprecated"},
    {.name = "clearance_level",
     .type = SCHEMA_INTEGER,
     .offset = AT(clearance_level),
     .least = 1,
     .most = 5,
     .fallback = "1",
     .help = "who may read it"},
    {.name = "metadata",
     .type = SCHEMA_FREEFORM,
     .offset = AT(metadata),
     .most = 65536,
     .help = "anything; acronym, synonyms and preferred widen searches"},
};
const struct schema glossary_schema = {"GlossaryEntry", "An entry of the glossary.",
                                       sizeof(struct glossary_body), fields,
                                       SH_COUNT(fields)};

bool glossary_fill(const struct glossary_body *body, struct sh_arena *arena,
                   struct glossary_term *out)
{
    *out = (struct glossary_term){
        .id = body->id,
        .term = search_trim(body->term),
        .definition = search_trim(body->definition),
        .language = body->language,
        .domain = body->domain,
        .part_of_speech = body->part_of_speech,
        .source = body->source,
        .sense = body->sense,
        .department = body->department,
        .status = sh_bytes_of(glossary_statuses[body->status]),
        .clearance_level = (uint32_t)body->clearance_level,
    };
    if (body->metadata == NULL)
        return true;
    size_t size = json_dumpb(body->metadata, NULL, 0, JSON_COMPACT);
    char *text = sh_arena_alloc(arena, size + 1);
    if (text == NULL)
        return false;
    out->metadata =
        (struct sh_bytes){text, json_dumpb(body->metadata, text, size, JSON_COMPACT)};
    return true;
}

/* --- answers ---------------------------------------------------------------------- */

static void write_or_null(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    json_member(out, name);
    if (text.len > 0)
        json_text(out, text);
    else
        sh_buffer_text(out, "null");
}

/* As HTML: the marks become elements, the rest is escaped. */
static void write_highlight(struct sh_buffer *out, struct sh_bytes text)
{
    struct sh_buffer html = {0};
    const char *at = text.data;

    for (size_t i = 0; i < text.len; i++) {
        if (at[i] == MARK_BEGIN)
            sh_buffer_text(&html, "<mark>");
        else if (at[i] == MARK_END)
            sh_buffer_text(&html, "</mark>");
        else if (at[i] == '&')
            sh_buffer_text(&html, "&amp;");
        else if (at[i] == '<')
            sh_buffer_text(&html, "&lt;");
        else if (at[i] == '>')
            sh_buffer_text(&html, "&gt;");
        else
            sh_buffer_append(&html, at + i, 1);
    }
    json_member_text(out, "highlight", sh_buffer_bytes(&html));
    if (html.err != SH_OK)
        out->err = html.err;
    sh_buffer_free(&html);
}

void glossary_members(struct sh_buffer *out, const struct glossary_term *term)
{
    json_member_text(out, "id", term->id);
    json_member_text(out, "term", term->term);
    json_member_text(out, "definition", term->definition);
    json_member_text(out, "language", term->language);
    write_or_null(out, "domain", term->domain);
    write_or_null(out, "part_of_speech", term->part_of_speech);
    write_or_null(out, "source", term->source);
    json_member_text(out, "status", term->status);
    write_or_null(out, "sense", term->sense);
    json_member(out, "clearance_level");
    json_u64(out, term->clearance_level);
    write_or_null(out, "department", term->department);
    json_member(out, "metadata");
    json_raw(out, term->metadata, "{}");
    json_member(out, "created_at");
    json_time(out, term->created_at);
    json_member(out, "updated_at");
    json_time(out, term->updated_at);
    if (term->score <= 0)
        return;
    json_member(out, "score");
    json_number(out, term->score, 6);
    if (term->highlight.len > 0)
        write_highlight(out, term->highlight);
}

void glossary_write(struct sh_buffer *out, const struct glossary_term *term)
{
    sh_buffer_text(out, "{");
    glossary_members(out, term);
    sh_buffer_text(out, "}");
}

/* --- the request ------------------------------------------------------------------ */

bool glossary_read_id(struct exchange *x, struct sh_bytes *out)
{
    return exchange_param_text(x, "id", ID_BYTES, out);
}

bool glossary_read_filters(struct exchange *x, struct sh_bytes *language,
                           struct sh_bytes *domain, struct sh_bytes *status)
{
    if (!exchange_query_text(x, "language", 64, language) ||
        !exchange_query_text(x, "domain", 256, domain) ||
        !exchange_query_text(x, "status", 16, status))
        return false;
    for (size_t i = 0; status->len > 0 && glossary_statuses[i] != NULL; i++)
        if (sh_bytes_is(*status, glossary_statuses[i]))
            return true;
    if (status->len == 0)
        return true;
    exchange_invalid(x, "status", "status must be draft, validated or deprecated");
    return false;
}
