/* child: a program of PostgreSQL's as a child process, started by uv_spawn. What it says
 * on stderr is kept, its end of it at least, for messages. One thread; the loop is turned
 * by child_turn() and child_wait(). */
#ifndef BACKUP_CHILD_H
#define BACKUP_CHILD_H

#include <sys/types.h>

#include "services/backup/run/work.h"

enum { CHILD_WORDS = 2048 };

struct child {
    uv_process_t process;
    uv_pipe_t errors;
    unsigned open; /* handles that are not closed */
    bool ended;
    bool quiet; /* both handles are closed */
    int64_t status;
    int term_signal;
    char words[CHILD_WORDS];
    size_t word_count;
    char read[CHILD_WORDS];
};

struct child_spec {
    const char *const *argv; /* ended by NULL; argv[0] is a path, or looked for in PATH */
    char *const *env;        /* ended by NULL; NULL: this process's */
    int in;                  /* descriptors; -1: /dev/null */
    int out;
    uid_t uid; /* another user's: only root can */
    gid_t gid;
};

/* `child` must stay until child_wait(). Errors: SH_IO (it cannot be started); the work
 * has the text. */
SH_CHECK enum sh_err child_start(struct work *work, const struct child_spec *spec,
                                 struct child *child);
/* Look after what it says; never waits. */
void child_turn(struct work *work);
void child_kill(struct child *child, int number);
/* Until it has ended. SH_OK: with status 0. SH_UPSTREAM: not so; SH_CANCELED: the run was
 * cancelled and the child ended for it. The work has the text. */
SH_CHECK enum sh_err child_wait(struct work *work, struct child *child, const char *name);
/* Started, and waited for. */
SH_CHECK enum sh_err child_run(struct work *work, const struct child_spec *spec);
/* A pipe whose ends are closed on exec; room for a megabyte where that can be had. */
SH_CHECK enum sh_err child_pipe(struct work *work, int ends[2]);

#endif
