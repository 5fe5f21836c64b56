#include <arpa/inet.h>
#include <math.h>

#include "services/search/pgvector/pg_search.h"
#include "services/search/view/view_internal.h"

enum { MODE_HYBRID, MODE_VECTOR, MODE_TEXT };

/* --- statements ------------------------------------------------------------------- */

enum sh_err pg_asking_end(struct pg_asking *asking, const char *name)
{
    enum sh_err err = sql_end(&asking->sql, &asking->texts, &asking->numbers);

    asking->statement = (struct sh_pg_statement){name, asking->sql.text.data};
    return err == SH_OK ? asking->third.err : err;
}

void pg_asking_free(struct pg_asking *asking)
{
    sql_free(&asking->sql);
    sh_buffer_free(&asking->texts);
    sh_buffer_free(&asking->numbers);
    sh_buffer_free(&asking->third);
    *asking = (struct pg_asking){.statement = {NULL, NULL}};
}

static void put_u16(struct sh_buffer *out, unsigned value)
{
    uint16_t wire = htons((uint16_t)value);

    sh_buffer_append(out, &wire, sizeof(wire));
}

/* As vector_recv() of the extension reads it. */
static void write_vector(struct sh_buffer *out, const float *vector, uint32_t dimension)
{
    put_u16(out, dimension);
    put_u16(out, 0);
    for (uint32_t i = 0; i < dimension; i++) {
        uint32_t bits;
        memcpy(&bits, &vector[i], sizeof(bits));
        bits = htonl(bits);
        sh_buffer_append(out, &bits, sizeof(bits));
    }
}

static enum sh_err write_candidates(struct pg_search *search)
{
    struct pg_asking *asking = &search->candidates;

    pg_asking_free(asking);
    asking->sql.arena = &search->scratch;
    search_sql_candidates(&search->plan, &asking->sql);
    if (search->plan.vector)
        write_vector(&asking->third, search->job->ask.vector, search->plan.dimension);
    return pg_asking_end(asking, "pgvector_candidates");
}

/* --- legs ------------------------------------------------------------------------- */

static void lose_vectors(struct pg_search *search, const char *why)
{
    search->degraded[search->degraded_count++] = sh_bytes_of(why);
    search->want_vector = false;
    search->want_text = true;
}

static bool has_direction(const float *vector, uint32_t dimension)
{
    double sum = 0;

    for (uint32_t i = 0; i < dimension; i++)
        sum += (double)vector[i] * (double)vector[i];
    return isfinite(sum) && sum > 0;
}

static enum sh_err choose_legs(struct pg_search *search)
{
    const struct view_query *asked = &search->job->ask;
    const struct search_query *query = asked->query;

    search->want_vector = query->mode != MODE_TEXT;
    search->want_text = query->mode != MODE_VECTOR;
    search->weight = query->vector_weight >= 0 ? query->vector_weight : search->alpha;
    if (!search->want_vector)
        return SH_OK;
    if (!asked->vector)
        lose_vectors(search, asked->vector_missing ? asked->vector_missing : "embedding");
    else if (search->plan.dimension == 0)
        lose_vectors(search, "no_model");
    else if (asked->dimension != search->plan.dimension ||
             !sh_bytes_is(asked->fingerprint, search->fingerprint))
        lose_vectors(search, "vectors_of_another_model");
    else if (!has_direction(asked->vector, asked->dimension))
        lose_vectors(search, "embedding");
    if (search->degraded_count == 0 || !query->require_complete)
        return SH_OK;
    problem_set(&search->job->problem, "", "the search is incomplete: a leg is out");
    return SH_UNAVAILABLE;
}

/* --- the question ----------------------------------------------------------------- */

/* PostgreSQL stems the words by itself, in every language that passages are in: here they
 * are cut and folded only. */
static enum sh_err read_query(struct pg_search *search)
{
    const struct view_query *asked = &search->job->ask;
    const struct search_query *query = asked->query;
    enum sh_err err = language_analyzer(search->analyzers, LANGUAGE_ENGLISH);

    if (err == SH_OK)
        err = text_query_make(&search->analyzers[LANGUAGE_ENGLISH], 1, query->query,
                              &search->scratch, &search->text);
    if (err == SH_OK && asked->glossary && query->mode != MODE_VECTOR &&
        !query->no_expand)
        err = glossary_widen(asked->glossary, query->query, search->analyzers,
                             &search->job->arena, &search->text, &search->expanded);
    return err;
}

static enum sh_err read_filter(struct pg_search *search, struct filter **filter)
{
    const struct view_query *asked = &search->job->ask;
    struct filter_problem found = {{0}, {0}};
    enum sh_err err = filter_compile(asked->query->filters, asked->caller,
                                     &search->scratch, filter, &found);

    if (err == SH_INVALID || err == SH_FORBIDDEN)
        problem_set(&search->job->problem, found.field, found.message);
    return err;
}

/* The same number of candidates for all who want few, so that asking for more never
 * reorders what came before. */
static void choose_depth(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    struct search_sql *plan = &search->plan;
    bool few = query->offset + query->max_results <= PG_DEPTH;

    plan->depth = few ? PG_DEPTH : PG_DEPTH_ALL;
    plan->by_index =
        few && plan->dimension <= backend_pgvector_dimensions(search->backend->type);
}

enum sh_err pg_prepare(struct pg_search *search)
{
    struct search_job *job = search->job;
    const struct search_query *query = job->ask.query;
    struct filter *filter = NULL;

    job->results = (struct search_results){.mode = query->mode};
    enum sh_err err = search_check(query, &job->problem);
    if (err == SH_OK)
        err = read_filter(search, &filter);
    if (err == SH_OK)
        err = read_query(search);
    if (err == SH_OK)
        err = choose_legs(search);
    if (err != SH_OK)
        return err;
    choose_depth(search);
    search->plan.filter = filter;
    search->plan.vector = search->want_vector;
    search->plan.text = search->want_text ? &search->text : NULL;
    search->plan.rules =
        search->want_text && query->mode != MODE_VECTOR && search->text.rule_count > 0;
    search->plan.threshold = query->similarity_threshold;
    return write_candidates(search);
}

enum sh_err pg_prepare_scan(struct pg_search *search)
{
    search->plan.by_index = false;
    return write_candidates(search);
}

enum sh_err pg_prepare_all(struct pg_search *search)
{
    search->plan.by_index = false;
    search->plan.depth = PG_DEPTH_ALL;
    return write_candidates(search);
}

bool pg_by_index(const struct pg_search *search)
{
    const struct pg_figures *figures = &search->figures;

    return search->plan.vector && search->plan.by_index &&
           (figures->more || figures->allowed > search->plan.scan_max);
}
