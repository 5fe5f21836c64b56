#include "services/search/jobs/desk.h"

#include <stdlib.h>

#include "services/search/jobs/desk_internal.h"
#include "services/search/query/record_call.h"

enum { READ_MS = 5000, APPEND_BYTES_MAX = 64 << 20 };

/* --- what all need ---------------------------------------------------------------- */

void desk_rights(const struct sh_rpc_call *call, struct sh_pg_param out[static 2])
{
    const struct caller *caller = sh_rpc_call_caller(call);
    bool all = caller->role.len == 0 || sh_bytes_is(caller->role, "admin");

    out[0] = (struct sh_pg_param){sh_bytes_of(all ? "true" : "false"), false};
    out[1] = (struct sh_pg_param){
        caller->user_id.len > 0 ? caller->user_id : sh_bytes_of(""), false};
}

void desk_refuse(struct sh_rpc_call *call, enum sh_err err, const char *message)
{
    if (err == SH_NOTFOUND)
        message = "no such job";
    else if (err == SH_CONFLICT)
        message = "the state of the job does not allow that";
    else if (err == SH_UNAVAILABLE || err == SH_CANCELED)
        message = "the database is not available";
    else
        message = message != NULL ? message : sh_err_text(err);
    sh_rpc_fail(call, err == SH_CANCELED ? SH_UNAVAILABLE : err, NULL, NULL, "%s",
                message);
}

void desk_refuse_write(struct sh_rpc_call *call, const struct sh_job_reply *reply)
{
    if (reply->maybe_done)
        sh_rpc_fail_write(call, reply->err, true);
    else
        desk_refuse(call, reply->err, NULL);
}

/* The job cannot be shown. */
static void refuse_look(struct desk_call *self, enum sh_err err)
{
    if (self->wrote)
        sh_rpc_fail_write(self->call, err, true);
    else
        desk_refuse(self->call, err, NULL);
}

struct desk_call *desk_begin(struct desk *desk, struct sh_rpc_call *call,
                             struct sh_bytes id)
{
    struct desk_call *self = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*self));

    if (self == NULL || id.len >= sizeof(self->id)) {
        desk_refuse(call, self == NULL ? SH_NOMEM : SH_NOTFOUND, NULL);
        return NULL;
    }
    self->desk = desk;
    self->call = call;
    memcpy(self->id, id.data, id.len);
    return self;
}

void desk_read_job(const PGresult *rows, int row, struct job *out)
{
    *out = (struct job){
        .id = sh_pg_text(rows, row, DESK_ID),
        .kind = sh_pg_text(rows, row, DESK_KIND),
        .state = sh_pg_text(rows, row, DESK_STATE),
        .done = sh_pg_u64(rows, row, DESK_DONE),
        .failed = sh_pg_u64(rows, row, DESK_FAILED),
        .total = sh_pg_u64(rows, row, DESK_TOTAL),
        .code = sh_pg_text(rows, row, DESK_CODE),
        .error = sh_pg_text(rows, row, DESK_ERROR),
        .result = sh_pg_text(rows, row, DESK_RESULT),
        .created_by = sh_pg_text(rows, row, DESK_CREATED_BY),
        .created_at = strtod(PQgetvalue(rows, row, DESK_CREATED), NULL),
        .started_at = strtod(PQgetvalue(rows, row, DESK_STARTED), NULL),
        .finished_at = strtod(PQgetvalue(rows, row, DESK_FINISHED), NULL),
        .version = sh_pg_u64(rows, row, DESK_VERSION),
        .file_name = sh_pg_text(rows, row, DESK_FILE_NAME),
    };
}

bool desk_read_errors(const PGresult *rows, struct sh_arena *arena, struct job *out)
{
    size_t count = (size_t)PQntuples(rows);
    struct job_error *errors = sh_arena_array(arena, count + 1, sizeof(*errors));

    for (size_t i = 0; errors != NULL && i < count; i++)
        errors[i] = (struct job_error){.item = sh_pg_text(rows, (int)i, 0),
                                       .code = sh_pg_text(rows, (int)i, 1),
                                       .error = sh_pg_text(rows, (int)i, 2)};
    out->errors = errors;
    out->errors_count = count;
    return errors != NULL;
}

/* --- one job ---------------------------------------------------------------------- */

bool desk_has_job(struct desk_call *self, const struct sh_pg_reply *reply)
{
    bool is_id = strcmp(reply->sqlstate, "22P02") != 0;
    bool found = reply->err == SH_OK && PQntuples(reply->results[0]) > 0;

    if (reply->err != SH_OK && is_id)
        refuse_look(self, reply->err);
    else if (!found)
        desk_refuse(self->call, SH_NOTFOUND, NULL);
    return found;
}

