/* runs: what its files share. runs.c has the list and whose turn it is, run_process.c the
 * process of the one that runs, runs_keep.c what goes to the ledger and runs_read.c what
 * comes from it, on libuv's threads, runs_key.c the keys. Loop thread only. */
#ifndef BACKUP_RUNS_INTERNAL_H
#define BACKUP_RUNS_INTERNAL_H

#include "services/backup/run/ledger.h"
#include "services/backup/run/work.h"
#include "services/backup/service/runs.h"
#include "services/backup/service/teller.h"

struct runs {
    struct runs_options options;
    char program[BACKUP_PATH];
    struct run list[RUNS_KEPT]; /* a ring; `next` is the oldest */
    size_t next;
    struct run *now; /* the one that runs */
    bool draining;
    bool closed;
    unsigned asked; /* works on other threads, not answered; memory goes with the last */
    void (*idle)(void *arg);
    void *idle_arg;
    /* runs_keep.c */
    int ledger;           /* -1: runs are in memory only */
    bool keeping;         /* a run is being written */
    struct teller teller; /* run_process.c: its process */
};

/* Spawns runs->now; runs_ended() comes on a later turn in every case. */
void process_start(struct runs *runs);
void process_cancel(struct runs *runs);
/* It goes on without us. */
void process_let_go(struct runs *runs);

/* The process of runs->now is gone, and its handles; how it ended is in the run. */
void runs_ended(struct runs *runs);
/* What is next: a run, being idle, or being freed. */
void runs_go_on(struct runs *runs);

/* The run is not as it was written down last. */
void keep(struct runs *runs, struct run *run);
/* The key of the order, for it; none without one. Errors: SH_NOMEM. */
SH_CHECK enum sh_err run_key_note(struct run *run, const struct run_order *order);

/* What is the ledger's own is taken away. */
void runs_strip(json_t *run);
/* Runs that were found to have ended without their service, as the ledger has them: the
 * service is told, and they are stripped. */
void runs_tell_found(struct runs *runs, json_t *found);

/* All is written. */
bool keep_done(const struct runs *runs);

#endif
