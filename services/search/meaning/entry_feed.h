/* entry_feed: keeps a set of what the entries of the glossary mean: reads the vectors
 * that the record has, follows its changes, has those embedded that lack one and stores
 * them. It begins when somebody searches by meaning for the first time, or at the start
 * where the record has vectors already. Loop thread only. */
#ifndef SEARCH_ENTRY_FEED_H
#define SEARCH_ENTRY_FEED_H

#include "services/search/ingest/embed.h"
#include "services/search/meaning/entry_set.h"

struct entry_feed;

struct held_entries { /* some hold it while they search */
    struct entry_set *set;
    unsigned users;
};

struct entry_feed_options {
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    const struct model_binding *model;
};

/* Errors: SH_NOMEM. */
SH_CHECK enum sh_err entry_feed_create(uv_loop_t *loop,
                                       const struct entry_feed_options *options,
                                       struct entry_feed **out);
/* Entries of this model, held; NULL: there are none yet. *complete: all of them are in
 * it, as far as is known. */
struct held_entries *entry_feed_hold(struct entry_feed *self, const struct model *model,
                                     bool *complete);
void entries_release(struct held_entries *held);
/* Before the database and the embedder's client are closed. NULL is fine. */
void entry_feed_close(struct entry_feed **self);

#endif
