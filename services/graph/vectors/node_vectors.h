/* node_vectors: vectors of the texts of nodes, a byte for each number, by the nodes'
 * places. One thread puts; any number of threads search at the same time, and wait while
 * something is put. */
#ifndef GRAPH_NODE_VECTORS_H
#define GRAPH_NODE_VECTORS_H

#include "services/graph/walk/walk.h"

struct node_vectors;

struct similar_node {
    uint32_t place;
    double similarity; /* cosine */
};

/* Vectors of at most `max` nodes. Errors: SH_NOMEM. */
SH_CHECK enum sh_err node_vectors_create(size_t max, struct node_vectors **out);
void node_vectors_free(struct node_vectors **self);

/* --- the putter's ----------------------------------------------------------------- */

/* What is there goes; from now on vectors are of this dimension. */
void node_vectors_reset(struct node_vectors *self, size_t dimension);
/* Whether it is known what this node's text, told by its hash, is like. */
bool node_vectors_has(const struct node_vectors *self, uint32_t place, uint64_t number,
                      uint64_t hash);
/* There are `max`: no more are taken. */
bool node_vectors_is_full(const struct node_vectors *self);
/* A vector of zeros: the text has none, and need not be asked for again. Errors:
 * SH_NOMEM; SH_TOOBIG: there are `max`. */
SH_CHECK enum sh_err node_vectors_put(struct node_vectors *self, uint32_t place,
                                      uint64_t number, uint64_t hash,
                                      const float *vector);

/* As it is held: bytes, and what one of them is worth. */
struct packed_vector {
    uint64_t number;
    uint64_t hash;
    float scale; /* 0: the text has none */
    const int8_t *bytes;
};

/* The same as node_vectors_put(), of what node_vectors_each() told. */
SH_CHECK enum sh_err node_vectors_put_packed(struct node_vectors *self, uint32_t place,
                                             const struct packed_vector *vector);
size_t node_vectors_dimension(const struct node_vectors *self); /* 0: none yet */
/* How many texts are known, those without a vector too. */
size_t node_vectors_known(const struct node_vectors *self);
/* Each of them, in order of places. */
typedef void node_vectors_each_fn(void *arg, const struct packed_vector *vector);
void node_vectors_each(const struct node_vectors *self, node_vectors_each_fn *each,
                       void *arg);

/* --- everybody's ------------------------------------------------------------------ */

/* How many vectors there are, and what they take. */
void node_vectors_figures(struct node_vectors *self, size_t *count, size_t *bytes);

struct similar_query {
    uint32_t place; /* of the node */
    uint32_t label; /* of the others; WALK_ANY: all */
    size_t max;
};

/* The nodes that are most similar to that one and that the reader may see, the most
 * similar first; *count says how many. False: there is no vector of the node. */
bool node_vectors_nearest(struct node_vectors *self, const struct graph_reader *reader,
                          const struct similar_query *query, struct similar_node *out,
                          size_t *count);

#endif
