/* Happy path of a job: the next portion is read, and stored in one transaction with the
 * checkpoint; at the end what was kept goes. What becomes of a portion is known only when
 * it is stored, so the cursor that is stored with it tells of those before it: after a
 * crash the last one is stored once more, which changes nothing. The database is away:
 * the job is released and taken up again a little later. */
#include "services/graph/import/imports.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/graph/import/import_tally.h"
#include "services/graph/import/parts.h"
#include "shared/clock.h"

enum { CALL_MS = 30000, RETRY_MS = 1000, BROKEN_MAX = 1025 };

struct import_run {
    struct imports *owner;
    struct sh_job_run *run;
    struct import_run *next;
    struct sh_arena arena; /* of what the job says */
    struct caller caller;
    char import[IMPORT_ID];
    char broken[BROKEN_MAX]; /* why reading ended; "" at its end */
    uint64_t parts;
    uint64_t records;
    struct import_tally tally;
    struct sh_arena part_arena; /* of the portion in hand */
    struct graph_put put;
    struct store_steps *steps;
    struct sh_job_end end;
};

/* --- the end ---------------------------------------------------------------------- */

static void forget(struct import_run *self)
{
    struct import_run **at = &self->owner->running;

    while (*at != self)
        at = &(*at)->next;
    *at = self->next;
    store_steps_free(&self->steps);
    import_tally_free(&self->tally);
    sh_arena_free(&self->part_arena);
    sh_arena_free(&self->arena);
    sh_free(self);
}

static void finish(struct import_run *self)
{
    char *text = import_tally_text(&self->tally);

    if (self->end.outcome == SH_JOB_DONE || self->end.outcome == SH_JOB_FAILED)
        self->end.result = sh_bytes_of(text != NULL ? text : "");
    sh_job_end(self->run, &self->end);
    free(text); /* jansson's */
    forget(self);
}

static void leave(struct import_run *self, const char *why)
{
    self->end = (struct sh_job_end){.outcome = SH_JOB_RELEASED,
                                    .code = why != NULL ? "dependency_unavailable" : NULL,
                                    .message = why,
                                    .retry_ms = RETRY_MS};
    finish(self);
}

/* What is kept stays: somebody may want it tried again. */
static void fail(struct import_run *self, const char *code, const char *message)
{
    self->end =
        (struct sh_job_end){.outcome = SH_JOB_FAILED, .code = code, .message = message};
    finish(self);
}

static void on_dropped(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct import_run *self = arg;

    (void)reply;
    if (err == SH_OK || err == SH_INVALID)
        finish(self);
    else
        leave(self, err == SH_CANCELED ? NULL : sh_err_text(err));
}

/* What was uploaded is not wanted any more, and the last figures are told. */
static void end(struct import_run *self, const struct sh_job_end *how)
{
    struct sh_pg_param params[] = {{sh_bytes_of(self->import), false},
                                   {sh_bytes_of("9223372036854775807"), false}};
    const struct sh_pg_step step = {&parts_drop, params, SH_COUNT(params), false};
    char *cursor = import_tally_text(&self->tally);
    const struct sh_job_checkpoint checkpoint = {
        .cursor = sh_bytes_of(cursor != NULL ? cursor : "{}"),
        .done = import_tally_done(&self->tally),
        .failed = self->tally.failed,
        .total = self->records,
        .steps = &step,
        .step_count = 1};

    self->end = *how;
    enum sh_err err = cursor != NULL
                          ? sh_job_checkpoint(self->run, &checkpoint, on_dropped, self)
                          : SH_NOMEM;
    free(cursor); /* jansson's */
    if (err != SH_OK)
        leave(self, err == SH_CANCELED ? NULL : sh_err_text(err));
}

/* --- a portion -------------------------------------------------------------------- */

static void go_on(struct import_run *self);

static void on_saved(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct import_run *self = arg;
    struct stored stored = {0};

    if (err == SH_OK)
        err = store_steps_read(self->steps, reply, 2, &stored);
    if (err == SH_OK)
        import_tally_add(&self->tally, &self->put, &stored);
    store_steps_free(&self->steps);
    sh_arena_free(&self->part_arena);
    if (err == SH_CANCELED)
        leave(self, NULL);
    else if (err == SH_INVALID)
        fail(self, "invalid_request", "the record refused a portion of it");
    else if (err != SH_OK)
        leave(self, sh_err_text(err));
    else
        go_on(self);
}

/* Index 1 of the reply is what is dropped, the portion's own come after it. */
static enum sh_err save(struct import_run *self)
{
    char number[24];
    char *cursor = import_tally_text(&self->tally);
    struct sh_pg_param params[] = {{sh_bytes_of(self->import), false},
                                   {{number, 0}, false}};
    struct sh_pg_step steps[1 + STORE_STEPS_MAX] = {
        {&parts_drop, params, SH_COUNT(params), false}};
    size_t count = 1 + store_steps_list(self->steps, steps + 1);
    struct sh_job_checkpoint checkpoint = {.cursor = sh_bytes_of(cursor),
                                           .failed = self->tally.failed,
                                           .total = self->records,
                                           .steps = steps,
                                           .step_count = count};
    enum sh_err err = cursor != NULL ? SH_OK : SH_NOMEM;

