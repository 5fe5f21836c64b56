/* compare: the job that asks two generations the same questions. Both are searched
 * exactly, by scanning their vectors in the record; documents are ranked by their best
 * passage, words play no part. Without judgements it tells how far the first ten agree,
 * with them which ten are better. Loop thread only. */
#ifndef SEARCH_GENERATION_COMPARE_H
#define SEARCH_GENERATION_COMPARE_H

#include "services/search/generations/reindex.h"
#include "services/search/query/query_vectors.h"

#define COMPARE_KIND "compare_generations"

enum { COMPARE_QUERIES_MAX = 100, COMPARE_QUERY_BYTES = 4096, COMPARE_RECENT = 50 };

/* The job's parameters as JSON, by free(); NULL: `why` says what is wrong. `recent` NULL:
 * no earlier questions are known. */
char *compare_params(const struct generation_compare *request,
                     const struct query_vectors *recent, const char **why);
/* As reindex_run(). */
struct runner *compare_run(const struct reindex_options *options, struct sh_job_run *run);

#endif
