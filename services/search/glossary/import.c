#include "services/search/glossary/import.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/files/files_sql.h"
#include "services/search/glossary/import_result.h"
#include "services/search/glossary/import_sql.h"
#include "services/search/glossary/terms.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"

enum {
    STORE_MS = 30000,
    RETRY_MS = 1000,
    PARAMS = 1 + RECORD_RIGHTS + 1,
    LINK_PARAMS = 3,
};

/* One job in hand: FETCHING the file, READING a batch, STORING it, and at the end
 * RELEASING the claim of the file. */
struct importing {
    struct importer *importer;
    struct importing *next;
    struct importing **link;
    struct sh_job_run *run;
    struct fetch *fetch;
    struct terms_child *child;
    struct sh_arena arena; /* of what the job says */
    char hash[SH_FILE_HASH_TEXT];
    char format[17];
    char claim[24];
    bool may_validate;
    struct caller caller;
    struct import_result result;
    const struct glossary_batch *batch; /* that is being stored, or NULL */
    uint64_t skip;                      /* batches that an earlier run has stored */
    uint64_t total;                     /* entries of the file; 0: not known yet */
    bool storing;
    bool stopping;
    bool ending; /* only the claim is to be released */
    struct sh_job_end end;
    char code[65];
    char message[513];
};

/* --- the end ---------------------------------------------------------------------- */

static void finish(struct importing *self)
{
    char *text = import_result_text(&self->result);

    self->end.result = sh_bytes_of(text);
    sh_job_end(self->run, &self->end);
    free(text); /* jansson's */
    terms_child_close(&self->child);
    fetch_close(&self->fetch);
    *self->link = self->next;
    if (self->next != NULL)
        self->next->link = self->link;
    import_result_free(&self->result);
    sh_arena_free(&self->arena);
    sh_free(self);
}

static void on_released(void *arg, const struct sh_pg_reply *reply)
{
    (void)reply; /* a claim that stays goes by its age */
    finish(arg);
}

static void end(struct importing *self, enum sh_job_outcome outcome, const char *code,
                const char *message)
{
    struct sh_pg_param param = terms_text(sh_bytes_of(self->claim));
    struct sh_pg_param job = terms_text(sh_bytes_of(sh_job_id(self->run)));
    struct sh_pg_step steps[] = {{&files_release, &param, 1, false},
                                 {&import_forget, &job, 1, false}};
    struct sh_pg_call call = {
        .steps = steps, .count = 2, .deadline_ms = sh_now_ms() + STORE_MS};

    (void)snprintf(self->code, sizeof(self->code), "%s", code != NULL ? code : "");
    (void)snprintf(self->message, sizeof(self->message), "%s",
                   message != NULL ? message : "");
    self->end = (struct sh_job_end){.outcome = outcome,
                                    .code = code != NULL ? self->code : NULL,
                                    .message = message != NULL ? self->message : NULL,
                                    .retry_ms = RETRY_MS};
    self->ending = true;
    terms_child_close(&self->child);
    if (outcome == SH_JOB_RELEASED || self->importer->pg == NULL ||
        sh_pg_run(self->importer->pg, &call, on_released, self) != SH_OK)
        finish(self);
}

static void leave(struct importing *self, const char *why)
{
    end(self, SH_JOB_RELEASED, why != NULL ? "dependency_unavailable" : NULL, why);
}

/* True: it ended, because the job is not wanted any more, or not here. */
static bool is_over(struct importing *self)
{
    enum sh_job_wish wish = sh_job_wanted(self->run);

    if (self->stopping || wish == SH_JOB_LEAVE)
        leave(self, NULL);
    else if (wish == SH_JOB_CANCEL)
        end(self, SH_JOB_CANCELLED, NULL, NULL);
    else
        return false;
    return true;
}

/* A checkpoint with these statements of our own; `batch` is being stored, if there is
 * one. What becomes of each line is known only when it is stored, so the cursor that is
 * stored with a batch tells of those before it: after a crash the last one is stored once
 * more, which changes nothing. */
