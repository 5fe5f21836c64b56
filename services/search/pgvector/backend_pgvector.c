#include "services/search/pgvector/backend_pgvector.h"

#include <stdio.h>

#include "services/search/pgvector/pg_search.h"
#include "services/search/view/view_internal.h"
#include "shared/clock.h"
#include "shared/log.h"

/* prepare → candidates → rank → details → finish. Where the index brought fewer than it
 * should and more may be there, candidates are asked for once more without it; where they
 * are of too few documents, all are. */

/* Sorting and the compiler are expensive in the planner's eyes only: what is sorted here
 * is small, and the order of the index must not be had by sorting everything. */
static const struct sh_pg_statement tune = {
    "pgvector_tune", "SELECT set_config('hnsw.ef_search', $1, true), "
                     "set_config('hnsw.iterative_scan', $2, true), "
                     "set_config('enable_sort', 'off', true), "
                     "set_config('jit', 'off', true)"};

static struct pg_search *search_of(struct sh_work *work)
{
    return SH_CONTAINER_OF(work, struct pg_search, work);
}

/* --- the end ---------------------------------------------------------------------- */

static void end(struct pg_search *search, enum sh_err err)
{
    struct search_job *job = search->job;

    PQclear(search->found);
    PQclear(search->shown);
    pg_asking_free(&search->candidates);
    pg_asking_free(&search->details);
    language_analyzers_free(search->analyzers);
    sh_arena_free(&search->scratch);
    sh_free(search);
    job->done(job, err);
}

/* --- computing -------------------------------------------------------------------- */

static void run_compute(struct sh_work *work)
{
    struct pg_search *search = search_of(work);

    if (atomic_load(&search->job->canceled))
        search->job->outcome = SH_CANCELED;
    else if (sh_left_ms(search->deadline_ms) == 0)
        search->job->outcome = SH_TIMEOUT;
    else
        search->job->outcome = search->compute(search);
}

static void computed(struct sh_work *work, enum sh_err err)
{
    struct pg_search *search = search_of(work);

    if (err == SH_OK)
        err = search->job->outcome;
    if (err != SH_OK)
        end(search, err);
    else
        search->then(search);
}

static enum sh_err submit(struct pg_search *search,
                          enum sh_err (*compute)(struct pg_search *search),
                          void (*then)(struct pg_search *search))
{
    search->compute = compute;
    search->then = then;
    search->work = (struct sh_work){.run = run_compute, .done = computed};
    return sh_workers_submit(search->backend->workers, &search->work);
}

static void compute_or_end(struct pg_search *search,
                           enum sh_err (*how)(struct pg_search *search),
                           void (*then)(struct pg_search *search))
{
    enum sh_err err = submit(search, how, then);

    if (err != SH_OK)
        end(search, err);
}

static void finished(struct pg_search *search)
{
    end(search, SH_OK);
}

/* --- asking ----------------------------------------------------------------------- */

/* True when the search has ended because the database failed. */
static bool failed(struct pg_search *search, const struct sh_pg_reply *reply)
{
    enum sh_err err = reply->err;

    if (err == SH_OK)
        return false;
    sh_warning(search->job->trace, "the database failed a search: %s %s", reply->sqlstate,
               reply->message);
    /* Its values were checked, so what it cannot take is not the caller's fault. */
    if (err == SH_INVALID || err == SH_CONFLICT)
        err = SH_INTERNAL;
    end(search, err);
    return true;
}

/* The rows of the last step, to be kept. */
static PGresult *take(const struct sh_pg_reply *reply)
{
    return PQcopyResult(reply->results[reply->count - 1],
                        PG_COPYRES_ATTRS | PG_COPYRES_TUPLES);
}

static void on_details(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_search *search = arg;

    if (failed(search, reply))
        return;
    search->shown = take(reply);
    if (search->shown == NULL)
        end(search, SH_NOMEM);
    else
        compute_or_end(search, pg_finish, finished);
}

