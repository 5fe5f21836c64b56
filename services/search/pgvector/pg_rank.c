#include <stdlib.h>

#include "services/search/pgvector/pg_search.h"
#include "shared/pg_array.h"

/* --- what was found --------------------------------------------------------------- */

static void add_hit(struct leg *leg, const PGresult *rows, int row, int column,
                    uint32_t slot)
{
    if (!PQgetisnull(rows, row, column))
        leg->hits[leg->count++] =
            (struct leg_hit){slot, strtof(PQgetvalue(rows, row, column), NULL)};
}

/* Of "document#12": that is how passages are named. */
static uint32_t ordinal_of(struct sh_bytes chunk_id)
{
    const char *mark = strrchr(chunk_id.data, '#'); /* libpq's texts end in NUL */

    return mark ? (uint32_t)strtoul(mark + 1, NULL, 10) : 0;
}

struct of_document {
    struct sh_bytes id;
    uint32_t slot;
};

static int by_document(const void *a, const void *b)
{
    const struct of_document *left = a;
    const struct of_document *right = b;
    int order = strcmp(left->id.data, right->id.data);

    return order != 0 ? order : (left->slot > right->slot) - (left->slot < right->slot);
}

/* Passages of one document get one name for it. */
static enum sh_err name_documents(struct pg_search *search)
{
    struct of_document *list =
        sh_arena_array(&search->scratch, search->hit_count + 1, sizeof(*list));

    if (!list)
        return SH_NOMEM;
    for (uint32_t i = 0; i < search->hit_count; i++)
        list[i] = (struct of_document){search->hits[i].document_id, i};
    qsort(list, search->hit_count, sizeof(*list), by_document);
    for (size_t i = 1; i < search->hit_count; i++) {
        if (sh_bytes_equal(list[i].id, list[i - 1].id))
            search->hits[list[i].slot].document = search->hits[list[i - 1].slot].document;
    }
    return SH_OK;
}

/* Slots are rows, so both legs ascend by slot. */
static enum sh_err read_candidates(struct pg_search *search)
{
    const PGresult *rows = search->found;
    size_t count = (size_t)PQntuples(rows);
    struct sh_arena *scratch = &search->scratch;

    search->text_leg = search->vector_leg = (struct leg){NULL, 0};
    if (count > 0 && PQgetisnull(rows, 0, CANDIDATE_ID))
        count = 0;
    search->hits = sh_arena_array(scratch, count + 1, sizeof(*search->hits));
    search->text_leg.hits = sh_arena_array(scratch, count + 1, sizeof(struct leg_hit));
    search->vector_leg.hits = sh_arena_array(scratch, count + 1, sizeof(struct leg_hit));
    if (!search->hits || !search->text_leg.hits || !search->vector_leg.hits)
        return SH_NOMEM;
    for (uint32_t i = 0; i < count; i++) {
        search->hits[i] = (struct pg_candidate){
            .chunk_id = sh_pg_text(rows, (int)i, CANDIDATE_ID),
            .document_id = sh_pg_text(rows, (int)i, CANDIDATE_DOCUMENT),
            .campus = sh_pg_text(rows, (int)i, CANDIDATE_CAMPUS),
            .priority = (uint32_t)sh_pg_u64(rows, (int)i, CANDIDATE_PRIORITY),
            .document = i,
            .ordinal = ordinal_of(sh_pg_text(rows, (int)i, CANDIDATE_ID)),
        };
        add_hit(&search->text_leg, rows, (int)i, CANDIDATE_SCORE, i);
        add_hit(&search->vector_leg, rows, (int)i, CANDIDATE_SIMILARITY, i);
    }
    search->hit_count = count;
    return name_documents(search);
}

/* --- the order -------------------------------------------------------------------- */

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
    size_t most = pg_hits_wanted(search);

    if (query->diversity > 0 && most < FUSION_POOL)
        most = FUSION_POOL;
    return fusion_run(&input, most, &search->scratch, &search->fused);
}

/* --- what is shown ---------------------------------------------------------------- */

/* Where results are made of the passages' texts or vectors, the details of all that may
 * be among them are needed. */
static void choose_range(const struct pg_search *search, size_t *first, size_t *end)
{
    const struct search_query *query = search->job->ask.query;
    size_t count = search->fused.count;

    *first = 0;
    *end = count;
    if (query->diversity > 0 || query->merge || query->per_document > 0)
        return;
    *first = query->offset < count ? query->offset : count;
    *end = *first + query->max_results < count ? *first + query->max_results : count;
}

static enum sh_err write_details(struct pg_search *search)
{
    struct pg_asking *asking = &search->details;
    size_t first;
    size_t end;

    choose_range(search, &first, &end);
    asking->sql.arena = &search->scratch;
    search_sql_details(&search->plan, search->job->ask.query->diversity > 0,
                       &asking->sql);
    sh_pg_array_begin(&asking->third, SH_PG_ARRAY_TEXT, end - first);
    for (size_t i = first; i < end; i++)
        sh_pg_array_bytes(&asking->third,
                          search->hits[search->fused.hits[i].slot].chunk_id);
    return pg_asking_end(asking, "pgvector_details");
}

/* A few documents may have all the best passages. */
static bool has_few_documents(const struct pg_search *search)
{
    const struct search_query *query = search->job->ask.query;

    return query->per_document > 0 && search->plan.depth < PG_DEPTH_ALL &&
           search->figures.total > search->hit_count &&
           search->groups.count < (size_t)query->offset + query->max_results;
}

enum sh_err pg_rank(struct pg_search *search)
{
    enum sh_err err = read_candidates(search);

    if (err == SH_OK)
        err = fuse(search);
    if (err == SH_OK)
        err = pg_group(search);
    if (err != SH_OK)
        return err;
    search->few_documents = has_few_documents(search);
    return search->few_documents ? SH_OK : write_details(search);
}