static void save(struct importing *self, const struct sh_pg_step *steps, size_t count,
                 sh_job_saved_fn *done)
{
    uint64_t rows = self->result.rows + (self->batch != NULL ? self->batch->rows : 0);
    char *cursor = import_result_text(&self->result);
    struct sh_job_checkpoint checkpoint = {.cursor = sh_bytes_of(cursor),
                                           .done = rows - self->result.failed,
                                           .failed = self->result.failed,
                                           .total = self->total,
                                           .steps = steps,
                                           .step_count = count};
    enum sh_err err = cursor == NULL ? SH_NOMEM : SH_OK;

    if (err == SH_OK)
        err = sh_job_checkpoint(self->run, &checkpoint, done, self);
    self->storing = err == SH_OK;
    free(cursor); /* jansson's */
    if (err != SH_OK)
        leave(self, err == SH_CANCELED ? NULL : sh_err_text(err));
}

/* --- a batch ---------------------------------------------------------------------- */

static void on_stored(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct importing *self = arg;

    self->storing = false;
    if (err == SH_CANCELED) {
        leave(self, NULL);
        return;
    }
    if (err != SH_OK) {
        if (err == SH_INVALID || err == SH_CONFLICT)
            end(self, SH_JOB_FAILED, sh_err_code(err),
                "the record refused a batch of it");
        else
            leave(self, sh_err_text(err));
        return;
    }
    import_result_add(&self->result, self->batch, reply->results[1]);
    self->batch = NULL;
    if (!is_over(self))
        terms_child_next(self->child);
}

static void store(struct importing *self, const struct glossary_batch *batch)
{
    struct sh_pg_param params[PARAMS] = {0};
    char number[24];
    (void)snprintf(number, sizeof(number), "%" PRIu64, self->result.batches);
    struct sh_pg_param links[LINK_PARAMS] = {
        terms_text(sh_bytes_of(sh_job_id(self->run))), terms_text(sh_bytes_of(number)),
        terms_text(batch->links)};
    struct sh_pg_step steps[] = {{&import_store, params, PARAMS, false},
                                 {&import_links, links, LINK_PARAMS, false}};
    enum sh_err err = record_rights_of(&self->caller, &self->arena, params + 1);

    params[0] = terms_text(batch->terms);
    params[1 + RECORD_RIGHTS] = terms_text(sh_bytes_of(self->may_validate ? "t" : "f"));
    self->batch = batch;
    if (err == SH_OK)
        save(self, steps, batch->links.len > 2 ? 2 : 1, on_stored);
    else
        leave(self, sh_err_text(err));
}

static void on_batch(void *arg, const struct glossary_batch *batch)
{
    struct importing *self = arg;

    if (is_over(self))
        return;
    self->total = batch->total;
    if (self->skip > 0) {
        self->skip--;
        terms_child_next(self->child);
        return;
    }
    store(self, batch);
}

/* --- a file that cannot be read to its end ---------------------------------------- */

static void on_told(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct importing *self = arg;
    char code[sizeof(self->code)];
    char message[sizeof(self->message)];

    (void)reply;
    memcpy(code, self->code, sizeof(code));
    memcpy(message, self->message, sizeof(message));
    self->storing = false;
    if (err == SH_OK || err == SH_INVALID)
        end(self, SH_JOB_FAILED, code, message);
    else
        leave(self, err == SH_CANCELED ? NULL : sh_err_text(err));
}

/* The figures first: of all that was stored. */
static void refuse(struct importing *self, const char *code, const char *message)
{
    (void)snprintf(self->code, sizeof(self->code), "%s", code);
    (void)snprintf(self->message, sizeof(self->message), "%s", message);
    save(self, NULL, 0, on_told);
}

/* --- relations -------------------------------------------------------------------- */

static void relate(struct importing *self);

static void go_on(struct importing *self, const PGresult *figures)
{
    import_result_related(&self->result, figures);
    if (!is_over(self))
        relate(self);
}

static void on_related(void *arg, enum sh_err err, const struct sh_pg_reply *reply)
{
    struct importing *self = arg;

    self->storing = false;
    if (err == SH_CANCELED)
        leave(self, NULL);
    else if (err == SH_INVALID || err == SH_CONFLICT)
        end(self, SH_JOB_FAILED, sh_err_code(err), "the record refused its relations");
    else if (err != SH_OK)
        leave(self, sh_err_text(err));
    else if (PQntuples(reply->results[1]) == 0)
        end(self, SH_JOB_DONE, NULL, NULL);
    else
        go_on(self, reply->results[1]);
}

