#include "services/search/glossary/terms_child.h"

#include <limits.h>
#include <stdio.h>

#include "services/search/extract/extract_child.h"
#include "shared/mem.h"

enum { LENGTH_BYTES = 4, FRAME_MAX = 10 << 20, CHARACTERS = 2000000000 };

struct terms_child {
    const struct terms_child_events *events;
    void *arg;
    struct extract_child *child;
    bool nonsense;
    bool whole; /* its end came */
    struct sh_buffer bytes;
    struct sh_arena arena;       /* of the batch, or of the end */
    struct glossary_batch batch; /* with the owner */
    struct extract_end end;
};

/* --- the end ---------------------------------------------------------------------- */

static void free_child(struct terms_child *self)
{
    sh_buffer_free(&self->bytes);
    sh_arena_free(&self->arena);
    sh_free(self);
}

/* Why the file is refused, for people; "" when it is not. */
static void say_end(const struct terms_child *self, bool over_memory,
                    char code[static 65], char message[static 513])
{
    const struct extract_end *end = &self->end;

    if (self->whole && !self->nonsense) {
        (void)snprintf(code, 65, "%.*s", (int)end->code.len,
                       (const char *)end->code.data);
        (void)snprintf(message, 513, "%.*s", (int)end->message.len,
                       (const char *)end->message.data);
    } else {
        (void)snprintf(code, 65, "%s",
                       over_memory ? "limit_exceeded" : "extraction_failed");
        (void)snprintf(message, 513, "%s",
                       over_memory ? "reading it takes too much memory"
                                   : "it could not be read to its end");
    }
}

static void on_ended(void *arg, const struct extract_exit *exit)
{
    struct terms_child *self = arg;
    const struct terms_child_events *events = self->events;
    void *owner = self->arg;
    char code[65];
    char message[513];

    say_end(self, exit->killed == EXTRACT_OVER_MEMORY, code, message);
    free_child(self);
    events->ended(owner, code, message);
}

/* --- frames ----------------------------------------------------------------------- */

static void refuse(struct terms_child *self)
{
    self->nonsense = true;
    sh_buffer_clear(&self->bytes);
    extract_child_kill(self->child, EXTRACT_NONSENSE);
}

/* Length of the first frame with its head; 0: it is not all here. */
static size_t first_frame(struct terms_child *self)
{
    const uint8_t *at = (const uint8_t *)self->bytes.data;
    size_t len;

    if (self->bytes.len < LENGTH_BYTES)
        return 0;
    len = (size_t)at[0] | (size_t)at[1] << 8 | (size_t)at[2] << 16 | (size_t)at[3] << 24;
    if (len < 2 || len > FRAME_MAX || self->whole) {
        refuse(self);
        return 0;
    }
    return self->bytes.len < len + LENGTH_BYTES ? 0 : len + LENGTH_BYTES;
}

/* The owner may have closed it when this returns. */
static void take_batch(struct terms_child *self, struct sh_bytes body)
{
    if (msg_decode(glossary_batch_desc(), body, &self->arena, &self->batch) != SH_OK) {
        refuse(self);
        return;
    }
    extract_child_hold(self->child, true);
    self->events->batch(self->arg, &self->batch);
}

static void take_end(struct terms_child *self, struct sh_bytes body)
{
    body = sh_arena_copy(&self->arena, body);
    self->whole = body.data != NULL &&
                  msg_decode(extract_end_desc(), body, &self->arena, &self->end) == SH_OK;
    if (!self->whole)
        refuse(self);
}

/* The frames that are here, up to the first batch, which terms_child_next() consumes. A
 * message is an array whose first item is its number, a byte or two behind the array's
 * own. The owner may have closed it when this returns. */
static void take(struct terms_child *self)
{
    size_t len;

    if (self->bytes.err != SH_OK)
        refuse(self);
    while (!self->nonsense && (len = first_frame(self)) > 0) {
        struct sh_bytes body = {self->bytes.data + LENGTH_BYTES, len - LENGTH_BYTES};
        const uint8_t *at = body.data;
        if (at[1] != extract_end_desc()->id) {
            take_batch(self, body);
            return;
        }
        take_end(self, body);
        sh_buffer_consume(&self->bytes, self->nonsense ? 0 : len);
    }
}

static void on_piece(void *arg, struct sh_bytes piece)
{
    struct terms_child *self = arg;

    sh_buffer_append(&self->bytes, piece.data, piece.len);
    take(self);
}

void terms_child_next(struct terms_child *self)
{
    size_t len = first_frame(self);

    sh_arena_free(&self->arena);
    if (len > 0)
        sh_buffer_consume(&self->bytes, len);
    extract_child_hold(self->child, false);
    take(self);
}

/* --- its life --------------------------------------------------------------------- */

static enum sh_err run(struct terms_child *self,
                       const struct terms_child_options *options,
                       const struct terms_child_file *file)
{
    char program[PATH_MAX];
    char type[64];
    const struct extract_child_order order = {.program = program,
                                              .name = "",
                                              .type = type,
                                              .fd = file->fd,
                                              .pages = 1,
                                              .characters = CHARACTERS,
                                              .nesting = options->nesting,
                                              .ratio = options->ratio,
                                              .memory_mb = options->memory_mb,
                                              .cpu_s = options->cpu_s};
    enum sh_err err = extract_find_program(options->program, program);

    (void)snprintf(type, sizeof(type), "glossary/%s", file->format);
    return err == SH_OK ? extract_child_run(self->child, &order) : err;
}

enum sh_err terms_child_start(uv_loop_t *loop, const struct terms_child_options *options,
                              const struct terms_child_file *file,
                              const struct terms_child_events *events, void *arg,
                              struct terms_child **out)
{
    static const struct extract_child_events own = {on_piece, on_ended};
    struct terms_child *self = sh_alloc(sizeof(*self));
    enum sh_err err =
        self != NULL ? extract_child_open(loop, &own, self, &self->child) : SH_NOMEM;

    if (err == SH_OK) {
        self->events = events;
        self->arg = arg;
        err = run(self, options, file);
    }
    if (err == SH_OK)
        *out = self;
    else
        terms_child_close(&self);
    return err;
}

void terms_child_close(struct terms_child **child)
{
    struct terms_child *self = *child;

    *child = NULL;
    if (self == NULL)
        return;
    extract_child_close(&self->child);
    free_child(self);
}
