/* runs: what the service has others do: each run is a process, `cairn-backup VERB …
 * --report`, started one after the other by uv_spawn, followed by the lines it prints and
 * ended by SIGTERM. The newest are in memory; all are in the ledger (run/ledger.h), where
 * replicas and whoever comes after a service that was killed find them: a run is written
 * down there before it begins, and before whoever wants it is told so. The database is
 * not needed. Loop thread only. */
#ifndef BACKUP_RUNS_H
#define BACKUP_RUNS_H

#include <jansson.h>
#include <stdbool.h>
#include <uv.h>

#include "shared/err.h"

enum {
    RUNS_KEPT = 64,
    RUNS_WAITING = 8,
    RUN_ID = 37,
    RUN_KEY = 33,
    RUN_WORDS = 88,
    RUN_WORD = 300
};

enum run_state { RUN_QUEUED, RUN_RUNNING, RUN_DONE, RUN_FAILED, RUN_CANCELLED };

/* SH_OK: the run is written down, and told as runs_json() has it, borrowed; whatever is
 * killed from now on, it is in the list. With a key it may be an earlier one. Else it is
 * not done, `run` is NULL: SH_NOTFOUND (there is no such set), SH_IO (it cannot be
 * written), SH_CONFLICT (the key was used for another order), SH_BUSY (another replica is
 * at it), SH_NOMEM. */
typedef void runs_taken_fn(void *arg, enum sh_err err, const json_t *run);

struct run {
    char id[RUN_ID]; /* "": none */
    enum run_state state;
    char words[RUN_WORDS][RUN_WORD]; /* of the command line, from the verb on */
    unsigned word_count;
    char by[256];
    char key[RUN_KEY];   /* "": none … */
    char order[RUN_KEY]; /* … else a digest of the words */
    uint64_t version;    /* goes up with every change */
    char stage[32];
    uint64_t done, total;
    char code[64];
    char error[512];
    json_t *result;
    bool wanted_cancelled;
    double created_at, started_at, finished_at;
    bool regardless; /* as in its order, until it is kept; so the next three */
    bool of_a_set;
    runs_taken_fn *taken;
    void *taken_arg;
    /* of runs_keep.c */
    int lock;     /* of the ledger; -1: none */
    bool kept;    /* written down once, or never to be */
    bool changed; /* since it was written down */
    bool writing; /* a thread has it, and the lock */
    double kept_at;
};

struct runs;

struct runs_options {
    uv_loop_t *loop;
    const char *program;                             /* NULL: this one */
    const char *directory;                           /* BACKUP_DIR; stays the caller's */
    int ledger;                                      /* taken; -1: none */
    void (*ended)(void *arg, const struct run *run); /* DONE, FAILED or CANCELLED */
    /* One, as runs_json() has it, that ended without its service. */
    void (*interrupted)(void *arg, const json_t *run);
    void *arg;
};
/* Errors: SH_NOMEM, SH_IO. */
SH_CHECK enum sh_err runs_create(const struct runs_options *options, struct runs **out);

struct run_order {
    const char *const *words; /* the verb and its arguments; an option and its value are
                                 two of them */
    unsigned count;
    const char *by;
    const char *key;      /* 32 digits of hex: an earlier run with it, of any replica, is
                             taken for this one; NULL: none */
    bool regardless;      /* it is done even if it cannot be written down */
    bool of_a_set;        /* the second word names it; not done where it is not there */
    runs_taken_fn *taken; /* once, on a later turn; NULL: nobody waits */
    void *arg;
};
/* All but `arg` is copied. Errors: SH_BUSY (RUNS_WAITING wait), SH_TOOBIG (a word),
 * SH_NOMEM; `taken` is then never called. *out, unless NULL: valid until the next call.
 */
SH_CHECK enum sh_err runs_add(struct runs *runs, const struct run_order *order,
                              const struct run **out);
const struct run *runs_find(const struct runs *runs, const char *id);
/* An earlier run with the key of the order, of those in memory; *out as runs_add() has
 * it. Errors: SH_NOTFOUND, SH_CONFLICT (for another order), SH_NOMEM. */
SH_CHECK enum sh_err runs_known(const struct runs *runs, const struct run_order *order,
                                const struct run **out);
/* SH_NOTFOUND; SH_CONFLICT: it has ended. */
SH_CHECK enum sh_err runs_cancel(struct runs *runs, const char *id);
/* One is running or waiting; `verb` NULL: whatever it does. */
bool runs_busy(const struct runs *runs, const char *verb);
/* The caller's. */
json_t *runs_json(const struct run *run);
/* Newest first; those in memory that are written down. */
json_t *runs_list(const struct runs *runs);

struct runs_question {
    const char *id; /* of one run; "": all, newest first */
    bool cancel;    /* ask its service, or its process, to end it */
};
/* `read`: a list, or a run, which is of this version; borrowed until the call returns.
 * SH_NOTFOUND, SH_CONFLICT (to be cancelled, but has ended), SH_IO. */
typedef void runs_read_fn(void *arg, enum sh_err err, const json_t *read,
                          uint64_t version);
/* Of all replicas, and from before the start. `done` (may be NULL) is called once, on a
 * later turn. Errors: SH_NOMEM; it is then never called. */
SH_CHECK enum sh_err runs_read(struct runs *runs, const struct runs_question *question,
                               runs_read_fn *done, void *arg);
/* No new ones; what runs is told to end, and `idle` is called once nothing runs. */
void runs_drain(struct runs *runs, void (*idle)(void *arg), void *arg);
/* What still runs goes on without us; nothing is called any more. */
void runs_close(struct runs **at);

#endif
