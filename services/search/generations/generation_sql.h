/* generation_sql: all SQL of generations. Comments say what the parameters are and what a
 * row holds. */
#ifndef SEARCH_GENERATION_SQL_H
#define SEARCH_GENERATION_SQL_H

#include "shared/pg.h"

/* Columns of generation_list. */
enum generation_column {
    GENERATION_FINGERPRINT,
    GENERATION_NAME,
    GENERATION_PROVIDER,
    GENERATION_DIMENSION,
    GENERATION_ALPHA,
    GENERATION_STATE,
    GENERATION_VECTORS,
    GENERATION_PENDING,
    GENERATION_FAILED,
    GENERATION_CREATED, /* Unix seconds, as are the next two; empty: not yet */
    GENERATION_BUILT,
    GENERATION_ACTIVATED,
    GENERATION_PREVIOUS,
    GENERATION_CARD,
};

/* Columns of generation_claim; binary. */
enum claim_column {
    CLAIM_CHUNK,
    CLAIM_TEXT,
    CLAIM_HASH,
    CLAIM_FINGERPRINT,
    CLAIM_NAME,
    CLAIM_PROVIDER,
    CLAIM_DIMENSION,
};

extern const struct sh_pg_statement generation_list,
    generation_states, /* → fingerprint, name, state, passages that wait */
    generation_begin,  /* as store_model_bind: it is being built, unless it is live */
    generation_mark, /* fingerprint, chunk to go on after, limit: passages without such a
                        vector are owed one → the last chunk looked at, or no row */
    generation_figures, /* fingerprint → state, passages that wait, that were refused */
    generation_total,   /* → passages in all */
    generation_finish,  /* fingerprint: it is ready if it was being built → t */
    generation_give_up, /* fingerprint: it is not being built any more */
    generation_activate, /* fingerprint → what came of it */
    generation_one,      /* fingerprint → as store_model_live, then its vectors */
    generation_scan, /* fingerprint, chunk to go on after, limit → b: chunk, document,
                        vector */
    generation_previous, /* → the fingerprint that was live before the one that is */
    /* --- passages that are owed a vector -------------------------------------------- */
    generation_claim,   /* limit, lease in seconds */
    generation_lock,    /* fingerprint: before vectors of it are stored */
    generation_done,    /* id[], hash bytea[], fingerprint */
    generation_failed,  /* id[], message, fingerprint */
    generation_release, /* id[], fingerprint: nothing was tried */
    /* --- removing ------------------------------------------------------------------- */
    generation_drop_begin, /* fingerprint → its state, "dropping" when it may go */
    generation_drop_some,  /* fingerprint, limit → how many went */
    generation_drop_end;   /* fingerprint */

#endif
