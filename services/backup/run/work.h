/* work: what every piece of a run is given. A run is a process of its own, `cairn-backup
 * create …`: it may wait for disks, pipes and the database, dies without harm to the
 * service, and is the same program that a person starts when no service is left. One
 * thread; the loop is for children, S3 and the file store, and is turned by whoever waits
 * for one of them. */
#ifndef BACKUP_WORK_H
#define BACKUP_WORK_H

#include <jansson.h>
#include <uv.h>

#include "services/backup/settings.h"

/* WORK_LEDGER: the descriptor that the service gives to a run, see ledger.h. */
enum { BACKUP_PATH = 2048, BACKUP_ID = 64, WORK_LEDGER = 3 };

struct work {
    const struct backup_all *all;
    uv_loop_t *loop;
    int root;          /* BACKUP_DIR, open; -1: not yet */
    bool report;       /* JSON lines on stdout for the service */
    bool waits;        /* for another run's end, rather than to fail */
    bool ledger;       /* and the last one to WORK_LEDGER */
    const char *stage; /* "dump": of metrics and messages */
    char error[512];   /* what failed first, for people */
    uint64_t shown_ms;
};

/* Keeps the first text; gives `err` back. */
__attribute__((format(printf, 3, 4))) enum sh_err
work_fail(struct work *work, enum sh_err err, const char *format, ...);
/* SIGTERM or SIGINT came. */
bool work_cancelled(const struct work *work);
/* SH_CANCELED with its text, or SH_OK. */
SH_CHECK enum sh_err work_go_on(struct work *work);
void work_catch_signals(void);

void work_stage(struct work *work, const char *stage);
/* Total 0: not known. Ten times a second at most. */
void work_progress(struct work *work, uint64_t done, uint64_t total);
/* The last line of a run; `result` may be NULL, and is borrowed. */
void work_end(struct work *work, enum sh_err err, const json_t *result);
/* For people and the log: one line on stderr. */
__attribute__((format(printf, 2, 3))) void work_say(struct work *work, const char *format,
                                                    ...);

/* Waits, at most so long; a signal may end it sooner. */
void work_pause(unsigned ms);
/* Turns the loop until *flag is set. */
void work_until(struct work *work, const bool *flag);
/* The same; once the run is cancelled `give_up` is called, which sees to the flag. */
void work_until_cancelled(struct work *work, const bool *flag, void (*give_up)(void *arg),
                          void *arg);

#endif
