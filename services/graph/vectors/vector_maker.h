/* vector_maker: keeps the vectors of nodes as their texts are, from the first time that
 * somebody asks for them: it goes through the graph on a thread, asks the embedder for
 * what has no vector, or another text than its vector was made of, and looks again when
 * the graph has changed. Loop thread only, but for vector_maker_want(). */
#ifndef GRAPH_VECTOR_MAKER_H
#define GRAPH_VECTOR_MAKER_H

#include "services/graph/feed/feed.h"
#include "services/graph/vectors/node_text.h"
#include "services/graph/vectors/node_vectors.h"
#include "shared/rpc_client.h"

struct vector_maker_options {
    struct feed *feed;
    struct sh_workers *workers;
    struct sh_rpc_client *embedder;
    struct node_vectors *vectors; /* outlives the workers */
    const char *text_properties;  /* "name,description" */
    const char *dir;              /* where they are kept; NULL, "": nowhere */
};

struct vector_maker;

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err vector_maker_create(uv_loop_t *loop,
                                         const struct vector_maker_options *options,
                                         struct vector_maker **out);
/* Any thread, until the workers are closed. Vectors are wanted from now on. False: it has
 * not been through the whole graph yet. *partial: nodes were left
 * out because there are too many. */
bool vector_maker_want(struct vector_maker *self, bool *partial);
const char *vector_maker_properties(const struct vector_maker *self);
/* Nothing is begun any more. */
void vector_maker_close(struct vector_maker *self);
/* After the workers were closed. NULL is fine. */
void vector_maker_free(struct vector_maker **self);

#endif
