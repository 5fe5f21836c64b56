#include <stdlib.h>

#include "services/search/pgvector/pg_search.h"
#include "services/search/store/array.h"

/* --- what was found ----------------------------------------------------------------- */

static void add_hit(struct leg *leg, const PGresult *rows, int row, int column,
                    uint32_t slot)
{
    if (!PQgetisnull(rows, row, column))
        leg->hits[leg->count++] =
            (struct leg_hit){slot, strtof(PQgetvalue(rows, row, column), NULL)};
}

/* Slots are rows, so both legs ascend by slot. */
static enum sh_err read_candidates(struct pg_search *search)
{
    const PGresult *rows = search->found;
    size_t count = (size_t)PQntuples(rows);
    struct sh_arena *scratch = &search->scratch;

    if (count > 0 && PQgetisnull(rows, 0, CANDIDATE_ID))
        count = 0;
    search->hits = sh_arena_array(scratch, count + 1, sizeof(*search->hits));
    search->text_leg.hits = sh_arena_array(scratch, count + 1, sizeof(struct leg_hit));
    search->vector_leg.hits = sh_arena_array(scratch, count + 1, sizeof(struct leg_hit));
    if (!search->hits || !search->text_leg.hits || !search->vector_leg.hits)
        return SH_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        search->hits[i] = (struct pg_candidate){
            sh_pg_text(rows, (int)i, CANDIDATE_ID),
            sh_pg_text(rows, (int)i, CANDIDATE_DOCUMENT),
            sh_pg_text(rows, (int)i, CANDIDATE_CAMPUS),
            (uint32_t)sh_pg_u64(rows, (int)i, CANDIDATE_PRIORITY),
        };
        add_hit(&search->text_leg, rows, (int)i, CANDIDATE_SCORE, i);
        add_hit(&search->vector_leg, rows, (int)i, CANDIDATE_SIMILARITY, i);
    }
    search->hit_count = count;
    return SH_OK;
}

/* --- the order ---------------------------------------------------------------------- */

double pg_boost_priority(const struct pg_search *search, uint32_t slot)
{
    return boosts_priority(&search->boosts, search->hits[slot].priority);
}

double pg_boost_campus(const struct pg_search *search, uint32_t slot)
{
    return boosts_campus(&search->boosts, search->job->ask.caller->campus,
                         search->hits[slot].campus);
}

static double boost_of(const void *arg, uint32_t slot)
{
    return pg_boost_priority(arg, slot) + pg_boost_campus(arg, slot);
}

static int order_of(const void *arg, uint32_t a, uint32_t b)
{
    const struct pg_search *search = arg;

    return strcmp(search->hits[a].chunk_id.data, search->hits[b].chunk_id.data);
}

static enum sh_err fuse(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    const struct fusion_input input = {
        .method = query->fusion == 1 ? FUSION_RRF : FUSION_WEIGHTED,
        .text = search->want_text ? &search->text_leg : NULL,
        .vector = search->want_vector ? &search->vector_leg : NULL,
        .threshold = query->similarity_threshold,
        .weight = search->weight,
        .score_weight = search->boosts.score,
        .boost = boost_of,
        .order = order_of,
        .arg = search,
    };
    size_t most = (size_t)query->offset + query->max_results;

    if (query->diversity > 0 && most < FUSION_POOL)
        most = FUSION_POOL;
    return fusion_run(&input, most, &search->scratch, &search->fused);
}

/* --- what is shown ------------------------------------------------------------------ */

/* To tell how alike passages are, the details of all that may be shown are needed. */
static void choose_shown(struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;
    size_t found = search->fused.count;
    size_t left = found > query->offset ? found - query->offset : 0;

    search->first = query->offset < found ? query->offset : found;
    search->count = left < query->max_results ? left : query->max_results;
}

static enum sh_err write_details(struct pg_search *search)
{
    struct pg_asking *asking = &search->details;
    bool diverse = search->job->ask.query->diversity > 0;
    size_t first = diverse ? 0 : search->first;
    size_t end = search->first + search->count;

    if (diverse && end < FUSION_POOL)
        end = search->fused.count < FUSION_POOL ? search->fused.count : FUSION_POOL;
    asking->sql.arena = &search->scratch;
    search_sql_details(&search->plan, diverse, &asking->sql);
    array_begin(&asking->third, ARRAY_TEXT, end - first);
    for (size_t i = first; i < end; i++)
        array_bytes(&asking->third, search->hits[search->fused.hits[i].slot].chunk_id);
    return pg_asking_end(asking, "pgvector_details");
}

enum sh_err pg_rank(struct pg_search *search)
{
    enum sh_err err = read_candidates(search);

    if (err == SH_OK)
        err = fuse(search);
    if (err != SH_OK)
        return err;
    choose_shown(search);
    return search->count > 0 ? write_details(search) : SH_OK;
}
