/* pg_search: one search on its way through PostgreSQL. What computes runs on a worker
 * (prepare, rank, finish), what asks the database on the loop (backend_pgvector); never
 * two of them at a time. */
#ifndef SEARCH_PG_SEARCH_H
#define SEARCH_PG_SEARCH_H

#include "services/search/fusion/explain.h"
#include "services/search/fusion/group.h"
#include "services/search/pgvector/backend_pgvector.h"
#include "services/search/pgvector/search_sql.h"
#include "services/search/text/language.h"

enum {
    PG_DEPTH = 256, /* candidates a leg, for all who want no more results than these */
    PG_DEPTH_ALL = 101000, /* as far as offset and max_results go */
};

struct pg_asking { /* a statement with its parameters */
    struct sql sql;
    struct sh_pg_statement statement;
    struct sh_buffer texts;
    struct sh_buffer numbers;
    struct sh_buffer third;
};

struct pg_candidate { /* texts are those of `found` */
    struct sh_bytes chunk_id;
    struct sh_bytes document_id;
    struct sh_bytes campus;
    uint32_t priority;
    uint32_t document; /* the lowest slot of its document */
    uint32_t ordinal;  /* within its document */
};

struct pg_detail { /* texts are those of `shown` */
    int row;
    float *vector; /* NULL: none, or not needed */
};

struct pg_figures {
    uint64_t allowed;
    bool more;
    uint64_t scanned;
    uint64_t matched;
    uint64_t total;
};

struct pg_search {
    struct backend_pgvector *backend;
    struct search_job *job;
    struct sh_arena scratch;
    struct sh_work work;
    enum sh_err (*compute)(struct pg_search *search); /* on a worker */
    void (*then)(struct pg_search *search);           /* on the loop, when that worked */
    uint64_t deadline_ms;
    /* what is asked */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1]; /* of the model when it began */
    double alpha;
    struct boosts boosts;
    struct analyzer *analyzers[LANGUAGE_COUNT];
    struct text_query text;
    struct glossary_found expanded;
    struct search_sql plan;
    bool want_text; /* the leg runs */
    bool want_vector;
    double weight;
    struct sh_bytes degraded[2];
    size_t degraded_count;
    struct pg_asking candidates;
    struct pg_asking details;
    /* what is found */
    PGresult *found;
    struct pg_figures figures;
    struct pg_candidate *hits; /* by slot */
    size_t hit_count;
    struct leg text_leg;
    struct leg vector_leg;
    struct fusion_result fused;
    struct groups groups;
    bool few_documents; /* the candidates are of too few documents, and there are more */
    PGresult *shown;
    struct pg_detail *shown_by_slot;
    struct search_hit *results; /* of the job, in its arena */
};

/* --- on a worker ------------------------------------------------------------------ */

/* Check what is asked, choose the legs, write the statement. Errors: as view_search(). */
SH_CHECK enum sh_err pg_prepare(struct pg_search *search);
/* Without the index: it brought fewer than there may be. */
SH_CHECK enum sh_err pg_prepare_scan(struct pg_search *search);
/* All there are, as far as any search goes. */
SH_CHECK enum sh_err pg_prepare_all(struct pg_search *search);
/* From `found`: fuse the legs, write the statement for those that are shown. */
SH_CHECK enum sh_err pg_rank(struct pg_search *search);
/* From `shown`: the job's results. */
SH_CHECK enum sh_err pg_finish(struct pg_search *search);

/* --- pieces of it ----------------------------------------------------------------- */

/* Ends the statement; `third` is there already. */
SH_CHECK enum sh_err pg_asking_end(struct pg_asking *asking, const char *name);
void pg_asking_free(struct pg_asking *asking);
/* The index was used. */
bool pg_by_index(const struct pg_search *search);
double pg_boost_priority(const struct pg_search *search, uint32_t slot);
double pg_boost_campus(const struct pg_search *search, uint32_t slot);

/* How many hits of the order may be needed for the results that are wanted. */
size_t pg_hits_wanted(const struct pg_search *search);
/* Results of the fused hits: search->groups. Before `shown` is there, texts have no
 * length. */
SH_CHECK enum sh_err pg_group(struct pg_search *search);
/* What a result of several passages has other than its best passage; texts are those of
 * `shown` or in the scratch. */
SH_CHECK enum sh_err pg_group_fill(struct pg_search *search, const struct group *group,
                                   struct search_hit *hit);

SH_CHECK enum sh_err pg_explain_start(struct pg_search *search,
                                      struct explainer *explainer);
SH_CHECK enum sh_err pg_explain_hit(const struct pg_search *search,
                                    const struct explainer *explainer,
                                    const struct fusion_hit *hit, struct sh_bytes *json);
SH_CHECK enum sh_err pg_explain_plan(const struct pg_search *search,
                                     struct sh_bytes *json);

#endif
