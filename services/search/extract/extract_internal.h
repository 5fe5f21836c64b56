/* extract_internal: shared by extract.c (the queue), extract_job.c (one file and its
 * end) and extract_verdict.c (what to make of it). */
#ifndef SEARCH_EXTRACT_INTERNAL_H
#define SEARCH_EXTRACT_INTERNAL_H

#include <limits.h>

#include "services/search/extract/extract.h"
#include "services/search/extract/extract_child.h"
#include "services/search/extract/pipe.h"

enum { EXTRACT_NAME_MAX = 512, EXTRACT_DECLARED_MAX = 128 };

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

struct extract_job {
    struct extractor *extractor;
    struct extract_order order;
    struct sh_trace trace; /* what the order points to */
    extract_done_fn *done;
    void *arg;
    struct extract_job *next; /* of the waiting, or of the running */
    char name[EXTRACT_NAME_MAX + 1];
    char declared[EXTRACT_DECLARED_MAX + 1];
    struct extract_child *child;
    bool canceled; /* before it began */
    enum sh_err start;
    char message[512];
    struct extract_pipe frames;
};

struct extract_verdict {
    enum sh_err err;
    const char *code;
    const char *message; /* maybe in the job */
};

/* Of a job's child. */
extern const struct extract_child_events extract_job_events;
/* Starts it, or ends it where it was cancelled; it is among the running then. */
void extract_job_begin(struct extract_job *job);
/* A place is free: the next one begins. The extractor may be gone after this. */
void extractor_next(struct extractor *extractor);

/* What became of a child that is dead; counted and logged. */
struct extract_verdict extract_judge(struct extract_job *job,
                                     const struct extract_exit *exit);

#endif
