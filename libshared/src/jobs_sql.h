/* jobs_sql: all SQL of the queue. Comments say what the parameters are and what a row
 * holds. */
#ifndef SHARED_JOBS_SQL_H
#define SHARED_JOBS_SQL_H

#include "shared/pg.h"

/* Columns of jobs_claim_items (binary, all of them text or bytea). */
enum claim_item_column {
    CLAIM_ITEM_JOB,
    CLAIM_ITEM_SEQ,
    CLAIM_ITEM_LABEL,
    CLAIM_ITEM_PAYLOAD,
    CLAIM_ITEM_ATTEMPTS,
    CLAIM_ITEM_CALLER,
};

/* Columns of jobs_claim_run (binary, likewise). */
enum claim_run_column {
    CLAIM_RUN_ID,
    CLAIM_RUN_PARAMS,
    CLAIM_RUN_CURSOR,
    CLAIM_RUN_CALLER,
    CLAIM_RUN_CANCEL, /* "1" or "0" */
    CLAIM_RUN_ATTEMPTS,
};

extern const struct sh_pg_statement
    /* --- the worker ----------------------------------------------------------------- */
    jobs_enlist, /* lease in seconds → id */
    jobs_renew,  /* worker, lease → a row unless it was removed */
    jobs_leave,  /* worker */
    jobs_reap,   /* removes workers whose lease ran out */
    jobs_free_items, jobs_free_runs,
    jobs_abandon,    /* cancels those that nobody adds to any more */
    jobs_trim_items, /* hours to keep */
    jobs_trim,       /* hours to keep */
    /* --- items ---------------------------------------------------------------------- */
    jobs_claim_items,  /* worker, kind, most items, most bytes */
    jobs_items_done,   /* worker, job, seqs */
    jobs_items_failed, /* worker, job, seqs, codes, messages */
    jobs_items_later,  /* as jobs_items_failed */
    /* --- steps ---------------------------------------------------------------------- */
    jobs_claim_run,  /* worker, kind */
    jobs_run_hold,   /* job, worker */
    jobs_run_save,   /* job, cursor, done, failed, total → whether to cancel, 1 or 0 */
    jobs_run_end,    /* job, worker, state, result, code, message, wait in ms */
    jobs_run_wanted, /* worker → ids of its runs that are to be cancelled */
    /* --- asking: each gives id, state, total; no row: it was not to be ---------------
     */
    jobs_add,       /* kind, style, params, key, caller, created_by, most by user */
    jobs_key_lock,  /* write key */
    jobs_keyed,     /* write key, kind, params → and whether it is the same order */
    jobs_add_keyed, /* as jobs_add, write key */
    jobs_look,      /* job → id, state, total, sealed */
    jobs_lock,      /* job */
    jobs_append, /* job, first, labels, payloads, codes, messages, most bytes, turns → and
                  * room
                  */
    jobs_seal,   /* job, total */
    jobs_cancel,      /* job */
    jobs_retry_items, /* job */
    jobs_retry_run;   /* job */

#endif