/* Those of the first batch that waits, and forget them. */
static void relate(struct importing *self)
{
    struct sh_pg_param params[1 + RECORD_RIGHTS] = {0};
    struct sh_pg_step step = {&import_relate, params, 1 + RECORD_RIGHTS, false};
    enum sh_err err = record_rights_of(&self->caller, &self->arena, params + 1);

    params[0] = terms_text(sh_bytes_of(sh_job_id(self->run)));
    if (err == SH_OK)
        save(self, &step, 1, on_related);
    else
        leave(self, sh_err_text(err));
}

static void on_ended(void *arg, const char *code, const char *message)
{
    struct importing *self = arg;

    self->child = NULL; /* it goes by itself */
    if (is_over(self))
        return;
    if (code[0] != '\0')
        refuse(self, code, message);
    else
        relate(self);
}

static const struct terms_child_events child_events = {on_batch, on_ended};

/* --- the start -------------------------------------------------------------------- */

static void on_fetched(void *arg, enum sh_err err, int fd)
{
    struct importing *self = arg;
    struct importer *importer = self->importer;

    if (is_over(self))
        return;
    if (err == SH_OK)
        err = terms_child_start(importer->loop, &importer->child,
                                &(struct terms_child_file){fd, self->format},
                                &child_events, self, &self->child);
    if (err == SH_NOTFOUND)
        end(self, SH_JOB_FAILED, "not_found", "the file is not kept any more");
    else if (err != SH_OK)
        leave(self, "the file cannot be had at the moment");
}

static void copy(char *into, size_t room, const json_t *params, const char *name)
{
    const char *text = json_string_value(json_object_get(params, name));

    (void)snprintf(into, room, "%s", text != NULL ? text : "");
}

/* False: the job makes no sense. */
static bool read_job(struct importing *self)
{
    struct sh_bytes text = sh_job_params(self->run);
    struct sh_bytes caller = sh_arena_copy(&self->arena, sh_job_caller(self->run));
    json_t *params = json_loadb(text.data, text.len, 0, NULL);

    copy(self->hash, sizeof(self->hash), params, "hash");
    copy(self->format, sizeof(self->format), params, "format");
    copy(self->claim, sizeof(self->claim), params, "claim");
    self->may_validate = json_is_true(json_object_get(params, "may_validate"));
    json_decref(params);
    import_result_read(&self->result, sh_job_cursor(self->run));
    self->skip = self->result.batches;
    return msg_decode(caller_desc(), caller, &self->arena, &self->caller) == SH_OK;
}

static void run(void *arg, struct sh_job_run *job)
{
    struct importer *importer = arg;
    struct importing *self = sh_alloc(sizeof(*self));
    enum sh_err err;

    if (self == NULL) {
        sh_job_end(
            job, &(struct sh_job_end){.outcome = SH_JOB_RELEASED, .retry_ms = RETRY_MS});
        return;
    }
    self->importer = importer;
    self->run = job;
    self->next = importer->first;
    self->link = &importer->first;
    if (importer->first != NULL)
        importer->first->link = &self->next;
    importer->first = self;
    if (!read_job(self)) {
        end(self, SH_JOB_FAILED, "invalid_request", "the job says nothing of its file");
        return;
    }
    if (is_over(self))
        return;
    err = fetch_start(&importer->fetch, sh_bytes_of(self->hash), on_fetched, self,
                      &self->fetch);
    if (err != SH_OK)
        leave(self, sh_err_text(err));
}

/* Whatever is under way looks at it when it is done; the child is told by closing it. */
static void wanted(void *arg, struct sh_job_run *job)
{
    struct importer *importer = arg;

    for (struct importing *self = importer->first; self != NULL; self = self->next)
        if (self->run == job && self->child != NULL && !self->storing && !self->ending) {
            (void)is_over(self);
            return;
        }
}

struct sh_job_kind import_kind(struct importer *self)
{
    return (struct sh_job_kind){.name = IMPORT_KIND,
                                .style = SH_JOB_STEPS,
                                .at_once = 1,
                                .run = run,
                                .wanted = wanted,
                                .arg = self};
}

void import_stop(struct importer *self)
{
    struct importing *next;

    for (struct importing *one = self->first; one != NULL; one = next) {
        next = one->next;
        one->stopping = true;
        if (!one->storing && !one->ending)
            leave(one, NULL);
    }
    self->pg = NULL;
}