    checkpoint.done =
        import_tally_done(&self->tally) + self->put.nodes_count + self->put.edges_count;
    (void)snprintf(number, sizeof number, "%" PRIu64, self->tally.number);
    params[1].value = sh_bytes_of(number);
    if (err == SH_OK)
        err = sh_job_checkpoint(self->run, &checkpoint, on_saved, self);
    free(cursor); /* jansson's */
    return err;
}

static void on_read(void *arg, const struct sh_pg_reply *reply)
{
    struct import_run *self = arg;
    enum sh_err err = reply->err;

    if (err == SH_OK && PQntuples(reply->results[0]) != 1) {
        fail(self, "not_found", "what was uploaded is not kept any more");
        return;
    }
    if (err == SH_OK) {
        struct sh_bytes part =
            sh_arena_copy(&self->part_arena, sh_pg_text(reply->results[0], 0, 0));
        err = part.data == NULL
                  ? SH_NOMEM
                  : msg_decode(graph_put_desc(), part, &self->part_arena, &self->put);
    }
    if (err == SH_OK)
        err = store_steps_make(&self->caller, &self->put, &self->steps);
    if (err == SH_OK)
        err = save(self);
    if (err == SH_OK)
        return;
    if (err == SH_MALFORMED || err == SH_INVALID)
        fail(self, "invalid_request", "a portion of it makes no sense");
    else
        leave(self, err == SH_CANCELED ? NULL : sh_err_text(err));
}

static enum sh_err read_part(struct import_run *self)
{
    char number[24];
    struct sh_pg_param params[] = {{sh_bytes_of(self->import), false},
                                   {{number, 0}, false}};
    const struct sh_pg_step step = {&parts_read, params, SH_COUNT(params), true};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = sh_now_ms() + CALL_MS};

    (void)snprintf(number, sizeof number, "%" PRIu64, self->tally.number);
    params[1].value = sh_bytes_of(number);
    return sh_pg_run(self->owner->pg, &call, on_read, self);
}

/* The next thing to be done, when nothing is under way. */
static void go_on(struct import_run *self)
{
    enum sh_job_wish wish = sh_job_wanted(self->run);

    if (self->owner->pg == NULL || wish == SH_JOB_LEAVE) {
        leave(self, NULL);
    } else if (wish == SH_JOB_CANCEL) {
        end(self, &(struct sh_job_end){.outcome = SH_JOB_CANCELLED});
    } else if (self->tally.number < self->parts) {
        enum sh_err err = read_part(self);
        if (err != SH_OK)
            leave(self, sh_err_text(err));
    } else if (self->broken[0] != '\0') {
        end(self, &(struct sh_job_end){.outcome = SH_JOB_FAILED,
                                       .code = "invalid_request",
                                       .message = self->broken});
    } else {
        end(self, &(struct sh_job_end){.outcome = SH_JOB_DONE});
    }
}

/* --- the beginning ---------------------------------------------------------------- */

static uint64_t number_of(const json_t *params, const char *name)
{
    json_int_t number = json_integer_value(json_object_get(params, name));

    return number > 0 ? (uint64_t)number : 0;
}

static void copy(char *into, size_t room, const json_t *params, const char *name)
{
    const char *text = json_string_value(json_object_get(params, name));

    (void)snprintf(into, room, "%s", text != NULL ? text : "");
}

/* False: the job makes no sense. */
static bool read_job(struct import_run *self)
{
    struct sh_bytes text = sh_job_params(self->run);
    struct sh_bytes at = sh_job_cursor(self->run);
    struct sh_bytes caller = sh_arena_copy(&self->arena, sh_job_caller(self->run));
    json_t *params = json_loadb(text.data, text.len, 0, NULL);
    json_t *cursor = at.len > 0 ? json_loadb(at.data, at.len, 0, NULL) : NULL;

    copy(self->import, sizeof self->import, params, "import");
    copy(self->broken, sizeof self->broken, params, "broken");
    self->parts = number_of(params, "parts");
    self->records = number_of(params, "records") + number_of(params, "failed");
    import_tally_read(&self->tally, json_is_object(cursor) ? cursor : params);
    json_decref(cursor);
    json_decref(params);
    return imports_id_ok(sh_bytes_of(self->import)) &&
           msg_decode(caller_desc(), caller, &self->arena, &self->caller) == SH_OK;
}

static void on_run(void *arg, struct sh_job_run *run)
{
    struct imports *owner = arg;
    struct import_run *self = sh_alloc(sizeof(*self));

    if (self == NULL) {
        sh_job_end(
            run, &(struct sh_job_end){.outcome = SH_JOB_RELEASED, .retry_ms = RETRY_MS});
        return;
    }
    self->owner = owner;
    self->run = run;
    self->next = owner->running;
    owner->running = self;
    if (read_job(self))
        go_on(self);
    else
        fail(self, "invalid_request", "the job says nothing of its upload");
}

struct sh_job_kind imports_kind(struct imports *self)
{
    return (struct sh_job_kind){.name = IMPORT_KIND,
                                .style = SH_JOB_STEPS,
                                .at_once = 1,
                                .run = on_run,
                                .arg = self};
}

/* Whatever is under way ends, and sees then that there is no database. */
void imports_stop(struct imports *self)
{
    self->pg = NULL;
}
