/* An upload: portions are kept, and become a job. */
#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>

#include "proto/msg.h"
#include "services/graph/import/imports.h"
#include "services/graph/import/parts.h"
#include "shared/clock.h"
#include "shared/job_call.h"

enum { KEEP_MS = 30000, PART_MAX = 32u << 20 };

const struct sh_pg_statement parts_keep = {
    "graph_import_keep",
    "WITH own AS (SELECT coalesce(sum(bytes), 0) AS bytes, "
    "bool_or(number = $2::bigint) AS known FROM graph_import_parts "
    "WHERE import = $1::uuid), "
    "verdict AS (SELECT CASE WHEN own.known THEN 'known' "
    "WHEN own.bytes + octet_length($3::bytea) > $4::bigint THEN 'large' "
    "WHEN (SELECT coalesce(sum(bytes), 0) FROM graph_import_parts) "
    "+ octet_length($3::bytea) > $4::bigint THEN 'full' ELSE 'kept' END AS is FROM own), "
    "kept AS (INSERT INTO graph_import_parts (import, number, part, bytes) "
    "SELECT $1::uuid, $2::bigint, $3::bytea, octet_length($3::bytea) FROM verdict "
    "WHERE verdict.is = 'kept' ON CONFLICT DO NOTHING) SELECT verdict.is FROM verdict"};
const struct sh_pg_statement parts_read = {"graph_import_read",
                                           "SELECT part FROM graph_import_parts WHERE "
                                           "import = $1::uuid AND number = $2::bigint"};
const struct sh_pg_statement parts_drop = {
    "graph_import_drop",
    "DELETE FROM graph_import_parts WHERE import = $1::uuid AND number < $2::bigint"};
const struct sh_pg_statement parts_stale = {"graph_import_stale",
                                            "SELECT graph_import_stale()"};

bool imports_id_ok(struct sh_bytes id)
{
    const char *at = id.data;

    for (size_t i = 0; i < id.len; i++)
        if (!((at[i] >= '0' && at[i] <= '9') || (at[i] >= 'a' && at[i] <= 'f')))
            return false;
    return id.len == IMPORT_ID - 1;
}

static void refuse(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail_write(call, err, false);
}

/* --- a portion -------------------------------------------------------------------- */

static void on_kept(void *arg, const struct sh_pg_reply *reply)
{
    struct sh_rpc_call *call = arg;
    const struct graph_import_kept kept = {0};

    if (reply->err != SH_OK)
        refuse(call, reply->err);
    else if (sh_bytes_is(sh_pg_text(reply->results[0], 0, 0), "large"))
        sh_rpc_fail(call, SH_TOOBIG, NULL, NULL,
                    "more than may wait to be stored at once");
    else if (sh_bytes_is(sh_pg_text(reply->results[0], 0, 0), "full"))
        sh_rpc_fail(call, SH_BUSY, NULL, NULL, "too much waits to be stored");
    else
        sh_rpc_reply(call, graph_import_kept_desc(), &kept);
}

static enum sh_err keep(const struct imports *self, struct sh_rpc_call *call,
                        const struct graph_import_part *asked)
{
    char number[24];
    char most[24];
    struct sh_pg_param params[] = {{asked->import, false},
                                   {{number, 0}, false},
                                   {asked->put, true},
                                   {{most, 0}, false}};
    struct sh_pg_step steps[] = {{&parts_keep, params, SH_COUNT(params), false},
                                 {&parts_stale, NULL, 0, false}};
    struct sh_pg_call order = {.steps = steps,
                               .count = asked->number == 0 ? 2 : 1, /* now and then */
                               .deadline_ms = sh_now_ms() + KEEP_MS,
                               .trace = sh_rpc_call_trace(call)};

    (void)snprintf(number, sizeof number, "%" PRIu64, asked->number);
    (void)snprintf(most, sizeof most, "%" PRIu64, self->backlog_bytes);
    params[1].value = sh_bytes_of(number);
    params[3].value = sh_bytes_of(most);
    return sh_pg_run(self->pg, &order, on_kept, call);
}

/* All that is in it has an id, so that storing it twice stores it once. */
static void handle_part(void *arg, struct sh_rpc_call *call)
{
    const struct imports *self = arg;
    struct sh_arena *arena = sh_rpc_call_arena(call);
    struct graph_import_part asked;
    struct graph_put put;

    if (sh_rpc_call_decode(call, graph_import_part_desc(), &asked) != SH_OK)
        return;
    enum sh_err err = imports_id_ok(asked.import) ? SH_OK : SH_INVALID;
    if (err == SH_OK && self->pg == NULL)
        err = SH_DRAINING;
    if (err == SH_OK)
        err = msg_decode(graph_put_desc(), asked.put, arena, &put);
    if (err == SH_OK)
        err = keep(self, call, &asked);
    if (err != SH_OK)
        refuse(call, err);
}

/* --- the job ---------------------------------------------------------------------- */

static void begun(struct sh_rpc_call *call, const struct sh_job_reply *reply)
{
    const struct graph_analysis_job job = {.id = sh_bytes_of(reply->id),
                                           .state = sh_bytes_of(reply->state)};

    sh_rpc_reply(call, graph_analysis_job_desc(), &job);
}

static char *params_of(const struct graph_import_run *asked)
{
    json_t *faults = json_loadb(asked->faults.data, asked->faults.len, 0, NULL);
    json_t *params = json_pack(
        "{s:s%, s:I, s:I, s:I, s:s%, s:o}", "import", asked->import.data,
        asked->import.len, "parts", (json_int_t)asked->parts, "records",
        (json_int_t)asked->records, "failed", (json_int_t)asked->failed, "broken",
        asked->broken.len > 0 ? asked->broken.data : "", asked->broken.len, "errors",
        json_is_array(faults) ? faults : json_array());
    char *text = params != NULL ? json_dumps(params, JSON_COMPACT) : NULL;

    if (!json_is_array(faults))
        json_decref(faults);
    json_decref(params);
    return text;
}

static void handle_run(void *arg, struct sh_rpc_call *call)
{
    const struct imports *self = arg;
    struct graph_import_run asked;

    if (sh_rpc_call_decode(call, graph_import_run_desc(), &asked) != SH_OK)
        return;
    const struct sh_job_new job = {.kind = IMPORT_KIND,
                                   .style = SH_JOB_STEPS,
                                   .key = asked.import,
                                   .file_name = asked.file_name,
                                   .most_by_user = self->most_by_user};
    if (imports_id_ok(asked.import))
        sh_job_call(self->pg, call, &job, params_of(&asked), begun);
    else
        refuse(call, SH_INVALID);
}

enum sh_err imports_serve(struct imports *self, struct sh_rpc_server *rpc)
{
    enum sh_err err = sh_rpc_server_add(rpc, METHOD_GRAPH_IMPORT_PART,
                                        "graph.import.part", PART_MAX, handle_part, self);

    return err == SH_OK ? sh_rpc_server_add(rpc, METHOD_GRAPH_IMPORT_RUN,
                                            "graph.import.run", 0, handle_run, self)
                        : err;
}
