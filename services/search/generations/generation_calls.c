/* What other services ask about generations. */
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/search/generations/compare.h"
#include "services/search/generations/drop.h"
#include "services/search/generations/generation_sql.h"
#include "services/search/generations/generations.h"
#include "services/search/query/record_call.h"
#include "shared/clock.h"
#include "shared/log.h"

enum { DATABASE_MS = 60000 };

struct asked { /* in the call's arena */
    struct generations *generations;
    struct sh_rpc_call *call;
    struct sh_bytes fingerprint;
    bool writes; /* what is asked of the database changes something */
};

/* --- the beginning and the end of them all ---------------------------------------- */

static void fail(struct sh_rpc_call *call, enum sh_err err)
{
    sh_rpc_fail_write(call, err, false);
}

/* True when the call has been answered because the database failed. */
static bool failed(struct asked *asked, const struct sh_pg_reply *reply)
{
    if (reply->err == SH_OK)
        return false;
    sh_warning(sh_rpc_call_trace(asked->call), "generations: the database failed: %s %s",
               reply->sqlstate, reply->message);
    sh_rpc_fail_write(asked->call, reply->err, asked->writes && reply->maybe_done);
    return true;
}

static struct asked *keep(struct generations *self, struct sh_rpc_call *call,
                          struct sh_bytes fingerprint)
{
    struct asked *asked = sh_arena_alloc(sh_rpc_call_arena(call), sizeof(*asked));

    if (self->pg == NULL || asked == NULL) {
        fail(call, asked == NULL ? SH_NOMEM : SH_DRAINING);
        return NULL;
    }
    *asked = (struct asked){self, call, fingerprint, false};
    return asked;
}

static void run(struct asked *asked, const struct sh_pg_statement *statement,
                const struct sh_pg_param *params, unsigned count, sh_pg_done_fn *done)
{
    struct sh_pg_step step = {statement, params, count, false};
    uint64_t own = sh_rpc_call_deadline_ms(asked->call);
    uint64_t latest = sh_now_ms() + DATABASE_MS;
    struct sh_pg_call call = {.steps = &step,
                              .count = 1,
                              .deadline_ms = own < latest ? own : latest,
                              .trace = sh_rpc_call_trace(asked->call)};
    enum sh_err err = sh_pg_run(asked->generations->pg, &call, done, asked);

    if (err != SH_OK)
        fail(asked->call, err);
}

static void answer(struct sh_rpc_call *call, json_t *body, const char *job_id)
{
    char *text = body != NULL ? json_dumps(body, JSON_COMPACT) : NULL;
    struct generation_reply reply = {.body = sh_bytes_of(text),
                                     .job_id = sh_bytes_of(job_id)};

    json_decref(body);
    if (text == NULL)
        fail(call, SH_NOMEM);
    else
        sh_rpc_reply(call, generation_reply_desc(), &reply);
    free(text); /* jansson's */
}

/* --- jobs ------------------------------------------------------------------------- */

static void on_added(void *arg, const struct sh_job_reply *reply)
{
    struct asked *asked = arg;

    if (reply->key_reused)
        sh_rpc_fail_key_reused(asked->call);
    else if (reply->err == SH_CONFLICT)
        sh_rpc_fail(asked->call, SH_CONFLICT, "generation_busy", NULL,
                    "such a job is under way already");
    else if (reply->err != SH_OK)
        sh_rpc_fail_write(asked->call, reply->err, reply->maybe_done);
    else
        answer(asked->call,
               json_pack("{s:s, s:s}", "job_id", reply->id, "state", reply->state),
               reply->id);
}

static void add_job(struct asked *asked, const char *kind, const char *params,
                    struct sh_bytes key)
{
    const struct caller *caller = sh_rpc_call_caller(asked->call);
    struct sh_job_new order = {.kind = kind,
                               .style = SH_JOB_STEPS,
                               .params = sh_bytes_of(params),
                               .key = key,
                               .created_by = caller->user_id,
                               .write_key = sh_rpc_call_idempotency_key(asked->call)};
    enum sh_err err = params != NULL && asked->generations->pg != NULL
                          ? sh_job_add(asked->generations->pg, &order, on_added, asked)
                          : SH_NOMEM;

    if (err != SH_OK)
        fail(asked->call, err);
}

