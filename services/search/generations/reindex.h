/* reindex: the job that builds a generation: it opens the model at the embedder, notes
 * every passage that lacks a vector of it, waits until the replicas have made them
 * (ingest/pending), and says that the generation is ready; with `activate` it then makes
 * it live. It goes on where it was after a crash. Loop thread only. */
#ifndef SEARCH_REINDEX_H
#define SEARCH_REINDEX_H

#include "services/search/generations/runner.h"
#include "services/search/ingest/model.h"

#define REINDEX_KIND "reindex"

struct reindex_options {
    uv_loop_t *loop;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    const struct model *live;
    uint64_t fit_chunks;        /* most passages that a model is fitted to; 0: all */
    void (*pending)(void *arg); /* passages wait for vectors beside the live ones */
    void (*gone)(void *arg, struct runner *runner);
    void *arg;
};

/* A run of the kind; its runner, for runner_wanted() and runner_close(). NULL: out of
 * memory, the run is released. */
struct runner *reindex_run(const struct reindex_options *options, struct sh_job_run *run);
/* The job's parameters as JSON, by sh_free(); NULL: out of memory. `fingerprint` NULL:
 * whatever the model has. */
char *reindex_params(struct sh_bytes model, const char *fingerprint, bool activate);

#endif
