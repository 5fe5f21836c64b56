/* put_internal: one document on its way; shared by put.c (the queues), put_check.c (up to
 * its passages), put_steps.c (known vectors, the view), put_embed.c, put_store.c (the
 * record) and put_group.c (what is done for several at once). */
#ifndef SEARCH_PUT_INTERNAL_H
#define SEARCH_PUT_INTERNAL_H

#include "services/search/ingest/prepare.h"
#include "services/search/ingest/put.h"
#include "services/search/ingest/put_group.h"

/* Those that somebody waits for, and those of a bulk load: neither waits for the other.
 */
enum put_lane_name { PUT_AWAITED, PUT_QUIET, PUT_LANES };

struct put_lane {
    struct put *first; /* waiting */
    struct put **end;
    size_t running;
    size_t bytes; /* of those that run */
};

struct put_stage {
    struct put *first; /* waiting for company */
    struct put **end;
    size_t under_way; /* groups */
};

struct putter {
    struct putter_options options;
    struct put_lane lanes[PUT_LANES];
    struct put_stage stages[PUT_STAGES];
    size_t running; /* holds on all this */
    size_t bytes;   /* of all of them */
    bool closing;
};

struct put {
    struct putter *putter;
    struct put_order order;
    put_done_fn *done;
    void *arg;
    struct put *next;
    uint64_t deadline_ms;
    struct sh_arena arena;
    struct sh_work work;
    enum sh_err worked; /* the outcome of `run` on a worker */
    struct prepared doc;
    struct chunk_options chunk; /* the service's, or the collection's */
    struct model model;         /* when it began */
    bool exists;
    bool *have;
    float *vectors;
    size_t reused;
    bool alone;      /* it failed in company */
    bool maybe_done; /* an attempt may have stored it */
    struct {
        struct sh_pg_param params[4];
        char chunks[24];
        bool lost; /* to another put with it */
    } key;
    struct document_put_reply reply; /* filled on the way */
};

/* Decode, check and cut it, then whatever follows; ends in put_release(). */
void put_begin(struct put *put);
/* Looked up, and what follows. */
void put_look_up(struct put *put);
/* It is cut and is to be stored. */
void put_begin_storing(struct put *put);
/* It has the vectors that were there already. */
void put_embed(struct put *put);
void put_fail(struct put *put, enum sh_err err, const char *message);
/* The same with a code of its own; NULL: the error's. */
void put_fail_as(struct put *put, enum sh_err err, const char *code, const char *message);
/* What is wrong with the document itself. */
void put_refuse(struct put *put);
void put_database_failed(struct put *put, const struct sh_pg_reply *reply);
/* True when it has ended: nobody waits for it, or the service stops. Nothing is stored
 * yet when this is asked. */
bool put_given_up(struct put *put);
/* It has the vectors that it gets now. */
void put_store(struct put *put);
/* `reply` is filled: answer when the view shows its transaction. */
void put_wait_for_view(struct put *put);
void put_submit(struct put *put, void (*run)(struct sh_work *work),
                void (*done)(struct sh_work *work, enum sh_err err));
/* It has been answered; the next one may start. */
void put_release(struct put *put);
/* The putter lasts until as many unholds, whatever ends meanwhile. */
void put_hold(struct putter *putter);
void put_unhold(struct putter *putter);

#endif
