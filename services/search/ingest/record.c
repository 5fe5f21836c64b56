#include "services/search/ingest/record.h"

#include <openssl/evp.h>
#include <stdarg.h>
#include <stdio.h>

#include "services/search/ingest/moment.h"
#include "shared/clock.h"
#include "shared/trace.h"

/* The sentence begins with the field's name. */
__attribute__((format(printf, 3, 4))) static enum sh_err
wrong(struct record_problem *problem, const char *field, const char *format, ...)
{
    va_list args;
    size_t used;

    (void)snprintf(problem->field, sizeof(problem->field), "%s", field);
    used = (size_t)snprintf(problem->message, sizeof(problem->message), "%s ",
                            problem->field);
    if (used >= sizeof(problem->message)) /* the field's name is much shorter */
        return SH_INVALID;
    va_start(args, format);
    (void)vsnprintf(problem->message + used, sizeof(problem->message) - used, format,
                    args);
    va_end(args);
    return SH_INVALID;
}

static bool has_nul(struct sh_bytes text)
{
    return text.len > 0 && memchr(text.data, '\0', text.len) != NULL;
}

/* C0, DEL, and C1 in UTF-8. */
static bool has_control(struct sh_bytes text)
{
    const uint8_t *bytes = text.data;

    for (size_t i = 0; i < text.len; i++) {
        if (bytes[i] < 0x20 || bytes[i] == 0x7f)
            return true;
        if (bytes[i] == 0xc2 && i + 1 < text.len && bytes[i + 1] < 0xa0)
            return true;
    }
    return false;
}

static bool is_blank(struct sh_bytes text)
{
    const char *bytes = text.data;

    for (size_t i = 0; i < text.len; i++)
        if (strchr(" \t\r\n\f\v", bytes[i]) == NULL || bytes[i] == '\0')
            return false;
    return true;
}

bool record_id_ok(struct sh_bytes id)
{
    return id.len > 0 && id.len <= RECORD_ID_MAX && !has_control(id);
}

/* --- metadata --------------------------------------------------------------------- */

/* A text member, at most 256 bytes; absent and null leave *out empty. */
static enum sh_err take_text(const json_t *metadata, const char *name,
                             struct sh_arena *arena, struct sh_bytes *out,
                             struct record_problem *problem)
{
    const json_t *value = json_object_get(metadata, name);
    char field[64];

    (void)snprintf(field, sizeof(field), "metadata.%s", name);
    if (value == NULL || json_is_null(value))
        return SH_OK;
    if (!json_is_string(value))
        return wrong(problem, field, "must be a text");
    size_t len = json_string_length(value);
    if (len > 256)
        return wrong(problem, field, "must be at most 256 bytes long");
    *out = sh_arena_copy(arena, (struct sh_bytes){json_string_value(value), len});
    return len > 0 && out->data == NULL ? SH_NOMEM : SH_OK;
}

static enum sh_err take_level(const json_t *metadata, const char *name, uint32_t *out,
                              struct record_problem *problem)
{
    const json_t *value = json_object_get(metadata, name);
    char field[64];

    if (value == NULL || json_is_null(value))
        return SH_OK;
    (void)snprintf(field, sizeof(field), "metadata.%s", name);
    if (!json_is_integer(value) || json_integer_value(value) < 1 ||
        json_integer_value(value) > 5)
        return wrong(problem, field, "must be a whole number from 1 to 5");
    *out = (uint32_t)json_integer_value(value);
    return SH_OK;
}

static enum sh_err take_reviewed(const json_t *metadata, struct sh_arena *arena,
                                 struct record *out, struct record_problem *problem)
{
    struct sh_bytes given = {0};
    char moment[MOMENT_TEXT];
    enum sh_err err = take_text(metadata, "last_reviewed", arena, &given, problem);

    if (err != SH_OK || given.len == 0)
        return err;
    if (!moment_parse(given, moment))
        return wrong(problem, "metadata.last_reviewed",
                     "must be a date or an RFC 3339 time");
    out->last_reviewed = sh_arena_copy(arena, sh_bytes_of(moment));
    return out->last_reviewed.data == NULL ? SH_NOMEM : SH_OK;
}

static enum sh_err take_columns(const json_t *metadata, struct sh_arena *arena,
                                struct record *out, struct record_problem *problem)
{
    enum sh_err err;

