/* A page of jobs, newest first. */
#include "services/search/jobs/desk_internal.h"
#include "services/search/query/record_call.h"
#include <inttypes.h>

enum { READ_MS = 5000, PER_PAGE = 20 };

static void on_page(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    struct job_page page = {0};
    struct job *jobs;

    if (reply->err != SH_OK) {
        desk_refuse(call, reply->err, NULL);
        return;
    }
    page.jobs_count = (size_t)PQntuples(reply->results[0]);
    jobs = sh_arena_array(sh_rpc_call_arena(call), page.jobs_count + 1, sizeof(*jobs));
    if (jobs == NULL) {
        desk_refuse(call, SH_NOMEM, NULL);
        return;
    }
    for (size_t i = 0; i < page.jobs_count; i++)
        desk_read_job(reply->results[0], (int)i, &jobs[i]);
    if (page.jobs_count > 0)
        page.total = sh_pg_u64(reply->results[0], 0, DESK_COUNT);
    page.jobs = jobs;
    sh_rpc_reply(call, job_page_desc(), &page);
}

static struct sh_pg_param text(struct sh_bytes value)
{
    return (struct sh_pg_param){value.len > 0 ? value : sh_bytes_of(""), false};
}

void desk_list(void *arg, struct sh_rpc_call *call)
{
    struct desk *desk = arg;
    struct job_list list;
    char offset[24];
    char limit[24];
    struct sh_pg_param params[6];
    const struct sh_pg_step step = {&desk_page, params, SH_COUNT(params), false};
    const struct sh_pg_call work = {.steps = &step,
                                    .count = 1,
                                    .read_only = true,
                                    .deadline_ms = record_deadline(call, READ_MS),
                                    .trace = sh_rpc_call_trace(call)};
    enum sh_err err;

    if (sh_rpc_call_decode(call, job_list_desc(), &list) != SH_OK)
        return;
    uint64_t per_page = list.per_page > 0 ? list.per_page : PER_PAGE;
    uint64_t page = list.page > 0 ? list.page : 1;
    (void)snprintf(offset, sizeof(offset), "%" PRIu64, (page - 1) * per_page);
    (void)snprintf(limit, sizeof(limit), "%" PRIu64, per_page);
    params[0] = text(list.state);
    params[1] = text(list.kind);
    desk_rights(call, params + 2);
    params[4] = (struct sh_pg_param){sh_bytes_of(offset), false};
    params[5] = (struct sh_pg_param){sh_bytes_of(limit), false};
    err = sh_pg_run(desk->options.pg, &work, on_page, call);
    if (err != SH_OK)
        desk_refuse(call, err, NULL);
}