static void on_build(void *arg, struct sh_rpc_call *call)
{
    struct reindex_request request;
    struct asked *asked;

    if (sh_rpc_call_decode(call, reindex_request_desc(), &request) != SH_OK)
        return;
    if (request.model.len == 0) {
        sh_rpc_fail(call, SH_INVALID, NULL, "model", "model must not be empty");
        return;
    }
    asked = keep(arg, call, (struct sh_bytes){0});
    if (asked == NULL)
        return;
    char *params = reindex_params(request.model, NULL, request.activate);
    add_job(asked, REINDEX_KIND, params, sh_bytes_of("reindex"));
    sh_free(params);
}

/* --- the list --------------------------------------------------------------------- */

static json_t *text_or_null(const PGresult *rows, int row, int column)
{
    return PQgetisnull(rows, row, column) ? json_null()
                                          : json_string(PQgetvalue(rows, row, column));
}

static json_t *time_or_null(const PGresult *rows, int row, int column)
{
    char text[40];
    struct tm tm;
    double seconds = strtod(PQgetvalue(rows, row, column), NULL);
    time_t whole = (time_t)floor(seconds);

    if (PQgetisnull(rows, row, column) || gmtime_r(&whole, &tm) == NULL)
        return json_null();
    (void)strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", &tm);
    return json_string(text);
}

static json_int_t number(const PGresult *rows, int row, int column)
{
    return (json_int_t)sh_pg_u64(rows, row, column);
}

static json_t *describe(const PGresult *rows, int row)
{
    json_t *card = json_loads(PQgetvalue(rows, row, GENERATION_CARD), 0, NULL);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:I, s:f, s:s, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}",
        "fingerprint", PQgetvalue(rows, row, GENERATION_FINGERPRINT), "model",
        PQgetvalue(rows, row, GENERATION_NAME), "provider",
        PQgetvalue(rows, row, GENERATION_PROVIDER), "dimension",
        number(rows, row, GENERATION_DIMENSION), "alpha",
        strtod(PQgetvalue(rows, row, GENERATION_ALPHA), NULL), "state",
        PQgetvalue(rows, row, GENERATION_STATE), "vectors",
        number(rows, row, GENERATION_VECTORS), "pending",
        number(rows, row, GENERATION_PENDING), "refused",
        number(rows, row, GENERATION_FAILED), "created_at",
        time_or_null(rows, row, GENERATION_CREATED), "built_at",
        time_or_null(rows, row, GENERATION_BUILT), "activated_at",
        time_or_null(rows, row, GENERATION_ACTIVATED), "previous",
        text_or_null(rows, row, GENERATION_PREVIOUS), "card",
        card != NULL ? card : json_object());

    return json;
}

static void on_listed(void *arg, const struct sh_pg_reply *reply)
{
    struct asked *asked = arg;
    json_t *list = json_array();

    if (failed(asked, reply)) {
        json_decref(list);
        return;
    }
    for (int row = 0; row < PQntuples(reply->results[0]); row++)
        json_array_append_new(list, describe(reply->results[0], row));
    answer(asked->call, json_pack("{s:o}", "generations", list), "");
}

static void on_list(void *arg, struct sh_rpc_call *call)
{
    struct empty nothing;
    struct asked *asked;

    if (sh_rpc_call_decode(call, empty_desc(), &nothing) != SH_OK)
        return;
    asked = keep(arg, call, (struct sh_bytes){0});
    if (asked != NULL)
        run(asked, &generation_list, NULL, 0, on_listed);
}

/* --- activating ------------------------------------------------------------------- */

static void unknown(struct sh_rpc_call *call)
{
    sh_rpc_fail(call, SH_NOTFOUND, NULL, "fingerprint", "no such generation");
}

static void on_activated(void *arg, const struct sh_pg_reply *reply)
{
    struct asked *asked = arg;
    struct sh_rpc_call *call = asked->call;

    if (failed(asked, reply))
        return;
    struct sh_bytes outcome = sh_pg_text(reply->results[0], 0, 0);
    if (sh_bytes_is(outcome, "unknown"))
        unknown(call);
    else if (sh_bytes_is(outcome, "live"))
        sh_rpc_fail(call, SH_CONFLICT, "generation_live", "fingerprint",
                    "the generation is live already");
    else if (sh_bytes_is(outcome, "incomplete"))
        sh_rpc_fail(call, SH_CONFLICT, "generation_incomplete", "fingerprint",
                    "the generation was never complete; build it by a reindex");
    else
        answer(call,
               json_pack("{s:s%, s:s}", "fingerprint", asked->fingerprint.data,
                         asked->fingerprint.len, "state", "live"),
               "");
}

static void activate(struct asked *asked)
{
    struct sh_pg_param param = {asked->fingerprint, false};

    asked->writes = true;
    run(asked, &generation_activate, &param, 1, on_activated);
}

