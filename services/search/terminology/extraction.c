#include "services/search/terminology/extraction.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "services/search/glossary/terms.h"
#include "services/search/terminology/candidates_sql.h"
#include "services/search/terminology/extraction_internal.h"

enum { AFTER_RIGHTS = 1 + RECORD_RIGHTS };

static struct extraction *of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct extraction, runner);
}

/* --- the end ---------------------------------------------------------------------- */

static void destroy(struct runner *runner)
{
    struct extraction *self = of(runner);

    extraction_leave(self);
    sh_arena_free(&self->arena);
    sh_free(self);
}

static void finish(struct extraction *self)
{
    char result[256];

    (void)snprintf(result, sizeof(result),
                   "{\"documents\":%" PRIu64 ",\"groups\":%zu,\"candidates\":%" PRIu64
                   ",\"undercount\":%" PRIu64 "}",
                   self->read, self->group_count, self->candidates, self->missed);
    runner_done(&self->runner, sh_bytes_of(result));
}

/* --- the groups ------------------------------------------------------------------- */

static void on_groups(void *arg, const struct sh_pg_reply *reply)
{
    struct extraction *self = of(arg);
    const PGresult *rows = reply->results[0];
    size_t some = (size_t)PQntuples(rows);

    self->groups = sh_arena_array(&self->arena, some + 1, sizeof(*self->groups));
    if (self->groups == NULL) {
        runner_fail(&self->runner, "internal_error", "out of memory");
        return;
    }
    self->total = 0;
    for (size_t i = 0; i < some; i++) {
        self->groups[i] =
            (struct group){sh_arena_copy(&self->arena, sh_pg_text(rows, (int)i, 0)),
                           sh_arena_copy(&self->arena, sh_pg_text(rows, (int)i, 1)),
                           sh_arena_copy(&self->arena, sh_pg_text(rows, (int)i, 2)),
                           sh_pg_u64(rows, (int)i, 3)};
        self->total += self->groups[i].documents;
    }
    if (some == 0 && self->params[0].value.len > 0) {
        runner_fail(&self->runner, "not_found",
                    "there is no document of this id that may be read, or it is of "
                    "another collection or language");
        return;
    }
    self->group_count = some;
    self->phase = READING;
    struct sh_job_checkpoint checkpoint = {
        .cursor = extraction_cursor(self), .done = self->read, .total = self->total};
    runner_save(&self->runner, &checkpoint, extraction_next);
}

static void step(struct runner *runner)
{
    struct extraction *self = of(runner);
    struct sh_pg_step groups = {&candidates_groups, self->params, GROUPS_PARAMS, false};

    if (self->phase == GROUPS)
        runner_query(runner, &groups, on_groups);
    else if (self->phase == STORING)
        extraction_store(self);
    else if (self->group >= self->group_count)
        finish(self);
    else
        extraction_read(self);
}

/* --- the start -------------------------------------------------------------------- */

static struct sh_pg_param text_of(struct extraction *self, const json_t *params,
                                  const char *name)
{
    const char *text = json_string_value(json_object_get(params, name));

    return terms_text_or_null(
        sh_arena_copy(&self->arena, sh_bytes_of(text != NULL ? text : "")));
}

static uint64_t number_of(const json_t *json, const char *name)
{
    json_int_t value = json_integer_value(json_object_get(json, name));

    return value > 0 ? (uint64_t)value : 0;
}

static bool read_job(struct extraction *self)
{
    struct sh_bytes text = sh_job_params(self->runner.run);
    struct sh_bytes cursor = sh_job_cursor(self->runner.run);
    struct sh_bytes caller = sh_arena_copy(&self->arena, sh_job_caller(self->runner.run));
    json_t *params = json_loadb(text.data, text.len, 0, NULL);
    json_t *where = cursor.len > 0 ? json_loadb(cursor.data, cursor.len, 0, NULL) : NULL;

    self->params[0] = text_of(self, params, "document_id");
    self->params[AFTER_RIGHTS] = text_of(self, params, "collection");
    self->params[AFTER_RIGHTS + 1] = text_of(self, params, "language");
    self->everything =
        self->params[0].value.len == 0 && self->params[AFTER_RIGHTS].value.len == 0;
    self->frequency = (uint32_t)number_of(params, "min_frequency");
    self->most = (uint32_t)number_of(params, "most");
    self->group = (size_t)number_of(where, "group");
    self->read = number_of(where, "read");
    self->candidates = number_of(where, "candidates");
    self->missed = number_of(where, "missed");
    json_decref(params);
    json_decref(where);
    return msg_decode(caller_desc(), caller, &self->arena, &self->caller) == SH_OK &&
           record_rights_of(&self->caller, &self->arena, self->params + 1) == SH_OK;
}

static void cancel(struct runner *runner)
{
    runner_cancelled(runner); /* what was stored of other groups stays */
}

static void on_gone(void *arg, struct runner *runner)
{
    struct extractor *extractor = arg;

    if (extractor->current == of(runner))
        extractor->current = NULL;
}

static void run(void *arg, struct sh_job_run *job)
{
    static const struct runner_kind kind = {step, cancel, destroy};
    struct extractor *extractor = arg;
    struct extraction *self = extractor->pg != NULL && extractor->current == NULL
                                  ? sh_alloc(sizeof(*self))
                                  : NULL;

    if (self == NULL) {
        sh_job_end(job,
                   &(struct sh_job_end){.outcome = SH_JOB_RELEASED, .retry_ms = 1000});
        return;
    }
    self->runner = (struct runner){.kind = &kind,
                                   .pg = extractor->pg,
                                   .run = job,
                                   .gone = on_gone,
                                   .arg = extractor};
    self->extractor = extractor;
    self->after = (struct sh_bytes){"", 0};
    if (!read_job(self)) {
        sh_job_end(job, &(struct sh_job_end){.outcome = SH_JOB_FAILED,
                                             .code = "invalid_request",
                                             .message = "the job says nothing of use"});
        sh_arena_free(&self->arena);
        sh_free(self);
        return;
    }
    extractor->current = self;
    runner_start(&self->runner, extractor->loop);
}

static void wanted(void *arg, struct sh_job_run *job)
{
    struct extractor *extractor = arg;

    if (extractor->current != NULL && extractor->current->runner.run == job)
        runner_wanted(&extractor->current->runner);
}

struct sh_job_kind extraction_kind(struct extractor *self)
{
    return (struct sh_job_kind){.name = EXTRACTION_KIND,
                                .style = SH_JOB_STEPS,
                                .at_once = 1,
                                .run = run,
                                .wanted = wanted,
                                .arg = self};
}

void extraction_stop(struct extractor *self)
{
    self->pg = NULL;
    if (self->current != NULL)
        runner_close(&self->current->runner);
}