static void on_job(void *arg, const struct sh_pg_reply *reply)
{
    struct desk_call *self = arg;
    struct job job;

    if (!desk_has_job(self, reply))
        return;
    desk_read_job(reply->results[0], 0, &job);
    if (desk_read_errors(reply->results[1], sh_rpc_call_arena(self->call), &job))
        sh_rpc_reply(self->call, job_desc(), &job);
    else
        refuse_look(self, SH_NOMEM);
}

static void on_found(void *arg, const struct sh_pg_reply *reply)
{
    struct desk_call *self = arg;

    if (desk_has_job(self, reply))
        self->found(self);
}

static void read_job(struct desk_call *self, size_t steps, sh_pg_done_fn *done)
{
    struct sh_pg_param params[3] = {{sh_bytes_of(self->id), false}};
    const struct sh_pg_step all[] = {{&desk_job, params, 3, false},
                                     {&desk_errors, params, 1, false}};
    const struct sh_pg_call work = {.steps = all,
                                    .count = steps,
                                    .deadline_ms = record_deadline(self->call, READ_MS),
                                    .trace = sh_rpc_call_trace(self->call)};
    enum sh_err err;

    desk_rights(self->call, params + 1);
    err = sh_pg_run(self->desk->options.pg, &work, done, self);
    if (err != SH_OK)
        refuse_look(self, err);
}

void desk_answer_job(struct desk_call *self)
{
    read_job(self, 2, on_job);
}

void desk_find(struct desk_call *self, void (*found)(struct desk_call *self))
{
    self->found = found;
    read_job(self, 1, on_found);
}

static struct desk_call *begin_by_ref(struct desk *desk, struct sh_rpc_call *call)
{
    struct job_ref ref;

    if (sh_rpc_call_decode(call, job_ref_desc(), &ref) != SH_OK)
        return NULL;
    return desk_begin(desk, call, ref.id);
}

static void get(void *arg, struct sh_rpc_call *call)
{
    struct desk_call *self = begin_by_ref(arg, call);

    if (self != NULL)
        desk_answer_job(self);
}

/* --- cancel, retry ---------------------------------------------------------------- */

static void on_changed(void *arg, const struct sh_job_reply *reply)
{
    struct desk_call *self = arg;

    self->wrote = reply->err == SH_OK;
    if (self->wrote)
        desk_answer_job(self);
    else
        desk_refuse_write(self->call, reply);
}

static void cancel_found(struct desk_call *self)
{
    enum sh_err err = sh_job_cancel(self->desk->options.pg, self->id, on_changed, self);

    if (err != SH_OK)
        desk_refuse(self->call, err, NULL);
}

static void retry_found(struct desk_call *self)
{
    enum sh_err err = sh_job_retry(self->desk->options.pg, self->id, on_changed, self);

    if (err != SH_OK)
        desk_refuse(self->call, err, NULL);
}

static void cancel(void *arg, struct sh_rpc_call *call)
{
    struct desk_call *self = begin_by_ref(arg, call);

    if (self != NULL)
        desk_find(self, cancel_found);
}

static void retry(void *arg, struct sh_rpc_call *call)
{
    struct desk_call *self = begin_by_ref(arg, call);

    if (self != NULL)
        desk_find(self, retry_found);
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err desk_add_methods(struct desk *desk, struct sh_rpc_server *rpc)
{
    const struct {
        uint32_t method;
        const char *name;
        size_t bytes_max;
        sh_rpc_handler_fn *handler;
    } all[] = {
        {METHOD_JOB_CREATE, "jobs.create", 0, desk_create_job},
        {METHOD_JOB_APPEND, "jobs.append", APPEND_BYTES_MAX, desk_append},
        {METHOD_JOB_GET, "jobs.get", 0, get},
        {METHOD_JOB_LIST, "jobs.list", 0, desk_list},
        {METHOD_JOB_CANCEL, "jobs.cancel", 0, cancel},
        {METHOD_JOB_RETRY, "jobs.retry", 0, retry},
        {METHOD_JOB_WAIT, "jobs.wait", 0, desk_wait},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(rpc, all[i].method, all[i].name, all[i].bytes_max,
                                all[i].handler, desk);
    return err;
}

enum sh_err desk_create(uv_loop_t *loop, const struct desk_options *options,
                        struct desk **out)
{
    struct desk *desk = sh_alloc(sizeof(*desk));

    if (desk == NULL)
        return SH_NOMEM;
    desk->options = *options;
    (void)uv_timer_init(loop, &desk->timer); /* cannot fail */
    desk->timer.data = desk;
    *out = desk;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void desk_close(struct desk **desk_in)
{
    struct desk *desk = *desk_in;

    *desk_in = NULL;
    if (desk == NULL)
        return;
    desk_drain(desk);
    uv_close((uv_handle_t *)&desk->timer, on_closed);
}
