/* pg_keeper: what the pgvector backend needs in the database is there: the extension, the
 * tables and triggers that keep words and vectors beside the record, the index of the
 * model in use, and rows for what was stored before. Also trims the outbox, which nobody
 * follows here. Loop thread only. */
#ifndef SEARCH_PG_KEEPER_H
#define SEARCH_PG_KEEPER_H

#include "services/search/ingest/model.h"

struct pg_keeper;

struct pg_keeper_options {
    struct sh_pg *pg;
    const struct model *model; /* in use; read whenever setting up begins */
    const char *type;          /* "vector" or "halfvec" */
    uint32_t outbox_keep_s;
    /* Everything is there and filled, or why it is not changed. What was there once
     * stays: while another model is set up searches go on. */
    void (*changed)(void *arg, bool complete);
    void *arg;
};

SH_CHECK enum sh_err pg_keeper_create(uv_loop_t *loop,
                                      const struct pg_keeper_options *options,
                                      struct pg_keeper **out);
/* Set up (again): the model is known, or is another one. Without the database it goes on
 * trying. */
void pg_keeper_set_up(struct pg_keeper *self);
/* Of the extension, "" while not known. */
const char *pg_keeper_version(const struct pg_keeper *self);
/* Why not everything is there, "" when it is. */
const char *pg_keeper_problem(const struct pg_keeper *self);
void pg_keeper_close(struct pg_keeper **keeper);

#endif
