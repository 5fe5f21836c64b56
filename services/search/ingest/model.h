/* model: which embedding model the record's vectors are of. The last one bound is read
 * from the database, so that a start without the embedder still has its vectors; the
 * embedder's own word then confirms or replaces it, and passages without a vector of the
 * model in use are marked for embedding. Loop thread only. */
#ifndef SEARCH_MODEL_H
#define SEARCH_MODEL_H

#include "shared/pg.h"
#include "shared/rpc_client.h"

enum { MODEL_FINGERPRINT_MAX = 64 };

struct model {
    char fingerprint[MODEL_FINGERPRINT_MAX + 1]; /* "": none known yet */
    char name[257];
    uint32_t dimension;
    double alpha;
};

struct model_binding;

struct model_binding_options {
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    void (*known)(void *arg);   /* once: what the database says was read, if anything */
    void (*changed)(void *arg); /* another model from now on: vectors are to be reread */
    void (*pending)(void *arg); /* passages may have become pending */
    void *arg;
};

SH_CHECK enum sh_err model_create(uv_loop_t *loop,
                                  const struct model_binding_options *options,
                                  struct model_binding **out);
/* What is in use; changes only inside `known` and `changed`. */
const struct model *model_current(const struct model_binding *binding);
/* The embedder itself has named this model. */
bool model_confirmed(const struct model_binding *binding);
/* Ask the embedder (again): it came back, or answered with another fingerprint. */
void model_check(struct model_binding *self);
/* Mark passages that lack a vector: something was stored while the model changed. */
void model_sweep(struct model_binding *self);
void model_close(struct model_binding **binding);

#endif
