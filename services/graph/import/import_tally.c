#include "services/graph/import/import_tally.h"

#include <inttypes.h>
#include <stdio.h>

static uint64_t number_of(const json_t *from, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(from, name));

    return number > 0 ? (uint64_t)number : 0;
}

void import_tally_read(struct import_tally *self, const json_t *from)
{
    json_t *errors = json_object_get(from, "errors");

    import_tally_free(self);
    *self = (struct import_tally){.number = number_of(from, "number"),
                                  .created = number_of(from, "created"),
                                  .replaced = number_of(from, "replaced"),
                                  .unchanged = number_of(from, "unchanged"),
                                  .failed = number_of(from, "failed"),
                                  .errors =
                                      json_is_array(errors) ? json_incref(errors) : NULL};
}

static void add_error(struct import_tally *self, uint64_t line,
                      const struct store_fault *fault)
{
    char item[32];

    if (self->errors == NULL)
        self->errors = json_array();
    if (json_array_size(self->errors) >= IMPORT_ERRORS_MAX)
        return;
    (void)snprintf(item, sizeof item, "line %" PRIu64, line);
    json_t *error = json_pack("{s:s, s:s, s:s}", "item", item, "code", fault->code,
                              "error", fault->message);
    if (error != NULL && fault->field[0] != '\0')
        json_object_set_new(error, "field", json_string(fault->field));
    json_array_append_new(self->errors, error);
}

void import_tally_add(struct import_tally *self, const struct graph_put *put,
                      const struct stored *stored)
{
    self->number++;
    self->created += stored->created;
    self->replaced += stored->replaced;
    self->unchanged += stored->unchanged;
    self->failed += stored->refusal_count;
    for (size_t i = 0; i < stored->refusal_count; i++) {
        const struct store_refusal *refusal = &stored->refusals[i];
        struct store_fault fault = store_fault(refusal->verdict, refusal->edge);
        size_t count = refusal->edge ? put->edges_count : put->nodes_count;
        if (refusal->place < count)
            add_error(self,
                      refusal->edge ? put->edges[refusal->place].line
                                    : put->nodes[refusal->place].line,
                      &fault);
    }
}

char *import_tally_text(const struct import_tally *self)
{
    json_t *all = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:o}", "number", (json_int_t)self->number, "created",
        (json_int_t)self->created, "replaced", (json_int_t)self->replaced, "unchanged",
        (json_int_t)self->unchanged, "failed", (json_int_t)self->failed, "errors",
        self->errors != NULL ? json_incref(self->errors) : json_array());
    char *text = all != NULL ? json_dumps(all, JSON_COMPACT) : NULL;

    json_decref(all);
    return text;
}

void import_tally_free(struct import_tally *self)
{
    json_decref(self->errors);
    *self = (struct import_tally){0};
}
