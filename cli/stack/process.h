/* process: a supervised child. Its output goes to DIR/log/NAME.log; when it ends without
 * having been asked to it is started again, after 100 ms, 200 ms, … 10 s; a life of 30 s
 * starts the count anew. Loop thread only. */
#ifndef STACK_PROCESS_H
#define STACK_PROCESS_H

#include <stdbool.h>
#include <uv.h>

#include "shared/err.h"

struct process {
    char name[32];
    const char *log_dir;
    const char *run_dir;     /* NAME.pid is kept there; NULL: none */
    const char *const *argv; /* ended by NULL; owned by the caller, like env */
    char **env;
    uid_t uid; /* as whom; the own one changes nothing */
    gid_t gid;
    int stop_signal;
    bool once;    /* not started again */
    bool visible; /* writes to the terminal instead of its log */

    /* the rest is filled in */
    uv_process_t handle;
    uv_timer_t timer;
    unsigned handles; /* not yet closed */
    bool running;     /* the child is */
    bool stopping;
    int64_t exit_status;
    int term_signal;
    unsigned restarts;
    unsigned failures; /* in a row: sets the back-off */
    uint64_t started_ms;
};

SH_CHECK enum sh_err process_start(uv_loop_t *loop, struct process *process);
/* Ask it to end; it is not started again. */
void process_stop(struct process *process);
void process_kill(struct process *process);
/* Close the handles of an ended process; its memory is free once handles is 0. */
void process_close(struct process *process);

#endif
