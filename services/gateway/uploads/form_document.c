#include "services/gateway/uploads/form_document.h"

#include "proto/wire.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_in.h"

static bool refuse(struct form_document *self, const char *field, const char *error)
{
    self->problem = (struct sh_problem){
        .status = 400, .code = "invalid_request", .field = field, .error = error};
    return false;
}

static bool refuse_memory(struct form_document *self, const char *field)
{
    self->problem = (struct sh_problem){.status = sh_err_http_status(SH_NOMEM),
                                        .code = sh_err_code(SH_NOMEM),
                                        .field = field,
                                        .error = "out of memory"};
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
    if (err == SH_NOMEM)
        return refuse_memory(self, "metadata");
    return refuse(self, "metadata",
                  err != SH_OK ? self->why : "metadata must be a JSON object");
}

/* What is none could not go to search. */
static bool check_texts(const struct form *form, struct form_document *self)
{
    static const struct {
        enum form_field field;
        const char *name, *error;
    } texts[] = {{FORM_id, "id", "id must be UTF-8"},
                 {FORM_title, "title", "title must be UTF-8"},
                 {FORM_collection, "collection", "collection must be UTF-8"},
                 {FORM_language, "language", "language must be UTF-8"}};

    for (size_t i = 0; i < SH_COUNT(texts); i++)
        if (!wire_utf8(sh_buffer_bytes(&form->fields[texts[i].field])))
            return refuse(self, texts[i].name, texts[i].error);
    return true;
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
           refuse_memory(self, "language");
}

bool form_document_read(const struct form *form, struct form_document *out)
{
    struct document_body body = {
        .id = sh_buffer_bytes(&form->fields[FORM_id]),
        .title = sh_buffer_bytes(&form->fields[FORM_title]),
        .collection = sh_buffer_bytes(&form->fields[FORM_collection]),
    };

    *out = (struct form_document){0};
    if (!check_texts(form, out) || !read_metadata(form, out) || !add_language(form, out))
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