    out->clearance_level = 1;
    if ((err = take_text(metadata, "department", arena, &out->department, problem)) ||
        (err = take_text(metadata, "campus", arena, &out->campus, problem)) ||
        (err = take_text(metadata, "language", arena, &out->language, problem)))
        return err;
    if (out->language.len == 0 &&
        (err = take_text(metadata, "lang", arena, &out->language, problem)))
        return err;
    const json_t *level = json_object_get(metadata, "clearance_level");
    out->clearance_said = level != NULL && !json_is_null(level);
    if ((err = take_level(metadata, "priority", &out->priority, problem)) ||
        (err = take_level(metadata, "clearance_level", &out->clearance_level, problem)))
        return err;
    return take_reviewed(metadata, arena, out, problem);
}

/* The exponent that follows, without its sign; digits are skipped. */
static size_t exponent(const char **at, const char *end)
{
    size_t value = 0;

    while (*at + 1 < end && strchr("+-0123456789", (*at)[1]) != NULL) {
        ++*at;
        if (**at >= '0' && **at <= '9' && value < 10000)
            value = value * 10 + (size_t)(**at - '0');
    }
    return value;
}

/* At most how long the record gives it back: it sets a space after each comma and colon,
 * and writes 1e300 with all its zeros. */
static size_t stored_length(struct sh_bytes canonical)
{
    const char *at = canonical.data;
    const char *end = at + canonical.len;
    size_t len = canonical.len;
    bool quoted = false;

    for (; at < end; at++) {
        if (quoted && *at == '\\')
            at++;
        else if (*at == '"')
            quoted = !quoted;
        else if (!quoted && (*at == ',' || *at == ':'))
            len++;
        else if (!quoted && *at == 'e' && at[-1] >= '0' && at[-1] <= '9')
            len += exponent(&at, end) + 2;
    }
    return len;
}

/* Sorted keys and no white space, so that equal objects hash alike. */
static enum sh_err canonical(const json_t *metadata, struct sh_arena *arena,
                             struct sh_bytes *out)
{
    const size_t flags = JSON_COMPACT | JSON_SORT_KEYS;
    size_t len = json_dumpb(metadata, NULL, 0, flags);
    char *text = len > 0 ? sh_arena_alloc(arena, len) : NULL;

    if (text == NULL || json_dumpb(metadata, text, len, flags) != len)
        return SH_NOMEM;
    *out = (struct sh_bytes){text, len};
    return SH_OK;
}

enum sh_err record_set_metadata(const json_t *metadata, struct sh_arena *arena,
                                struct record *record, struct record_problem *problem)
{
    enum sh_err err = canonical(metadata, arena, &record->metadata);

    if (err == SH_OK && stored_length(record->metadata) > RECORD_METADATA_MAX)
        return wrong(problem, "metadata",
                     "must be at most %d bytes long, with a space after each comma and "
                     "colon and every number written out",
                     RECORD_METADATA_MAX);
    return err;
}

static enum sh_err check_metadata(struct sh_bytes given, struct sh_arena *arena,
                                  struct record *out, struct record_problem *problem)
{
    json_error_t fault;
    json_t *metadata;
    enum sh_err err;

    if (given.len == 0)
        given = sh_bytes_of("{}");
    metadata = json_loadb(given.data, given.len, 0, &fault);
    if (metadata == NULL)
        return wrong(problem, "metadata", "is not valid JSON: %.160s", fault.text);
    if (!json_is_object(metadata))
        err = wrong(problem, "metadata", "must be a JSON object");
    else if ((err = take_columns(metadata, arena, out, problem)) == SH_OK)
        err = record_set_metadata(metadata, arena, out, problem);
    json_decref(metadata);
    return err;
}

/* --- hash ------------------------------------------------------------------------- */

/* The length goes first, so that no two lists of texts look alike. */
static bool hash_text(EVP_MD_CTX *context, struct sh_bytes text)
{
    uint64_t len = text.len;

    return EVP_DigestUpdate(context, &len, sizeof(len)) == 1 &&
           EVP_DigestUpdate(context, text.data, text.len) == 1;
}

