/* model: which embedding model searches use. The record says which generation of vectors
 * is live, so that a start without the embedder still has its vectors, and all replicas
 * use the same; the embedder confirms that it has that model. Where there is none yet,
 * the embedder's default becomes the first. Passages without a vector of the live model
 * are marked for embedding. Loop thread only. */
#ifndef SEARCH_MODEL_H
#define SEARCH_MODEL_H

#include "proto/msg.h"
#include "shared/pg.h"
#include "shared/rpc_client.h"

enum { MODEL_FINGERPRINT_MAX = 64, MODEL_WISH_MAX = 256, MODEL_CARD_MAX = 8192 };

struct model {
    char fingerprint[MODEL_FINGERPRINT_MAX + 1]; /* "": none known yet */
    char name[257];
    char provider[65];
    uint32_t dimension;
    double alpha;
};

struct model_binding;

struct model_binding_options {
    struct sh_pg *pg;
    const struct sh_pg_config *pg_config; /* to hear of a switch; NULL: look for it */
    struct sh_rpc_client *embedder;
    void (*known)(void *arg);   /* once: what the database says was read, if anything */
    void (*changed)(void *arg); /* another model from now on: vectors are to be reread */
    void (*pending)(void *arg); /* passages may have become pending */
    /* The embedder has the live model no more, and this one is its default now; again at
     * every check. May be NULL. */
    void (*lost)(void *arg, const struct model *instead);
    void *arg;
};

/* Errors: SH_NOMEM, those of sh_pg_listen(). */
SH_CHECK enum sh_err model_create(uv_loop_t *loop,
                                  const struct model_binding_options *options,
                                  struct model_binding **out);
/* What is live; changes only inside `known` and `changed`. */
const struct model *model_current(const struct model_binding *binding);
/* The embedder itself has said that it has this model. */
bool model_confirmed(const struct model_binding *binding);
/* Why searches cannot use their vectors, for people; "": they can, as far as is known. */
const char *model_problem(const struct model_binding *binding);
/* Ask the record and the embedder (again): one came back, or answered with another
 * fingerprint. */
void model_check(struct model_binding *self);
/* Mark passages that lack a vector: something was stored while the model changed. */
void model_sweep(struct model_binding *self);
void model_close(struct model_binding **binding);

/* --- model_card.c ----------------------------------------------------------------- */

/* False when the card is of no use. */
bool model_of_card(const struct model_card *card, struct model *out);
/* The card as JSON. False when it does not fit. */
bool model_describe(const struct model_card *card, char out[MODEL_CARD_MAX]);
/* What to ask the embedder for: "provider:name". */
const char *model_wish(const struct model *model, char out[MODEL_WISH_MAX + 1]);
/* Columns fingerprint, name, provider, dimension, alpha, in text. */
void model_read(const PGresult *rows, int row, struct model *out);
bool model_same(const struct model *a, const struct model *b);

#endif
