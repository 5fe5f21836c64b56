/* jobs_internal: a worker of the queue; shared by jobs.c (its life and lease),
 * jobs_items.c, jobs_report.c (what became of items) and jobs_steps.c. */
#ifndef SHARED_JOBS_INTERNAL_H
#define SHARED_JOBS_INTERNAL_H

#include "jobs_sql.h"
#include "shared/jobs.h"
#include "shared/mem.h"

enum {
    JOBS_KINDS_MAX = 16,
    JOBS_STORE_MS = 15000, /* the deadline of each call */
    JOBS_ITEM_ATTEMPTS = 10,
    JOBS_RUN_ATTEMPTS = 20,
    JOBS_TEXT_MAX = 500, /* bytes of an error that are kept */
};

struct jobs_claim { /* what came in one claim; items borrow from it */
    PGresult *rows;
    size_t left; /* items not yet reported */
    struct jobs_item *items;
};

enum jobs_report { REPORT_DONE, REPORT_FAILED, REPORT_LATER, REPORT_KINDS };

struct jobs_item {
    struct sh_job_item item; /* first: the kind has its address */
    struct jobs_kind *kind;
    struct jobs_claim *claim;
    struct jobs_item *next; /* of the reports */
    uint64_t worker;
    const char *seq;
    size_t bytes;
    enum jobs_report report;
    char code[64];
    char *message; /* NULL: none */
};

struct jobs_kind {
    struct sh_jobs *jobs;
    struct sh_job_kind kind;
    bool woken;       /* there may be something to claim */
    bool claiming;    /* a claim is under way, */
    uint64_t claimer; /* of this worker */
    size_t in_hand;
    size_t bytes_in_hand;
    /* Items only: reports that are to be stored, and those that are being stored. */
    struct jobs_item *reports;
    struct jobs_item **reports_end;
    struct jobs_item *storing;
};

struct sh_jobs {
    struct sh_jobs_options options;
    struct sh_jobs_config config;
    struct sh_pg_listener *listener;
    uv_timer_t timer;
    uint64_t worker; /* 0: none */
    bool enlisting;
    bool renewing;
    bool sweeping;
    bool looking;      /* which runs are to be cancelled */
    bool look_again;   /* and once more */
    uint64_t renew_ms; /* when to, next */
    uint64_t sweep_ms;
    bool draining;
    bool closing;
    bool left; /* drained; the worker's row is being removed */
    unsigned ticks;
    size_t refs; /* calls under way, items and runs in hand */
    struct sh_job_run *runs;
    void (*drained)(void *arg);
    void *drained_arg;
    size_t kind_count;
    struct jobs_kind kinds[JOBS_KINDS_MAX];
};

/* One call to the database; it holds a reference that its `done` must give back by
 * jobs_release(). Errors: as sh_pg_run(); SH_CANCELED when closing. */
SH_CHECK enum sh_err jobs_run(struct sh_jobs *jobs, const struct sh_pg_step *steps,
                              size_t count, sh_pg_done_fn *done, void *arg);
void jobs_release(struct sh_jobs *jobs);
/* Whether work may be taken. */
bool jobs_open(const struct sh_jobs *jobs);
/* What was claimed under this worker may be unknown to it: it becomes another one. */
void jobs_new_worker(struct sh_jobs *jobs);
/* Something was answered: perhaps that ends the drain. */
void jobs_settled(struct sh_jobs *jobs);
/* A number as the text of a parameter; `text` must outlive it. */
struct sh_pg_param jobs_number(uint64_t value, char text[static 24]);

/* jobs_items.c */
void jobs_claim_more(struct jobs_kind *kind);
/* jobs_report.c */
void jobs_report(struct jobs_item *item);
void jobs_store_reports(struct jobs_kind *kind);
void jobs_drop_reports(struct jobs_kind *kind); /* nobody stores them any more */
/* jobs_steps.c */
void jobs_claim_runs(struct jobs_kind *kind);
void jobs_look_at_runs(struct sh_jobs *jobs, const char *job_id); /* NULL: all */
void jobs_tell_runs(struct sh_jobs *jobs, enum sh_job_wish wanted);
void jobs_store_ends(struct sh_jobs *jobs);
void jobs_close_runs(struct sh_jobs *jobs);

#endif
