#include "services/gateway/handlers/job_portion.h"

#include <stdio.h>

bool job_portion_is_full(const struct job_portion *self)
{
    return self->count == PORTION_ITEMS || self->bytes >= PORTION_BYTES;
}

static struct sh_bytes explain(struct job_portion *self, const struct schema_fault *fault)
{
    char text[sizeof fault->field + sizeof fault->error + 2];

    (void)snprintf(text, sizeof text, "%s%s%s", fault->field,
                   fault->field[0] != '\0' ? ": " : "", fault->error);
    return sh_arena_copy(&self->arena, sh_bytes_of(text));
}

void job_portion_add(struct job_portion *self, const struct sh_line *line)
{
    struct job_input *item = &self->items[self->count];
    struct batch_document document;

    *item = (struct job_input){.line = line->number};
    if (batch_line_read(line, &self->arena, &document)) {
        self->puts[self->count] = document.put;
        item->put = &self->puts[self->count];
        item->put_count = 1;
        item->turn = document.key;
    } else {
        item->code = sh_bytes_of(document.code);
        item->error = explain(self, &document.fault);
    }
    self->parsed[self->count] = document.json;
    self->count++;
    self->bytes += line->text.len;
}

/* What no message can hold is told apart, so that it does not spoil the others. */
static void sort_out(struct job_portion *self)
{
    for (size_t i = 0; i < self->count; i++) {
        struct job_input *item = &self->items[i];
        struct sh_buffer alone = {0};
        enum sh_err err = item->put_count > 0
                              ? msg_encode(document_put_desc(), item->put, &alone)
                              : SH_OK;
        sh_buffer_free(&alone);
        if (err == SH_OK)
            continue;
        item->put_count = 0;
        item->code = sh_bytes_of(sh_err_code(err));
        item->error = sh_bytes_of(sh_err_text(err));
    }
}

enum sh_err job_portion_encode(struct job_portion *self, struct job_append *append,
                               struct sh_buffer *frame)
{
    append->items = self->items;
    append->items_count = self->count;
    enum sh_err err = msg_encode(job_append_desc(), append, frame);
    if (err != SH_TOOBIG && err != SH_MALFORMED)
        return err;
    sort_out(self);
    return msg_encode(job_append_desc(), append, frame);
}

void job_portion_clear(struct job_portion *self)
{
    for (size_t i = 0; i < self->count; i++)
        json_decref(self->parsed[i]);
    self->count = 0;
    self->bytes = 0;
    sh_arena_free(&self->arena);
}
