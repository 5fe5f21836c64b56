#include "services/search/glossary/import_result.h"

#include <inttypes.h>
#include <stdio.h>

#include "shared/pg.h"

static uint64_t member(const json_t *cursor, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(cursor, name));

    return value > 0 ? (uint64_t)value : 0;
}

void import_result_read(struct import_result *self, struct sh_bytes cursor)
{
    json_t *json = cursor.len > 0 ? json_loadb(cursor.data, cursor.len, 0, NULL) : NULL;
    json_t *errors = json_object_get(json, "errors");

    *self = (struct import_result){.batches = member(json, "batches"),
                                   .rows = member(json, "rows"),
                                   .created = member(json, "created"),
                                   .updated = member(json, "updated"),
                                   .unchanged = member(json, "unchanged"),
                                   .failed = member(json, "failed"),
                                   .relations = member(json, "relations"),
                                   .unrelated = member(json, "unrelated")};
    if (json_is_array(errors))
        self->errors = json_incref(errors);
    json_decref(json);
}

static void add_error(struct import_result *self, json_t *error)
{
    if (self->errors == NULL)
        self->errors = json_array();
    if (error != NULL && json_array_size(self->errors) < IMPORT_ERRORS_MAX)
        (void)json_array_append_new(self->errors, error); /* it is but told */
    else
        json_decref(error);
}

/* An outcome that is a failure, for people. */
static const char *reason_of(const char *outcome)
{
    if (strcmp(outcome, "duplicate") == 0)
        return "an earlier line has the same term, or the same id";
    if (strcmp(outcome, "conflict") == 0)
        return "it is in conflict with another entry: the same term, or the same id";
    if (strcmp(outcome, "forbidden") == 0)
        return "its clearance_level and department, or those of the entry that is there, "
               "are not within one's own";
    return "what is no draft takes the permission validate_glossary";
}

static void add_outcome(struct import_result *self, const char *line, const char *outcome)
{
    char item[48];

    if (strcmp(outcome, "created") == 0) {
        self->created++;
    } else if (strcmp(outcome, "updated") == 0) {
        self->updated++;
    } else if (strcmp(outcome, "unchanged") == 0) {
        self->unchanged++;
    } else {
        self->failed++;
        (void)snprintf(item, sizeof(item), "line %s", line);
        add_error(self, json_pack("{s:s, s:s, s:s}", "item", item, "code", outcome,
                                  "error", reason_of(outcome)));
    }
}

void import_result_add(struct import_result *self, const struct glossary_batch *batch,
                       const PGresult *outcomes)
{
    self->batches++;
    self->rows += batch->rows;
    self->failed += batch->errors_count;
    for (size_t i = 0; i < batch->errors_count; i++) {
        const struct job_error *error = &batch->errors[i];
        add_error(self,
                  json_pack("{s:s%, s:s%, s:s%}", "item", error->item.data,
                            error->item.len, "code", error->code.data, error->code.len,
                            "error", error->error.data, error->error.len));
    }
    for (int row = 0; row < PQntuples(outcomes); row++)
        add_outcome(self, PQgetvalue(outcomes, row, 0), PQgetvalue(outcomes, row, 1));
}

void import_result_related(struct import_result *self, const PGresult *figures)
{
    self->unrelated += sh_pg_u64(figures, 0, 1);
    self->relations += sh_pg_u64(figures, 0, 2);
}

char *import_result_text(const struct import_result *self)
{
    json_t *json = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:o}", "batches",
        (json_int_t)self->batches, "rows", (json_int_t)self->rows, "created",
        (json_int_t)self->created, "updated", (json_int_t)self->updated, "unchanged",
        (json_int_t)self->unchanged, "failed", (json_int_t)self->failed, "relations",
        (json_int_t)self->relations, "unrelated", (json_int_t)self->unrelated, "errors",
        self->errors != NULL ? json_incref(self->errors) : json_array());
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

void import_result_free(struct import_result *self)
{
    json_decref(self->errors);
    *self = (struct import_result){0};
}
