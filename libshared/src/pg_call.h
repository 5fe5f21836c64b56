/* pg_call: one accepted call of the pool: a copy of what was asked, its results, and how
 * SQLSTATEs read as errors. Loop thread only. */
#ifndef SHARED_PG_CALL_H
#define SHARED_PG_CALL_H

#include "shared/pg.h"

struct pg_step {
    const struct sh_pg_statement *statement;
    const char *const *values;
    const int *lengths;
    const int *formats;
    int count;
    int result_format;
};

struct pg_call { /* one block of memory */
    struct pg_call *next;
    sh_pg_done_fn *done;
    void *arg;
    struct pg_step *steps;
    PGresult **results;
    size_t count;
    uint64_t deadline_ms;
    uint64_t queued_ms;  /* when it began to wait for a connection */
    uint64_t started_us; /* when it was accepted */
    unsigned serial_retries;
    unsigned stale_retries;
    unsigned broken_retries;
    unsigned unsent; /* failures of libpq to take it */
    bool doomed;     /* is to fail with SH_UNAVAILABLE */
    bool read_only;
    bool ad_hoc;
    bool traced;
    struct sh_trace trace;
    /* the outcome */
    enum sh_err err;
    bool maybe_done;
    size_t failed_step; /* count when no step is to blame */
    char sqlstate[6];
    char message[256];
};

/* A queue, first in first out. */
struct pg_queue {
    struct pg_call *first;
    struct pg_call **end; /* NULL while never used */
    size_t count;
};
void pg_queue_push(struct pg_queue *queue, struct pg_call *call);
void pg_queue_push_front(struct pg_queue *queue, struct pg_call *call);
/* NULL when empty. */
struct pg_call *pg_queue_pop(struct pg_queue *queue);
/* Move what `unwanted` names into `out`, in order. */
void pg_queue_sift(struct pg_queue *queue,
                   bool (*unwanted)(void *arg, struct pg_call *call), void *arg,
                   struct pg_queue *out);

/* Errors: SH_NOMEM; SH_INVALID: no steps, too many parameters, a NUL in text. */
SH_CHECK enum sh_err pg_call_copy(const struct sh_pg_call *from, sh_pg_done_fn *done,
                                  void *arg, struct pg_call **out);
/* Forget the results and the fault: it is going to run again. */
void pg_call_reset(struct pg_call *call);
/* Set the outcome without an SQLSTATE. */
void pg_call_fail(struct pg_call *call, enum sh_err err, const char *message);
/* Tell the caller and the metrics, and free it. */
void pg_call_finish(struct pg_call *call);

/* What an SQLSTATE means; SH_INTERNAL when nothing better fits. */
enum sh_err pg_err_from_sqlstate(const char *sqlstate);

#endif
