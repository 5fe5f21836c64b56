/* report: what came of each file, told as it happens: lines of JSON or nothing on stdout,
 * a progress bar and what failed on stderr, a sum at the end. Any thread. */
#ifndef INGEST_REPORT_H
#define INGEST_REPORT_H

#include <pthread.h>

#include "cli/cairn/ingest/ingest.h"
#include "cli/cairn/progress.h"
#include "cli/cairn/table.h"
#include "cli/cairn/text.h"

struct report { /* report_start(); report_end() */
    pthread_mutex_t mutex;
    struct progress progress;
    bool json;
    uint64_t total;
    uint64_t count[INGEST_OUTCOMES];
    uint64_t chunks;
    uint64_t bytes;   /* of what was sent */
    uint64_t faults;  /* what could not even be looked at */
    uint64_t refused; /* of the failed: not allowed */
    int halt;
    char halt_error[API_ERROR_MAX];
};

void report_start(struct report *self, bool json, bool quiet);
/* Takes result->errors. */
void report_file(struct report *self, const struct walk_file *file,
                 struct ingest_result *result);
void report_fault(struct report *self, const char *shown, const char *why);
/* How far a job of lines is. */
void report_job(struct report *self, const json_t *job);
/* 0, or the exit code for which no further file is to be begun. */
int report_halted(struct report *self);
/* Says how it all went; the exit code. */
int report_end(struct report *self, size_t others);

#endif
