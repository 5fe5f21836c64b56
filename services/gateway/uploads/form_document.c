#include "services/gateway/uploads/form_document.h"

#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_in.h"

static bool refuse(struct form_document *self, const char *field, const char *error)
{
    self->problem = (struct sh_problem){
        .status = 400, .code = "invalid_request", .field = field, .error = error};
    return false;
}

static bool read_metadata(const struct form *form, struct form_document *self)
{
    struct sh_bytes text = sh_buffer_bytes(&form->fields[FORM_metadata]);

    if (text.len == 0)
        return true;
    enum sh_err err = json_in(text, &self->metadata, self->why, sizeof self->why);
    if (err == SH_OK && json_is_object(self->metadata))
        return true;
    (void)refuse(self, "metadata",
                 err != SH_OK ? self->why : "metadata must be a JSON object");
    if (err == SH_NOMEM) {
        self->problem.status = 503;
        self->problem.code = sh_err_code(err);
    }
    return false;
}

/* The field `language` counts more than what the metadata says. */
static bool add_language(const struct form *form, struct form_document *self)
{
    struct sh_bytes language = sh_buffer_bytes(&form->fields[FORM_language]);

    if (language.len == 0)
        return true;
    if (self->metadata == NULL)
        self->metadata = json_object();
    return json_object_set_new(self->metadata, "language",
                               json_stringn(language.data, language.len)) == 0 ||
           refuse(self, "language", "language must be UTF-8");
}

bool form_document_read(const struct form *form, struct form_document *out)
{
    struct document_body body = {
        .id = sh_buffer_bytes(&form->fields[FORM_id]),
        .title = sh_buffer_bytes(&form->fields[FORM_title]),
        .collection = sh_buffer_bytes(&form->fields[FORM_collection]),
    };

    *out = (struct form_document){0};
    if (!read_metadata(form, out) || !add_language(form, out))
        return false;
    body.metadata = out->metadata;
    if (document_of_file(&body, &out->arena, &out->document, &out->fault))
        return true;
    out->problem = (struct sh_problem){.status = sh_err_http_status(out->fault.err),
                                       .code = sh_err_code(out->fault.err),
                                       .field = out->fault.field,
                                       .error = out->fault.error};
    return false;
}

void form_document_free(struct form_document *self)
{
    json_decref(self->metadata);
    sh_arena_free(&self->arena);
}