static void on_previous(void *arg, const struct sh_pg_reply *reply)
{
    struct asked *asked = arg;
    struct sh_arena *arena = sh_rpc_call_arena(asked->call);

    if (failed(asked, reply))
        return;
    if (PQntuples(reply->results[0]) == 0 || asked->generations->pg == NULL) {
        sh_rpc_fail(asked->call, SH_CONFLICT, "no_previous_generation", NULL,
                    "no generation was live before, or it was dropped");
        return;
    }
    asked->fingerprint = sh_arena_copy(arena, sh_pg_text(reply->results[0], 0, 0));
    if (asked->fingerprint.data == NULL)
        fail(asked->call, SH_NOMEM);
    else
        activate(asked);
}

static void on_activate(void *arg, struct sh_rpc_call *call)
{
    struct generation_ref ref;
    struct asked *asked;

    if (sh_rpc_call_decode(call, generation_ref_desc(), &ref) != SH_OK)
        return;
    asked = keep(arg, call, ref.fingerprint);
    if (asked == NULL)
        return;
    if (ref.fingerprint.len > 0)
        activate(asked);
    else
        run(asked, &generation_previous, NULL, 0, on_previous);
}

/* --- dropping --------------------------------------------------------------------- */

static void begin_drop(struct asked *asked)
{
    json_t *json = json_pack("{s:s%}", "fingerprint", asked->fingerprint.data,
                             asked->fingerprint.len);
    char *params = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    add_job(asked, DROP_KIND, params, asked->fingerprint);
    free(params); /* jansson's */
}

static void on_dropping(void *arg, const struct sh_pg_reply *reply)
{
    struct asked *asked = arg;
    struct sh_rpc_call *call = asked->call;

    if (failed(asked, reply))
        return;
    if (PQntuples(reply->results[0]) == 0) {
        unknown(call);
        return;
    }
    struct sh_bytes state = sh_pg_text(reply->results[0], 0, 0);
    if (sh_bytes_is(state, "live"))
        sh_rpc_fail(call, SH_CONFLICT, "generation_live", "fingerprint",
                    "the live generation cannot be dropped");
    else if (sh_bytes_is(state, "building"))
        sh_rpc_fail(call, SH_CONFLICT, "generation_building", "fingerprint",
                    "the generation is being built; cancel its job first");
    else
        begin_drop(asked);
}

static void on_drop(void *arg, struct sh_rpc_call *call)
{
    struct generation_ref ref;
    struct asked *asked;

    if (sh_rpc_call_decode(call, generation_ref_desc(), &ref) != SH_OK)
        return;
    asked = keep(arg, call, ref.fingerprint);
    if (asked == NULL)
        return;
    struct sh_pg_param param = {asked->fingerprint, false};
    asked->writes = true;
    run(asked, &generation_drop_begin, &param, 1, on_dropping);
}

/* --- comparing -------------------------------------------------------------------- */

static void on_compare(void *arg, struct sh_rpc_call *call)
{
    struct generations *self = arg;
    struct generation_compare request;
    struct asked *asked;
    const char *why = NULL;

    if (sh_rpc_call_decode(call, generation_compare_desc(), &request) != SH_OK)
        return;
    char *params = compare_params(&request, self->recent ? *self->recent : NULL, &why);
    if (params == NULL) {
        sh_rpc_fail(call, SH_INVALID, NULL, NULL, "%s", why);
        return;
    }
    asked = keep(self, call, (struct sh_bytes){0});
    if (asked != NULL)
        add_job(asked, COMPARE_KIND, params, (struct sh_bytes){0});
    free(params); /* jansson's */
}

enum sh_err generations_add(struct generations *self, struct sh_rpc_server *rpc)
{
    static const struct {
        enum method method;
        const char *name;
        size_t bytes_max;
        sh_rpc_handler_fn *handler;
    } all[] = {
        {METHOD_GENERATIONS, "search.generations", 0, on_list},
        {METHOD_REINDEX, "search.reindex", 0, on_build},
        {METHOD_GENERATION_ACTIVATE, "search.activate", 0, on_activate},
        {METHOD_GENERATION_DROP, "search.drop_generation", 0, on_drop},
        {METHOD_GENERATION_COMPARE, "search.compare_generations", 2 << 20, on_compare},
    };
    enum sh_err err = SH_OK;

    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(rpc, (uint32_t)all[i].method, all[i].name,
                                all[i].bytes_max, all[i].handler, self);
    return err;
}
