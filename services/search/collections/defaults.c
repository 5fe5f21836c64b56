#include "services/search/collections/defaults.h"

#include <stdio.h>

#include "services/search/collections/collections_sql.h"
#include "shared/pg.h"

static enum sh_err copy(const PGresult *rows, int row, int column, struct sh_arena *arena,
                        struct sh_bytes *out)
{
    struct sh_bytes text = sh_pg_text(rows, row, column);

    if (text.len == 0)
        return SH_OK;
    *out = sh_arena_copy(arena, text);
    return out->data == NULL ? SH_NOMEM : SH_OK;
}

enum sh_err defaults_read(const PGresult *rows, int row, struct sh_arena *arena,
                          struct defaults *out)
{
    enum sh_err err;

    *out = (struct defaults){0};
    out->chunk_tokens = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_TOKENS);
    out->overlap_said = !PQgetisnull(rows, row, DEFAULTS_OVERLAP);
    out->chunk_overlap_percent = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_OVERLAP);
    out->clearance_level = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_CLEARANCE);
    out->priority = (uint32_t)sh_pg_u64(rows, row, DEFAULTS_PRIORITY);
    if ((err = copy(rows, row, DEFAULTS_LANGUAGE, arena, &out->language)) != SH_OK ||
        (err = copy(rows, row, DEFAULTS_DEPARTMENT, arena, &out->department)) != SH_OK)
        return err;
    return copy(rows, row, DEFAULTS_CAMPUS, arena, &out->campus);
}

/* --- the columns ------------------------------------------------------------------ */

static void inherit(struct sh_bytes *own, struct sh_bytes said, struct record *record,
                    enum inherited bit)
{
    if (own->len > 0 || said.len == 0)
        return;
    *own = said;
    record->inherited |= bit;
}

static void fill(const struct defaults *defaults, struct record *record)
{
    inherit(&record->language, defaults->language, record, INHERITED_LANGUAGE);
    inherit(&record->department, defaults->department, record, INHERITED_DEPARTMENT);
    inherit(&record->campus, defaults->campus, record, INHERITED_CAMPUS);
    if (!record->clearance_said && defaults->clearance_level > 0) {
        record->clearance_level = defaults->clearance_level;
        record->inherited |= INHERITED_CLEARANCE;
    }
    if (record->priority == 0 && defaults->priority > 0) {
        record->priority = defaults->priority;
        record->inherited |= INHERITED_PRIORITY;
    }
}

/* What was inherited and how it is cut; a collection that says nothing changes nothing.
 */
static enum sh_err hash(const struct defaults *defaults, struct record *record)
{
    char text[1200];
    char overlap[12] = "";
    const char *before = record->hash;
    unsigned bits = record->inherited;
    struct sh_bytes language =
        bits & INHERITED_LANGUAGE ? record->language : sh_bytes_of("");
    struct sh_bytes department =
        bits & INHERITED_DEPARTMENT ? record->department : sh_bytes_of("");
    struct sh_bytes campus = bits & INHERITED_CAMPUS ? record->campus : sh_bytes_of("");

    if (bits == 0 && defaults->chunk_tokens == 0 && !defaults->overlap_said)
        return SH_OK;
    if (defaults->overlap_said)
        (void)snprintf(overlap, sizeof(overlap), "%u",
                       (unsigned)defaults->chunk_overlap_percent);
    int len = snprintf(text, sizeof(text), "%s %u %s %u %u %u %zu:%.*s %zu:%.*s %zu:%.*s",
                       before, (unsigned)defaults->chunk_tokens, overlap, bits,
                       (unsigned)record->clearance_level, (unsigned)record->priority,
                       language.len, (int)language.len, (const char *)language.data,
                       department.len, (int)department.len, (const char *)department.data,
                       campus.len, (int)campus.len, (const char *)campus.data);
    if (len < 0 || (size_t)len >= sizeof(text)) /* texts have 256 bytes at most */
        return SH_INTERNAL;
    return record_hash((struct sh_bytes){text, (size_t)len}, record->hash);
}

enum sh_err defaults_fill(const struct defaults *defaults, struct record *record,
                          struct record_problem *problem)
{
    if (record->clearance_said && record->clearance_level < defaults->clearance_level) {
        (void)snprintf(problem->field, sizeof(problem->field),
                       "metadata.clearance_level");
        (void)snprintf(problem->message, sizeof(problem->message),
                       "metadata.clearance_level is below that of the collection, %u",
                       (unsigned)defaults->clearance_level);
        return SH_INVALID;
    }
    fill(defaults, record);
    return hash(defaults, record);
}

/* --- the metadata ----------------------------------------------------------------- */

static int set_text(json_t *metadata, const char *name, struct sh_bytes text)
{
    return json_object_set_new(metadata, name, json_stringn(text.data, text.len));
}

static bool set_all(json_t *metadata, const struct record *record)
{
    unsigned bits = record->inherited;
    int failed = 0;

    if (bits & INHERITED_LANGUAGE)
        failed |= set_text(metadata, "language", record->language);
    if (bits & INHERITED_DEPARTMENT)
        failed |= set_text(metadata, "department", record->department);
    if (bits & INHERITED_CAMPUS)
        failed |= set_text(metadata, "campus", record->campus);
    if (bits & INHERITED_CLEARANCE)
        failed |= json_object_set_new(metadata, "clearance_level",
                                      json_integer(record->clearance_level));
    if (bits & INHERITED_PRIORITY)
        failed |=
            json_object_set_new(metadata, "priority", json_integer(record->priority));
    return failed == 0;
}

enum sh_err defaults_show(struct record *record, struct sh_arena *arena,
                          struct record_problem *problem)
{
    struct sh_bytes text = record->metadata;
    enum sh_err err = SH_NOMEM;
    json_t *metadata;

    if (record->inherited == 0)
        return SH_OK;
    metadata = json_loadb(text.data, text.len, 0, NULL);
    if (metadata != NULL && set_all(metadata, record))
        err = record_set_metadata(metadata, arena, record, problem);
    json_decref(metadata);
    return err;
}

struct chunk_options defaults_chunks(const struct defaults *defaults,
                                     const struct chunk_options *own)
{
    struct chunk_options options = *own;

    if (defaults->chunk_tokens > 0)
        options.tokens = defaults->chunk_tokens;
    if (defaults->overlap_said)
        options.overlap_percent = defaults->chunk_overlap_percent;
    return options;
}
