/* ranking: the best documents for one question, and how two such lists differ. Pure. */
#ifndef SEARCH_RANKING_H
#define SEARCH_RANKING_H

#include <jansson.h>
#include <stddef.h>

#include "shared/bytes.h"

enum { RANKING_DEPTH = 10, RANKING_ID = 257 };

struct ranked {
    char document[RANKING_ID];
    float score;
};

struct ranking { /* best first; {0} is empty */
    struct ranked entries[RANKING_DEPTH];
    size_t count;
};

/* A passage of the document: its best one counts. */
void ranking_offer(struct ranking *self, struct sh_bytes document, float score);
/* The share of the first ten that both have; of two empty lists 1. */
double ranking_overlap(const struct ranking *a, const struct ranking *b);
/* Kendall's tau-b over the documents of either list; those that one list lacks share its
 * last place. 1 when there is nothing to order. */
double ranking_correlation(const struct ranking *a, const struct ranking *b);
/* nDCG@10 with gains 2^grade - 1; `relevant` is an object {document: grade}. 0 when
 * nothing is relevant. */
double ranking_ndcg(const struct ranking *self, json_t *relevant);

#endif
