/* jobs: work that outlives the process that does it. A durable queue in PostgreSQL
 * (tables jobs, job_items and job_workers) of which every replica takes what it can do.
 *
 * A job of style ITEMS has many independent items, each with a payload, its own outcome
 * and its own retry; all replicas work on them at once. A job of style STEPS is run by
 * one replica at a time: it keeps a JSON cursor, committed with each step, and whoever
 * takes the job over after a crash goes on from there.
 *
 * Who takes work does so as a worker: a row with a lease that is renewed by itself. A
 * worker that died, or hung for longer than its lease, loses all it had taken, and what
 * it reports then is not counted. So every item is counted exactly once; it may be *done*
 * more than once, and what is done must be idempotent.
 *
 * Loop thread only. Needs migrations 0009 and 0031. */
#ifndef SHARED_JOBS_H
#define SHARED_JOBS_H

#include "shared/config.h"
#include "shared/pg.h"

#define SH_JOBS_SETTINGS(S)                                                              \
    S(u32, lease_s, "JOB_LEASE_SECONDS", "30", 1, 3600, 0, "",                           \
      "after so long without a sign of life a worker's jobs are given to others")        \
    S(u32, keep_hours, "JOB_KEEP_HOURS", "168", 1, 87600, 0, "",                         \
      "how long jobs that have ended can be looked at")                                  \
    S(u32, backlog_mb, "JOB_BACKLOG_MB", "1024", 1, 1048576, 0, "",                      \
      "most megabytes of items that wait in the queue; who adds more has to wait")       \
    S(u32, per_user, "JOBS_PER_USER", "20", 1, 100000, 0, "",                            \
      "jobs of one user that have not ended; more are refused")

