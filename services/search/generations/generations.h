/* generations: the vectors of several models side by side, one of which is live. Answers
 * what is asked about them, adds the jobs that build, compare and drop them, and runs
 * those. Loop thread only. */
#ifndef SEARCH_GENERATIONS_H
#define SEARCH_GENERATIONS_H

#include "services/search/generations/reindex.h"
#include "shared/rpc_server.h"

enum { GENERATION_KINDS = 3, GENERATION_RUNS = 4 };

struct query_vectors;

struct generations_options {
    uv_loop_t *loop;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    const struct model *live;
    uint64_t fit_chunks; /* as in reindex_options */
    bool automatic; /* when the live model is lost, build the default's and activate it */
    void (*pending)(void *arg); /* passages wait for vectors beside the live ones */
    void *arg;
};

struct generations { /* {0} is closed */
    struct generations_options options;
    struct sh_pg *pg;                    /* NULL: closing */
    struct query_vectors *const *recent; /* for comparisons; NULL: none */
    struct runner *runs[GENERATION_RUNS];
    bool adding; /* a job by itself */
};

void generations_start(struct generations *self,
                       const struct generations_options *options);
/* The kinds of jobs that it does. */
void generations_kinds(struct generations *self,
                       struct sh_job_kind kinds[GENERATION_KINDS]);
/* search.generations and what belongs to it. Errors: those of sh_rpc_server_add(). */
SH_CHECK enum sh_err generations_add(struct generations *self, struct sh_rpc_server *rpc);
/* As model_binding_options.lost: `arg` is the generations. */
void generations_lost(void *arg, const struct model *instead);
/* Runs in hand are released; before the jobs and the database are closed. */
void generations_stop(struct generations *self);

#endif
