#include "services/gateway/uploads/form.h"

#include <stdio.h>

static const struct {
    const char *name;
    size_t most;
} known[] = {
#define FORM_ROW(member, name, most) {name, most},
    FORM_FIELDS(FORM_ROW)
#undef FORM_ROW
};

enum { PARTS = 32 };

static enum sh_err blame(struct form *self, enum sh_err err, const char *field,
                         const char *why)
{
    self->field = field;
    self->why = why;
    return err;
}

/* --- parts
 * ------------------------------------------------------------------------------ */

static enum sh_err begin_file(struct form *self, const struct sh_multipart_part *part)
{
    if (self->writer != NULL)
        return blame(self, SH_INVALID, "file", "an upload has one file");
    if (!part->is_file || part->filename[0] == '\0')
        return blame(self, SH_INVALID, "file", "the part file needs a file and its name");
    self->sink = FORM_FILE;
    (void)snprintf(self->file_type, sizeof self->file_type, "%s", part->type);
    enum sh_err err = file_name_clean(sh_bytes_of(part->filename), self->file_name);
    if (err == SH_OK)
        err = sh_file_begin(self->store, self->drained, self->arg, &self->writer);
    return err;
}

static enum sh_err on_begin(void *arg, const struct sh_multipart_part *part)
{
    struct form *self = arg;

    self->sink = FORM_OTHER;
    if (strcmp(part->name, "file") == 0)
        return begin_file(self, part);
    if (part->is_file)
        return blame(self, SH_INVALID, "file", "the file belongs in the part file");
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++) {
        if (strcmp(part->name, known[i].name) != 0)
            continue;
        if (self->seen[i])
            return blame(self, SH_INVALID, known[i].name, "a field may come once");
        self->seen[i] = true;
        self->sink = (enum form_field)i;
    }
    return SH_OK;
}

static enum sh_err on_file_data(struct form *self, struct sh_bytes piece)
{
    bool full;

    self->file_bytes += piece.len;
    if (self->file_bytes > self->file_max)
        return blame(self, SH_TOOBIG, "file",
                     "the file is larger than this server takes");
    enum sh_err err = sh_file_append(self->writer, piece, &full);
    self->full = self->full || full;
    return err;
}

static enum sh_err on_data(void *arg, struct sh_bytes piece)
{
    struct form *self = arg;

    if (self->sink == FORM_FILE)
        return on_file_data(self, piece);
    if (self->sink == FORM_OTHER)
        return SH_OK;
    struct sh_buffer *field = &self->fields[self->sink];
    if (piece.len > known[self->sink].most - field->len)
        return blame(self, SH_INVALID, known[self->sink].name, "the field is too long");
    sh_buffer_append(field, piece.data, piece.len);
    return field->err;
}

static enum sh_err on_end(void *arg)
{
    ((struct form *)arg)->sink = FORM_OTHER;
    return SH_OK;
}

/* --- all of it
 * -------------------------------------------------------------------------- */

enum sh_err form_open(struct form *self, struct sh_bytes content_type,
                      struct sh_file_store *store, uint64_t file_max,
                      void (*drained)(void *arg), void *arg)
{
    static const struct sh_multipart_events events = {on_begin, on_data, on_end};
    const struct sh_multipart_limits limits = {.parts = PARTS};

    *self = (struct form){.store = store,
                          .file_max = file_max,
                          .drained = drained,
                          .arg = arg,
                          .sink = FORM_OTHER,
                          .field = ""};
    return sh_multipart_create(content_type, &limits, &events, self, &self->parser);
}

enum sh_err form_feed(struct form *self, struct sh_bytes bytes)
{
    return sh_multipart_feed(self->parser, bytes);
}

enum sh_err form_end(struct form *self)
{
    enum sh_err err = sh_multipart_end(self->parser);

    if (err == SH_OK && self->writer == NULL)
        err = blame(self, SH_INVALID, "file", "there is no part named file");
    return err;
}

const char *form_why(const struct form *self)
{
    return self->why != NULL ? self->why : sh_multipart_why(self->parser);
}

void form_close(struct form *self)
{
    sh_multipart_free(&self->parser);
    sh_file_writer_close(&self->writer);
    for (size_t i = 0; i < FORM_FIELD_COUNT; i++)
        sh_buffer_free(&self->fields[i]);
}