struct sh_jobs_config {
    SH_JOBS_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_jobs_settings(struct sh_jobs_config *into);

enum {
    SH_JOB_ID_TEXT = 37,
    SH_JOB_ITEMS_MAX = 1000, /* in one call of append */
    SH_JOB_WRITE_KEY = 16,
};
enum sh_job_style { SH_JOB_ITEMS, SH_JOB_STEPS };

struct sh_jobs; /* this process as a worker */

/* --- doing: style ITEMS ----------------------------------------------------------- */

/* One item in hand. Valid until it is answered by one of the two below, which may happen
 * inside the callback. */
struct sh_job_item {
    const char *job_id;
    struct sh_bytes caller; /* as given with the job */
    struct sh_bytes label;  /* "line 17" */
    struct sh_bytes payload;
    unsigned attempt; /* 1 for the first */
    void *arg;        /* for the kind's own use */
};
/* Done: its payload is dropped. */
void sh_job_item_done(struct sh_job_item *item);
/* `again`: the trouble passes; it is tried later and later, ten times in all, before it
 * counts as failed. The text is for people, at most 500 bytes are kept. */
void sh_job_item_fail(struct sh_job_item *item, const char *code, const char *message,
                      bool again);

/* --- doing: style STEPS ----------------------------------------------------------- */

/* One job in hand. Valid until sh_job_end(). */
struct sh_job_run;

const char *sh_job_id(const struct sh_job_run *run);
/* JSON, as given with the job. Borrowed, as are the next two. */
struct sh_bytes sh_job_params(const struct sh_job_run *run);
/* JSON of the last checkpoint; empty: there was none. */
struct sh_bytes sh_job_cursor(const struct sh_job_run *run);
struct sh_bytes sh_job_caller(const struct sh_job_run *run);

enum sh_job_wish {
    SH_JOB_GO,
    SH_JOB_CANCEL, /* somebody wants it cancelled: clean up, end it as CANCELLED */
    SH_JOB_LEAVE,  /* the process stops, or the lease was lost: end it as RELEASED */
};
/* What is wanted of the run; look at it wherever it is convenient, and at the start: a
 * job that is cancelled while nobody runs it is given to a runner for cleaning up. */
enum sh_job_wish sh_job_wanted(const struct sh_job_run *run);

struct sh_job_checkpoint {
    struct sh_bytes cursor; /* JSON. "errors" in it, [{"item", "code", "error"}], are
                               shown as the job's until there is a result */
    uint64_t done;          /* progress as it is to be shown, and of how many; */
    uint64_t failed;
    uint64_t total; /* 0: not known */
    /* Statements of the caller's own that are committed in the same transaction; may be
     * NULL. When the lease is lost they are not. */
    const struct sh_pg_step *steps;
    size_t step_count;
};
/* Exactly once per accepted checkpoint. SH_OK: committed. SH_CANCELED: the run is another
 * worker's now, nothing was committed; end it as RELEASED. Anything else: not committed,
 * or (SH_UNAVAILABLE) perhaps; the same again does no harm if the caller's statements do
 * none. `reply` has the results of the caller's own statements, in order, from index 1
 * on; borrowed until `done` returns. */
typedef void sh_job_saved_fn(void *arg, enum sh_err err, const struct sh_pg_reply *reply);
/* One at a time. All is copied. Errors: SH_NOMEM, SH_BUSY, SH_CANCELED (as above),
 * SH_INVALID; `done` is then never called. */
SH_CHECK enum sh_err sh_job_checkpoint(struct sh_job_run *run,
                                       const struct sh_job_checkpoint *checkpoint,
                                       sh_job_saved_fn *done, void *arg);

enum sh_job_outcome {
    SH_JOB_DONE,
    SH_JOB_FAILED,    /* for good; somebody may retry it: it goes on from its cursor */
    SH_JOB_CANCELLED, /* has been cleaned up */
    SH_JOB_RELEASED,  /* not ended: to be taken up again, after retry_ms, from the cursor
                       */
};
struct sh_job_end {
    enum sh_job_outcome outcome;
    struct sh_bytes result; /* DONE, FAILED: JSON for whoever looks at it, with "errors"
                               as of a cursor; may be empty */
    const char *code;       /* FAILED; RELEASED: the trouble, to be shown meanwhile */
    const char *message;    /* likewise */
    uint64_t retry_ms;      /* RELEASED */
};
/* The run is gone when this returns; what it says is stored as soon as the database can.
 * No checkpoint may be under way. A job whose runs crash 20 times
 * without a checkpoint between fails. */
void sh_job_end(struct sh_job_run *run, const struct sh_job_end *end);

/* --- the worker ------------------------------------------------------------------- */

struct sh_job_kind {
    const char *name; /* "ingest"; static, as all of this */
    enum sh_job_style style;
    unsigned at_once; /* items in hand, or jobs; 0: 1 */
    size_t bytes_max; /* of payloads in hand; 0: 16 MiB. One item is always taken */
    void (*item)(void *arg, struct sh_job_item *item);
    void (*run)(void *arg, struct sh_job_run *run);
    /* sh_job_wanted() is no longer GO; may be NULL. Never from inside run(). */
    void (*wanted)(void *arg, struct sh_job_run *run);
    void *arg;
};

struct sh_jobs_options {
    struct sh_pg *pg;
    const struct sh_pg_config *pg_config; /* for LISTEN */
    const struct sh_jobs_config *config;
    const struct sh_job_kind *kinds; /* copied */
    size_t kind_count;               /* at most 16 */
    /* A job changed (its progress, its state), or (NULL) any may have; may be NULL. */
    void (*changed)(void *arg, const char *job_id);
    void *arg;
};

/* Begins to take work at once. An absent database is no error. Errors: SH_NOMEM,
 * SH_INVALID, those of sh_pg_listen(). */
SH_CHECK enum sh_err sh_jobs_create(uv_loop_t *loop,
                                    const struct sh_jobs_options *options,
                                    struct sh_jobs **out);
/* Takes no more work and tells the runs to leave; `done`, never from inside this call,
 * when all in hand has been answered and what can be stored of it is stored. */
void sh_jobs_drain(struct sh_jobs *jobs, void (*done)(void *arg), void *arg);
/* Before its pg is closed. Kinds are not called any more, `done` of a drain neither;
 * items and runs in hand stay valid until they are answered, which then says nothing to
 * anybody; their leases run out. *jobs becomes NULL. NULL is fine. */
void sh_jobs_close(struct sh_jobs **jobs);

/* --- asking: from any process with a database, worker or not ---------------------- */

struct sh_job_reply {
    enum sh_err err;     /* SH_NOTFOUND; SH_CONFLICT: of the same key there is one, or its
                            state does not allow that; those of sh_pg_run() */
    bool maybe_done;     /* as of struct sh_pg_reply */
    bool key_reused;     /* SH_CONFLICT: the write key stands for another order */
    const char *id;      /* "" unless SH_OK */
    const char *state;   /* "queued", "running", "done", "failed", "cancelled" */
    uint64_t total;      /* items so far */
    bool full;           /* append: not taken, too much waits; the same again later */
    const char *message; /* for the log */
};
/* Exactly once per accepted call; never from inside it. Borrowed until it returns. */
typedef void sh_job_reply_fn(void *arg, const struct sh_job_reply *reply);

struct sh_job_new {
    const char *kind;
    enum sh_job_style style;
    struct sh_bytes params; /* JSON; empty: {} */
    struct sh_bytes key;    /* of one kind and key there is one at a time; empty: many */
    struct sh_bytes caller; /* whose rights it has, for the kind to know; any bytes */
    struct sh_bytes created_by; /* the user's id; empty: a service */
    struct sh_bytes file_name;  /* of the file it is made from: UTF-8, 255 bytes at most;
                                   empty: none */
    const uint8_t *write_key; /* SH_JOB_WRITE_KEY bytes, or NULL: the same order with the
                                 same key within a day is the same job (0029) */
    uint64_t most_by_user;    /* jobs of one user that have not ended; 0: any. Above it
                                 SH_BUSY */
};
/* A STEPS job is ready to run; an ITEMS job takes items until it is sealed, and is
 * cancelled by itself when nobody adds to it for two minutes. Items are worked on from
 * the moment they are there. Errors of all of these: those of sh_pg_run(). */
SH_CHECK enum sh_err sh_job_add(struct sh_pg *pg, const struct sh_job_new *order,
                                sh_job_reply_fn *done, void *arg);

struct sh_job_input {
    struct sh_bytes label;
    struct sh_bytes payload;
    const char *code;    /* NULL; or it has failed already, and why. It has no payload */
    const char *message; /* then */
    uint64_t turn; /* items of the same are done in their order, one after the other;
                      0: at any time */
};
struct sh_job_inputs {
    uint64_t first; /* items before these: the same append twice adds them once */
    const struct sh_job_input *items;
    size_t count;
    uint64_t backlog_bytes; /* that may wait; more are SH_BUSY */
};
/* Also a sign of life, with count 0. */
SH_CHECK enum sh_err sh_job_append(struct sh_pg *pg, const char *id,
                                   const struct sh_job_inputs *inputs,
                                   sh_job_reply_fn *done, void *arg);
/* There are no more: `total` in all, or SH_CONFLICT. */
SH_CHECK enum sh_err sh_job_seal(struct sh_pg *pg, const char *id, uint64_t total,
                                 sh_job_reply_fn *done, void *arg);
/* SH_CONFLICT when it has ended. A STEPS job that has begun ends when its runner has
 * cleaned up. */
SH_CHECK enum sh_err sh_job_cancel(struct sh_pg *pg, const char *id,
                                   sh_job_reply_fn *done, void *arg);
/* The failed items again, or a failed STEPS job from its cursor. SH_CONFLICT: nothing has
 * failed, or what failed cannot be tried again. */
SH_CHECK enum sh_err sh_job_retry(struct sh_pg *pg, const char *id, sh_job_reply_fn *done,
                                  void *arg);

#endif
