/* shelf: the models at hand. The first is the default of the settings; others are opened
 * when they are asked for by fingerprint, so that the model of what is stored goes on
 * answering while another one takes its place. Each has its own desk; they share the
 * caches, which know models apart. Loop thread only. */
#ifndef EMBEDDER_SHELF_H
#define EMBEDDER_SHELF_H

#include "services/embedder/batch/desk.h"
#include "services/embedder/settings.h"
#include "shared/rpc_client.h"

enum { SHELF_MAX = 8 };

struct shelf_model {
    struct provider *provider;
    struct desk *desk;
    struct shelf *shelf;
    char name[257];                        /* as it was asked for */
    char fingerprint[CARD_HASH_CHARS + 1]; /* of what the caches hold */
    char wanted[CARD_HASH_CHARS + 1];      /* of a fitted model; else "" */
    uint64_t used_ms;
};

/* Somebody who waits until a model is open; embedded in the caller's own struct. */
struct shelf_waiter {
    struct shelf_waiter *next;
    struct shelf_waiter *prev;
    struct shelf_model *model;
    uint64_t deadline_ms;
    /* Once: the model is known, or has given up, or the deadline has passed. The waiter
     * is the caller's again. */
    void (*go)(struct shelf_waiter *waiter);
};
struct shelf_waiting;

struct shelf { /* {0} is closed */
    const struct embedder_config *config;
    uv_loop_t *loop;
    struct lru *lru;
    struct remote *remote;        /* NULL: none */
    struct sh_rpc_client *search; /* has fitted models; NULL: not to be asked */
    struct shelf_waiting *waiting;
    struct shelf_model *models[SHELF_MAX];
    size_t count;
    void (*changed)(void *arg); /* what is known of the default changed; may be NULL */
    void *arg;
};

/* Which model a caller means; both may be empty. */
struct shelf_wish {
    struct sh_bytes model; /* as in an embed_request */
    struct sh_bytes fingerprint;
};

/* Open the default; config, loop and caches are set. Errors: those of the provider, which
 * are logged, and SH_NOMEM. */
SH_CHECK enum sh_err shelf_open(struct shelf *self);
/* What is under way ends with SH_CANCELED before this returns. */
void shelf_close(struct shelf *self);

/* The one that is meant; with a fingerprint, or when `open`, it is opened where it is not
 * there yet. A model of an endpoint may not be known when this returns, nor one that is
 * `opening`. Errors:
 * SH_NOTFOUND (there is no such model), SH_CONFLICT (the model of this name has another
 * fingerprint), SH_BUSY (SHELF_MAX models were in use a moment ago), SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err shelf_find(struct shelf *self, const struct shelf_wish *wish,
                                bool open, struct shelf_model **out);

/* The model is `opening`. */
void shelf_wait(struct shelf_model *model, struct shelf_waiter *waiter);
/* `go` is not called any more. */
void shelf_unwait(struct shelf_waiter *waiter);
/* Those who wait for this model may look again. */
void shelf_wake(struct shelf_model *model);

/* It is not needed any more: closed, which ends what is under way with SH_CANCELED,
 * unless it is the default. It is opened again when somebody asks for it. */
void shelf_forget(struct shelf *self, struct sh_bytes fingerprint);

size_t shelf_queued(const struct shelf *self);

/* Of the shelf itself. Errors: SH_NOMEM. */
SH_CHECK enum sh_err shelf_waiting_open(struct shelf *self);
void shelf_waiting_close(struct shelf *self);

#endif
