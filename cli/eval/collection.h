/* collection: judged queries, read from a directory:
 *
 *     queries.jsonl   {"id":"1","text":"…"} a line
 *     qrels.tsv       query <tab> document <tab> grade; above 0: relevant
 *
 * Queries that nothing was judged for are left out. */
#ifndef EVAL_COLLECTION_H
#define EVAL_COLLECTION_H

#include <stdbool.h>

#include <jansson.h>

struct judged_query {
    const char *id;
    const char *text;
    json_t *grades; /* {document: grade}, above 0 only; not empty */
    int *best;      /* the same grades, in descending order */
    size_t count;
};

struct collection {
    struct judged_query *queries;
    size_t count;
    json_t *texts; /* {query: text}; owns the texts */
    json_t *qrels; /* {query: {document: grade}} */
};

/* False after a message to stderr. */
bool collection_read(const char *directory, struct collection *into);
void collection_free(struct collection *self);

#endif