/* `steps` before the statement's own. */
static void ask(struct pg_search *search, const struct pg_asking *asking,
                const struct sh_pg_step *before, sh_pg_done_fn *done)
{
    struct sh_pg_param params[] = {{sh_buffer_bytes(&asking->texts), true},
                                   {sh_buffer_bytes(&asking->numbers), true},
                                   {sh_buffer_bytes(&asking->third), true}};
    struct sh_pg_step steps[2] = {{.statement = NULL}};
    struct sh_pg_call call = {.steps = steps,
                              .read_only = true,
                              .deadline_ms = search->deadline_ms,
                              .trace = search->job->trace};
    enum sh_err err = SH_CANCELED;

    if (before != NULL)
        steps[call.count++] = *before;
    steps[call.count++] =
        (struct sh_pg_step){.statement = &asking->statement, params, 3, false};
    if (search->backend->pg != NULL)
        err = sh_pg_run_ad_hoc(search->backend->pg, &call, done, search);
    if (err != SH_OK)
        end(search, err);
}

static void ask_candidates(struct pg_search *search);

static void ranked(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;

    if (search->few_documents)
        compute_or_end(search, pg_prepare_all, ask_candidates);
    else if (search->groups.count <= query->offset)
        compute_or_end(search, pg_finish, finished);
    else
        ask(search, &search->details, NULL, on_details);
}

/* The index gave up before it had as many as were asked for. */
static bool came_short(const struct pg_search *search)
{
    const struct pg_figures *figures = &search->figures;

    return pg_by_index(search) && figures->scanned < search->plan.depth;
}

static void on_candidates(void *arg, const struct sh_pg_reply *reply)
{
    struct pg_search *search = arg;
    const PGresult *rows;

    if (failed(search, reply))
        return;
    search->found = take(reply);
    if (search->found == NULL) {
        end(search, SH_NOMEM);
        return;
    }
    rows = search->found; /* one at least */
    search->figures = (struct pg_figures){sh_pg_u64(rows, 0, CANDIDATE_ALLOWED),
                                          *PQgetvalue(rows, 0, CANDIDATE_MORE) == 't',
                                          sh_pg_u64(rows, 0, CANDIDATE_SCANNED),
                                          sh_pg_u64(rows, 0, CANDIDATE_MATCHED),
                                          sh_pg_u64(rows, 0, CANDIDATE_TOTAL)};
    if (came_short(search))
        compute_or_end(search, pg_prepare_scan, ask_candidates);
    else
        compute_or_end(search, pg_rank, ranked);
}

static void ask_candidates(struct pg_search *search)
{
    const struct backend_pgvector *backend = search->backend;
    char ef[12];
    struct sh_pg_param params[2] = {{.binary = false}};
    struct sh_pg_step before = {.statement = &tune, params, 2, false};

    (void)snprintf(ef, sizeof(ef), "%u", (unsigned)backend->ef_search);
    params[0].value = sh_bytes_of(ef);
    params[1].value = sh_bytes_of(backend->iterative);
    PQclear(search->found);
    search->found = NULL;
    ask(search, &search->candidates, search->plan.vector ? &before : NULL, on_candidates);
}

/* --- the beginning ---------------------------------------------------------------- */

static enum sh_err start(void *arg, struct search_job *job)
{
    struct backend_pgvector *backend = arg;
    struct pg_search *search;
    enum sh_err err;

    if (!backend->ready)
        return SH_DRAINING; /* another replica may be further */
    search = sh_alloc(sizeof(*search));
    if (search == NULL)
        return SH_NOMEM;
    search->backend = backend;
    search->job = job;
    search->deadline_ms = job->ask.deadline_ms;
    search->boosts = job->ask.boosts ? *job->ask.boosts : boosts_default();
    search->plan = (struct search_sql){.fingerprint = search->fingerprint,
                                       .dimension = backend->model->dimension,
                                       .type = backend->type,
                                       .scan_max = backend->scan_max};
    search->alpha = backend->model->alpha;
    memcpy(search->fingerprint, backend->model->fingerprint, sizeof(search->fingerprint));
    err = submit(search, pg_prepare, ask_candidates);
    if (err != SH_OK)
        sh_free(search);
    return err;
}

uint32_t backend_pgvector_dimensions(const char *type)
{
    return strcmp(type, "halfvec") == 0 ? 4000 : 2000;
}

struct search_backend backend_pgvector(struct backend_pgvector *self)
{
    return (struct search_backend){start, self};
}
