/* Jobs: list, read, cancel, what failed again. */
#include <string.h>

#include "services/gateway/handlers/events.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

enum { ID_MAX = 64, PER_PAGE = 20, PER_PAGE_MAX = 100, STATE_MAX = 16, KIND_MAX = 64 };

static void write_errors(struct sh_buffer *out, const struct job *job)
{
    json_member(out, "errors");
    sh_buffer_text(out, "[");
    for (size_t i = 0; i < job->errors_count; i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "item", job->errors[i].item);
        json_member_text(out, "code", job->errors[i].code);
        json_member_text(out, "error", job->errors[i].error);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void write_count(struct sh_buffer *out, const char *name, uint64_t value)
{
    json_member(out, name);
    json_u64(out, value);
}

static void write_time(struct sh_buffer *out, const char *name, double time)
{
    json_member(out, name);
    json_time(out, time);
}

void job_write(struct sh_buffer *out, const struct job *job)
{
    sh_buffer_text(out, "{");
    json_member_text(out, "job_id", job->id);
    json_member_text(out, "kind", job->kind);
    json_member_text(out, "state", job->state);
    write_count(out, "done", job->done);
    write_count(out, "failed", job->failed);
    write_count(out, "total", job->total);
    write_errors(out, job);
    write_time(out, "created_at", job->created_at);
    write_time(out, "started_at", job->started_at);
    write_time(out, "finished_at", job->finished_at);
    json_member_text(out, "created_by", job->created_by);
    json_member(out, "file_name");
    if (job->file_name.len > 0)
        json_text(out, job->file_name);
    else
        sh_buffer_text(out, "null");
    if (job->code.len > 0) {
        json_member_text(out, "code", job->code);
        json_member_text(out, "error", job->error);
    }
    if (job->result.len > 0) {
        json_member(out, "result");
        json_raw(out, job->result, "null");
    }
    sh_buffer_text(out, "}");
}

/* --- a page ----------------------------------------------------------------------- */

static void on_page(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct job_list *asked = x->state;
    struct sh_buffer *out = exchange_out(x);
    struct job_page page;

    if (!exchange_decode(x, job_page_desc(), response->payload, &page))
        return;
    sh_buffer_text(out, "{\"jobs\":[");
    for (size_t i = 0; i < page.jobs_count; i++) {
        if (i > 0)
            sh_buffer_text(out, ",");
        job_write(out, &page.jobs[i]);
    }
    sh_buffer_text(out, "]");
    json_pagination(out, asked->page, asked->per_page, page.total);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static bool is_state(struct sh_bytes text)
{
    static const char *const states[] = {"",     "queued", "running",
                                         "done", "failed", "cancelled"};

    for (size_t i = 0; i < SH_COUNT(states); i++)
        if (sh_bytes_is(text, states[i]))
            return true;
    return false;
}

void job_list(struct exchange *x, void *unused)
{
    struct job_list *list = exchange_state(x, sizeof *list);

    (void)unused;
    if (list == NULL)
        return;
    *list = (struct job_list){.page = 1, .per_page = PER_PAGE};
    if (!exchange_query_u32(x, "page", 1, 1000000, &list->page) ||
        !exchange_query_u32(x, "per_page", 1, PER_PAGE_MAX, &list->per_page) ||
        !exchange_query_text(x, "state", STATE_MAX, &list->state) ||
        !exchange_query_text(x, "kind", KIND_MAX, &list->kind))
        return;
    if (!is_state(list->state)) {
        exchange_invalid(x, "state",
                         "state must be queued, running, done, failed or cancelled");
        return;
    }
    exchange_call(
        x, &(struct exchange_call){.peer = PEER_SEARCH,
                                   .method = METHOD_JOB_LIST,
                                   .kind = SH_RPC_READ,
                                   .desc = job_list_desc(),
                                   .msg = list,
                                   .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                                   .done = on_page});
}

/* --- one job ---------------------------------------------------------------------- */

static void on_job(struct exchange *x, const struct sh_rpc_response *response)
{
    struct job job;

    if (!exchange_decode(x, job_desc(), response->payload, &job))
        return;
    job_write(exchange_out(x), &job);
    exchange_answer(x, x->route->success);
}

static void ask_about(struct exchange *x, uint32_t method, enum sh_rpc_kind kind)
{
    const struct gateway_config *config = &x->edge->gateway->config;
    char id[ID_MAX + 1];

    if (!exchange_param(x, "id", id, sizeof id))
        return;
    const struct job_ref ref = {.id = sh_bytes_of(id)};
    x->audit.target = sh_arena_copy(&x->arena, ref.id);
    exchange_call(x, &(struct exchange_call){.peer = PEER_SEARCH,
                                             .method = method,
                                             .kind = kind,
                                             .desc = job_ref_desc(),
                                             .msg = &ref,
                                             .timeout_ms = kind == SH_RPC_READ
                                                               ? config->read_timeout_ms
                                                               : config->write_timeout_ms,
                                             .done = on_job});
}

void job_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_JOB_GET, SH_RPC_READ);
}

void job_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_JOB_CANCEL, SH_RPC_WRITE);
}

void job_retry(struct exchange *x, void *unused)
{
    (void)unused;
    ask_about(x, METHOD_JOB_RETRY, SH_RPC_WRITE);
}

/* --- as it goes on ---------------------------------------------------------------- */

static enum sh_err read_job(struct sh_bytes payload, struct sh_arena *arena,
                            struct sh_buffer *out, struct events_state *state)
{
    struct job job;
    enum sh_err err = msg_decode(job_desc(), payload, arena, &job);

    if (err != SH_OK)
        return err;
    job_write(out, &job);
    state->version = job.version;
    state->ended =
        !sh_bytes_is(job.state, "queued") && !sh_bytes_is(job.state, "running");
    return out->err;
}

void job_events(struct exchange *x, void *unused)
{
    static const struct events_source source = {PEER_SEARCH, METHOD_JOB_WAIT, read_job};

    (void)unused;
    events_watch(x, "id", &source);
}
