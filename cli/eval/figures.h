/* figures: how good a ranking is, by judgements. Pure. */
#ifndef EVAL_FIGURES_H
#define EVAL_FIGURES_H

#include <stddef.h>

enum { FIGURES_DEPTH = 10, FIGURES_RECALL_DEPTH = 100 };

struct figures {
    double ndcg;   /* at 10, linear gain: Järvelin and Kekäläinen 2002 */
    double mrr;    /* 1 / place of the first relevant document, 0 where none is found */
    double recall; /* share of the relevant ones among the first 100 */
};

/* `grades[i]` is the grade of the document at place i, 0: not relevant. `judged` are the
 * grades above 0 of all relevant documents, found or not, in descending order; at least
 * one. */
struct figures figures_of(const int *grades, size_t count, const int *judged,
                          size_t judged_count);
void figures_add(struct figures *sum, const struct figures *one);
struct figures figures_mean(const struct figures *sum, size_t count);

#endif
