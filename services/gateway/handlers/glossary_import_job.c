/* The job of an import: told at once, or when it has ended. */
#include <stdio.h>

#include "services/gateway/handlers/glossary.h"
#include "services/gateway/json_out.h"

enum { WAIT_MS = 20000, WAIT_EXTRA_MS = 5000 };

struct awaiting { /* in the exchange's arena */
    char id[40];
    uint64_t version;
};

static void wait_on(struct exchange *x);

static void on_job(struct exchange *x, const struct sh_rpc_response *response)
{
    struct awaiting *state = x->state;
    struct job job;

    if (!exchange_decode(x, job_desc(), response->payload, &job))
        return;
    state->version = job.version;
    if (sh_bytes_is(job.state, "queued") || sh_bytes_is(job.state, "running")) {
        wait_on(x);
        return;
    }
    job_write(exchange_out(x), &job);
    exchange_answer(x, 200);
}

static void wait_on(struct exchange *x)
{
    const struct awaiting *state = x->state;
    const struct job_wait wait = {sh_bytes_of(state->id), state->version, WAIT_MS};

    exchange_call(x, &(struct exchange_call){.peer = PEER_SEARCH,
                                             .method = METHOD_JOB_WAIT,
                                             .kind = SH_RPC_READ,
                                             .desc = job_wait_desc(),
                                             .msg = &wait,
                                             .timeout_ms = WAIT_MS + WAIT_EXTRA_MS,
                                             .done = on_job});
}

void glossary_answer_job(struct exchange *x, struct sh_bytes id, bool wait)
{
    struct awaiting *state = sh_arena_alloc(&x->arena, sizeof *state);
    struct sh_buffer *out = exchange_out(x);
    char place[96];

    if (state == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    (void)snprintf(state->id, sizeof state->id, "%.*s", (int)id.len,
                   (const char *)id.data);
    x->audit.target = sh_bytes_of(state->id);
    x->state = state;
    if (wait) {
        wait_on(x);
        return;
    }
    (void)snprintf(place, sizeof place, "/api/jobs/%s", state->id);
    sh_http_add_header(x->request, "Location", place);
    sh_buffer_text(out, "{");
    json_member_text(out, "job_id", sh_bytes_of(state->id));
    json_member_text(out, "state", sh_bytes_of("queued"));
    sh_buffer_text(out, "}");
    exchange_answer(x, 202);
}
