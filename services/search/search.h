/* search: all that a search service is made of, and the stages that make it. Loop thread
 * only. */
#ifndef SEARCH_SEARCH_H
#define SEARCH_SEARCH_H

#include "services/search/files/file_parts.h"
#include "services/search/generations/generation_parts.h"
#include "services/search/glossary/glossary_parts.h"
#include "services/search/jobs/job_parts.h"
#include "services/search/memory_parts.h"
#include "services/search/methods.h"
#include "services/search/pgvector/pg_parts.h"
#include "services/search/rerank/rerank_config.h"
#include "services/search/settings.h"
#include "services/search/upload_parts.h"
#include "services/search/worker_parts.h"
#include "shared/rpc_server.h"
#include "shared/service.h"

struct search {
    struct sh_process_config process;
    struct search_config config;
    struct sh_pg_config pg_config;
    struct worker_parts workers;
    struct sh_pg *pg;
    struct file_parts files;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    struct pending *pending;
    struct generation_parts generations;
    struct sh_jobs_config jobs_config;
    struct job_parts jobs;
    struct putter *putter;
    struct upload_parts uploads;
    struct glossary_feed *glossary;
    struct glossary_parts terms;
    struct reranker *reranker;
    struct memory_parts memory;
    struct pg_parts pgvector;
    struct methods methods;
    struct watch *watch;
};

/* Then there is neither feed nor view. */
static inline bool search_uses_pgvector(const struct search *search)
{
    return strcmp(search->config.backend, "pgvector") == 0;
}

/* `arg` is a struct search: passages wait for their vectors. */
void search_pending(void *arg);

/* Order matters: a stage may use the ones above it, and all of the work the ground. */
enum { SEARCH_GROUND = 8, SEARCH_WORK = 6 };
/* What it stands on: threads, the database, the embedder, its model, what is searched. */
extern const struct sh_stage search_ground[SEARCH_GROUND];
/* What it does: storing, answering, jobs, watching itself. */
extern const struct sh_stage search_work[SEARCH_WORK];

#endif
