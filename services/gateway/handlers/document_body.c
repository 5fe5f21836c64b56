/* A document as clients send it, alone or as a line of a batch, and as search takes it.
 */
#include <stdio.h>

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { SECTIONS_MAX = 20000, METADATA_BYTES = 65536, TITLE_BYTES = 2048, ID_BYTES = 256 };

struct section_body {
    struct sh_bytes title;
    struct sh_bytes text;
    int64_t page_number;
};

/* clang-format off */
#define AT(member) offsetof(struct section_body, member)
static const struct schema_field section_fields[] = {
    {.name = "title", .type = SCHEMA_TEXT, .offset = AT(title), .most = 2048,
     .bytes = TITLE_BYTES},
    {.name = "text", .type = SCHEMA_TEXT, .offset = AT(text), .bytes = PROTO_TEXT_MAX,
     .help = "a section may be a heading alone"},
    {.name = "page_number", .type = SCHEMA_INTEGER, .offset = AT(page_number),
     .least = 0, .most = INT32_MAX},
};
#undef AT

static const struct schema section_schema = {
    "Section", "A part of a document.", sizeof(struct section_body), section_fields,
    SH_COUNT(section_fields)};

#define AT(member) offsetof(struct document_body, member)
static const struct schema_field document_fields[] = {
    {.name = "id", .type = SCHEMA_TEXT, .offset = AT(id), .least = 1, .most = 256,
     .bytes = ID_BYTES, .help = "made when absent; the same id replaces the document"},
    {.name = "title", .type = SCHEMA_TEXT, .offset = AT(title), .required = true,
     .least = 1, .most = 2048, .bytes = TITLE_BYTES},
    {.name = "text", .type = SCHEMA_TEXT, .offset = AT(text), .bytes = PROTO_TEXT_MAX,
     .present = AT(has_text), .help = "the whole text; or give sections"},
    {.name = "sections", .type = SCHEMA_LIST, .offset = AT(sections),
     .of = &section_schema, .least = 1, .most = SECTIONS_MAX},
    {.name = "metadata", .type = SCHEMA_FREEFORM, .offset = AT(metadata),
     .most = METADATA_BYTES,
     .help = "department, campus, priority, clearance_level, last_reviewed, and more"},
    {.name = "collection", .type = SCHEMA_TEXT, .offset = AT(collection), .most = 256,
     .bytes = 256},
};
#undef AT
/* clang-format on */

const struct schema document_schema = {"Document", "A document to store.",
                                       sizeof(struct document_body), document_fields,
                                       SH_COUNT(document_fields)};

static bool blame(struct schema_fault *fault, enum sh_err err, const char *field,
                  const char *error)
{
    fault->err = err;
    (void)snprintf(fault->field, sizeof fault->field, "%s", field);
    (void)snprintf(fault->error, sizeof fault->error, "%s", error);
    return false;
}

static bool has_control(struct sh_bytes text)
{
    const unsigned char *data = text.data;

    for (size_t i = 0; i < text.len; i++)
        if (data[i] < 0x20 || data[i] == 0x7f)
            return true;
    return false;
}

static bool check_body(const struct document_body *body, struct schema_fault *fault)
{
    if (has_control(body->id) || (body->id.len > 0 && search_trim(body->id).len == 0))
        return blame(fault, SH_INVALID, "id", "id must be printable text");
    if (search_trim(body->title).len == 0)
        return blame(fault, SH_INVALID, "title", "title must not be blank");
    if (body->has_text == (body->sections.items != NULL))
        return blame(fault, SH_INVALID, "text",
                     "give either text or sections, one of them");
    if (body->has_text && search_trim(body->text).len == 0)
        return blame(fault, SH_INVALID, "text", "text must not be blank");
    return true;
}

/* At least one section must say something. */
static struct section *sections_of(const struct document_body *body,
                                   struct sh_arena *arena, size_t *count, bool *blank)
{
    const struct section_body *items = body->sections.items;

    *count = body->has_text ? 1 : body->sections.count;
    *blank = !body->has_text;
    struct section *sections = sh_arena_array(arena, *count, sizeof *sections);
    if (sections == NULL)
        return NULL;
    if (body->has_text) {
        sections[0] = (struct section){.text = body->text};
        return sections;
    }
    for (size_t i = 0; i < *count; i++) {
        sections[i] = (struct section){items[i].title, items[i].text,
                                       (uint32_t)items[i].page_number};
        *blank = *blank && search_trim(items[i].text).len == 0;
    }
    return sections;
}

static bool dump_metadata(json_t *metadata, struct sh_arena *arena, struct sh_bytes *out)
{
    *out = (struct sh_bytes){0};
    if (metadata == NULL)
        return true;
    size_t size = json_dumpb(metadata, NULL, 0, JSON_COMPACT);
    char *text = sh_arena_alloc(arena, size + 1);
    if (text == NULL || json_dumpb(metadata, text, size, JSON_COMPACT) != size)
        return false;
    *out = (struct sh_bytes){text, size};
    return true;
}

bool document_fill(const struct document_body *body, bool no_wait, struct sh_arena *arena,
                   struct document_put *out, struct schema_fault *fault)
{
    struct document *document = sh_arena_alloc(arena, sizeof *document);
    bool blank = false;

    *fault = (struct schema_fault){0};
    if (!check_body(body, fault))
        return false;
    if (document == NULL)
        return blame(fault, SH_NOMEM, "", "out of memory");
    *document = (struct document){
        .id = body->id, .title = body->title, .collection = body->collection};
    struct section *sections =
        sections_of(body, arena, &document->sections_count, &blank);
    if (sections == NULL || !dump_metadata(body->metadata, arena, &document->metadata))
        return blame(fault, SH_NOMEM, "", "out of memory");
    if (blank)
        return blame(fault, SH_INVALID, "sections", "every section is blank");
    document->sections = sections;
    *out = (struct document_put){
        .document = document, .document_count = 1, .no_wait = no_wait};
    return true;
}

bool document_encode(const struct document_body *body, bool no_wait,
                     struct sh_arena *arena, struct sh_buffer *out,
                     struct schema_fault *fault)
{
    struct document_put put;

    if (!document_fill(body, no_wait, arena, &put, fault))
        return false;
    enum sh_err err = msg_encode(document_put_desc(), &put, out);
    if (err != SH_OK)
        return blame(fault, err, "", "the document is too large");
    return true;
}

bool document_of_file(const struct document_body *body, struct sh_arena *arena,
                      struct document *out, struct schema_fault *fault)
{
    *fault = (struct schema_fault){0};
    *out = (struct document){.id = body->id,
                             .title = search_trim(body->title),
                             .collection = body->collection};
    if (has_control(body->id) || (body->id.len > 0 && search_trim(body->id).len == 0))
        return blame(fault, SH_INVALID, "id", "id must be printable text");
    if (!dump_metadata(body->metadata, arena, &out->metadata))
        return blame(fault, SH_NOMEM, "", "out of memory");
    if (out->metadata.len > METADATA_BYTES)
        return blame(fault, SH_INVALID, "metadata", "metadata is too long");
    return true;
}

void document_put_members(struct sh_buffer *out, const struct document_put_reply *reply)
{
    json_member_text(out, "document_id", reply->document_id);
    json_member(out, "chunks");
    json_u64(out, reply->chunks);
    if (reply->unchanged) {
        json_member(out, "unchanged");
        json_bool(out, true);
    }
    if (reply->pending_embedding > 0) {
        json_member(out, "pending_embedding");
        json_u64(out, reply->pending_embedding);
    }
}
