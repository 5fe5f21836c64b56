/* A job of documents is made and filled. Every document gets its id here, before it is in
 * the queue: whoever stores it twice stores it once. */
#include <stdio.h>

#include "services/search/ingest/record.h"
#include "services/search/jobs/desk_internal.h"
#include "services/search/jobs/ingest.h"

/* --- made ------------------------------------------------------------------------- */

static void on_created(void *arg, const struct sh_job_reply *reply)
{
    struct desk_call *self = arg;

    if (reply->err == SH_BUSY) {
        sh_rpc_fail(self->call, SH_CONFLICT, NULL, NULL,
                    "too many of your jobs have not ended yet");
    } else if (reply->err != SH_OK) {
        desk_refuse_write(self->call, reply);
    } else {
        self->wrote = true;
        (void)snprintf(self->id, sizeof(self->id), "%s", reply->id);
        desk_answer_job(self);
    }
}

void desk_create_job(void *arg, struct sh_rpc_call *call)
{
    struct desk *desk = arg;
    const struct caller *caller = sh_rpc_call_caller(call);
    struct sh_buffer rights = {0};
    struct sh_job_new order = {.kind = INGEST_KIND,
                               .style = SH_JOB_ITEMS,
                               .created_by = caller->user_id,
                               .most_by_user = desk->options.most_by_user};
    struct job_new wanted;
    struct desk_call *self;
    enum sh_err err;

    if (sh_rpc_call_decode(call, job_new_desc(), &wanted) != SH_OK)
        return;
    order.file_name = wanted.file_name;
    if (!sh_bytes_is(wanted.kind, INGEST_KIND)) {
        sh_rpc_fail(call, SH_INVALID, NULL, "kind", "there are no such jobs to be made");
        return;
    }
    self = desk_begin(desk, call, sh_bytes_of(""));
    if (self == NULL)
        return;
    err = msg_encode(caller_desc(), caller, &rights);
    order.caller = sh_buffer_bytes(&rights);
    if (err == SH_OK)
        err = sh_job_add(desk->options.pg, &order, on_created, self);
    sh_buffer_free(&rights);
    if (err != SH_OK)
        desk_refuse(call, err, NULL);
}

/* --- filled ----------------------------------------------------------------------- */

static void answer(struct desk_call *self, const struct sh_job_reply *reply)
{
    const struct job_appended appended = {
        .total = reply->total, .full = reply->full, .state = sh_bytes_of(reply->state)};

    if (reply->err == SH_OK)
        sh_rpc_reply(self->call, job_appended_desc(), &appended);
    else
        desk_refuse_write(self->call, reply);
}

static void on_sealed(void *arg, const struct sh_job_reply *reply)
{
    answer(arg, reply);
}

static void on_appended(void *arg, const struct sh_job_reply *reply)
{
    struct desk_call *self = arg;
    enum sh_err err;

    if (reply->err != SH_OK || reply->full || !self->append->last) {
        answer(self, reply);
        return;
    }
    err = sh_job_seal(self->desk->options.pg, self->id,
                      self->append->first + self->append->items_count, on_sealed, self);
    if (err != SH_OK)
        desk_refuse(self->call, err, NULL);
}

/* The payload, as it is to be stored: with an id, and nobody who waits for a view. */
static enum sh_err encode(const struct job_input *from, struct sh_arena *arena,
                          struct sh_bytes *out)
{
    struct sh_buffer frame = {0};
    struct document document = from->put->document[0];
    struct document_put put = {
        .document = &document, .document_count = 1, .no_wait = true};
    char id[64];
    enum sh_err err;

    if (document.id.len == 0) {
        record_new_id(id);
        document.id = sh_bytes_of(id);
    }
    err = msg_encode(document_put_desc(), &put, &frame);
    if (err == SH_OK) {
        *out = sh_arena_copy(arena, sh_buffer_bytes(&frame));
        err = out->data != NULL ? SH_OK : SH_NOMEM;
    }
    sh_buffer_free(&frame);
    return err;
}

static enum sh_err fill(const struct job_input *from, struct sh_arena *arena,
                        struct sh_job_input *out)
{
    char label[32];

    (void)snprintf(label, sizeof(label), "line %llu", (unsigned long long)from->line);
    *out = (struct sh_job_input){.label = sh_arena_copy(arena, sh_bytes_of(label)),
                                 .turn = from->turn};
    if (from->put_count == 1 && from->put->document_count == 1)
        return encode(from, arena, &out->payload);
    out->code = sh_arena_strndup(arena, from->code.data, from->code.len);
    out->message = sh_arena_strndup(arena, from->error.data, from->error.len);
    return out->code != NULL && out->message != NULL ? SH_OK : SH_NOMEM;
}

static void append_found(struct desk_call *self)
{
    const struct job_append *append = self->append;
    struct sh_job_inputs inputs = {append->first, self->inputs, append->items_count,
                                   self->desk->options.backlog_bytes};
    enum sh_err err =
        sh_job_append(self->desk->options.pg, self->id, &inputs, on_appended, self);

    if (err != SH_OK)
        desk_refuse(self->call, err, NULL);
}

void desk_append(void *arg, struct sh_rpc_call *call)
{
    struct sh_arena *arena = sh_rpc_call_arena(call);
    struct job_append *append = sh_arena_alloc(arena, sizeof(*append));
    struct desk_call *self;
    enum sh_err err = SH_OK;

    if (append == NULL) {
        desk_refuse(call, SH_NOMEM, NULL);
        return;
    }
    if (sh_rpc_call_decode(call, job_append_desc(), append) != SH_OK)
        return;
    self = desk_begin(arg, call, append->id);
    if (self == NULL)
        return;
    self->append = append;
    self->inputs = sh_arena_array(arena, append->items_count + 1, sizeof(*self->inputs));
    if (self->inputs == NULL)
        err = SH_NOMEM;
    for (size_t i = 0; err == SH_OK && i < append->items_count; i++)
        err = fill(&append->items[i], arena, &self->inputs[i]);
    if (err != SH_OK)
        desk_refuse(call, err, NULL);
    else
        desk_find(self, append_found);
}