static bool hash_content(EVP_MD_CTX *context, const struct record *record)
{
    bool ok = EVP_DigestInit_ex(context, EVP_sha256(), NULL) == 1 &&
              hash_text(context, record->title) &&
              hash_text(context, record->collection) &&
              hash_text(context, record->metadata);

    for (size_t i = 0; ok && i < record->section_count; i++) {
        const struct section *section = &record->sections[i];
        uint64_t page = section->page_number;
        ok = hash_text(context, section->title) && hash_text(context, section->text) &&
             EVP_DigestUpdate(context, &page, sizeof(page)) == 1;
    }
    return ok;
}

static void hash_print(const uint8_t *digest, char out[static RECORD_HASH_TEXT])
{
    for (size_t i = 0; i < 32; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", digest[i]);
}

enum sh_err record_hash(struct sh_bytes text, char out[static RECORD_HASH_TEXT])
{
    uint8_t digest[EVP_MAX_MD_SIZE];

    if (EVP_Digest(text.data, text.len, digest, NULL, EVP_sha256(), NULL) != 1)
        return SH_NOMEM;
    hash_print(digest, out);
    return SH_OK;
}

enum sh_err record_set_file(struct record *record, const struct record_file *file)
{
    char both[2 * RECORD_HASH_TEXT];
    int len = snprintf(both, sizeof(both), "%s%.*s", record->hash,
                       (int)(file->hash.len < RECORD_HASH_TEXT ? file->hash.len : 0),
                       (const char *)file->hash.data);

    record->file = file;
    return record_hash((struct sh_bytes){both, (size_t)len}, record->hash);
}

static enum sh_err hash_record(struct record *record)
{
    uint8_t digest[EVP_MAX_MD_SIZE];
    EVP_MD_CTX *context = EVP_MD_CTX_new();
    bool ok = context != NULL && hash_content(context, record) &&
              EVP_DigestFinal_ex(context, digest, NULL) == 1;

    EVP_MD_CTX_free(context);
    if (!ok)
        return SH_NOMEM;
    hash_print(digest, record->hash);
    return SH_OK;
}

/* --- the whole -------------------------------------------------------------------- */

static enum sh_err check_sections(const struct document *document,
                                  struct record_problem *problem)
{
    bool text = !is_blank(document->title);

    for (size_t i = 0; i < document->sections_count; i++) {
        const struct section *section = &document->sections[i];
        if (has_nul(section->title) || has_nul(section->text))
            return wrong(problem, "sections", "must not hold a NUL character");
        text = text || !is_blank(section->text);
    }
    if (!text)
        return wrong(problem, "text", "and title must not both be blank");
    return SH_OK;
}

enum sh_err record_check(const struct document *document, struct sh_arena *arena,
                         struct record *out, struct record_problem *problem)
{
    enum sh_err err;

    *out = (struct record){.id = document->id,
                           .title = document->title,
                           .collection = document->collection,
                           .sections = document->sections,
                           .section_count = document->sections_count};
    if (out->collection.len == 0)
        out->collection = sh_bytes_of("default");
    if (out->id.len > 0 && !record_id_ok(out->id))
        return wrong(problem, "id",
                     "must be 1 to %d bytes long without control characters",
                     RECORD_ID_MAX);
    if (has_nul(out->title))
        return wrong(problem, "title", "must not hold a NUL character");
    if (has_control(out->collection))
        return wrong(problem, "collection", "must not hold a control character");
    if ((err = check_sections(document, problem)) != SH_OK ||
        (err = check_metadata(document->metadata, arena, out, problem)) != SH_OK)
        return err;
    return hash_record(out);
}

void record_new_id(char out[static 64])
{
    uint8_t bytes[16];
    uint64_t now_ms = (uint64_t)(sh_wall_time() * 1000);

    sh_random(bytes, sizeof(bytes));
    for (int i = 0; i < 6; i++)
        bytes[i] = (uint8_t)(now_ms >> (40 - 8 * i));
    bytes[6] = (uint8_t)(0x70 | (bytes[6] & 0x0f));
    bytes[8] = (uint8_t)(0x80 | (bytes[8] & 0x3f));
    int len = snprintf(out, 64, "doc_");
    for (int i = 0; i < 16; i++)
        len += snprintf(out + len, 64 - (size_t)len, "%s%02x",
                        i == 4 || i == 6 || i == 8 || i == 10 ? "-" : "", bytes[i]);
}
