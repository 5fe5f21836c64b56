/* extract_internal: shared by extract.c (the queue), extract_job.c (one child and its
 * end) and extract_verdict.c (what to make of it). */
#ifndef SEARCH_EXTRACT_INTERNAL_H
#define SEARCH_EXTRACT_INTERNAL_H

#include <limits.h>

#include "services/search/extract/extract.h"
#include "services/search/extract/pipe.h"

enum { EXTRACT_NAME_MAX = 512, EXTRACT_DECLARED_MAX = 128, EXTRACT_READ_BYTES = 65536 };

struct extractor {
    uv_loop_t *loop;
    struct extractor_options options;
    char program[PATH_MAX];
    struct extract_job *first; /* waiting */
    struct extract_job **end;
    size_t waiting;
    size_t running;
    struct extract_job *started; /* running ones */
    bool closing;
};

/* Why it was killed, the first reason. */
enum killed { NOT_KILLED, CANCELED, TIMED_OUT, OVER_MEMORY, NONSENSE };

struct extract_job {
    struct extractor *extractor;
    struct extract_order order;
    struct sh_trace trace; /* what the order points to */
    extract_done_fn *done;
    void *arg;
    struct extract_job *next; /* of the waiting, or of the running */
    char name[EXTRACT_NAME_MAX + 1];
    char declared[EXTRACT_DECLARED_MAX + 1];
    uv_process_t process;
    uv_pipe_t pipe;
    uv_timer_t timer;
    uint64_t deadline_ms;
    size_t open; /* handles: the pipe, the timer, and the process once it was tried */
    bool exited;
    bool drained;
    bool spawned;
    int64_t status;
    int signal;
    enum killed killed;
    enum sh_err start;
    char message[512];
    struct extract_pipe frames;
    char buffer[EXTRACT_READ_BYTES];
};

struct extract_verdict {
    enum sh_err err;
    const char *code;
    const char *message; /* maybe in the job */
};

/* cairn-extract: the one given, or the one in the folder of the program that runs. */
SH_CHECK enum sh_err extract_find_program(const char *given, char out[static PATH_MAX]);
/* What the process has in memory, in MB; 0 when that is not known. */
uint64_t extract_resident_mb(int pid);

/* Starts it, or ends it at once where it was cancelled; it is among the running then. */
void extract_job_begin(struct extract_job *job);
/* It ends soon, for this reason unless there was one. */
void extract_job_kill(struct extract_job *job, enum killed why);
/* A place is free: the next one begins. The extractor may be gone after this. */
void extractor_next(struct extractor *extractor);

/* What became of a child that is dead; counted and logged. */
struct extract_verdict extract_judge(struct extract_job *job);

#endif
