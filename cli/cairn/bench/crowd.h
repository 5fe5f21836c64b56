/* crowd: many users who search at the same time, each over a connection of its own. */
#ifndef CAIRN_BENCH_CROWD_H
#define CAIRN_BENCH_CROWD_H

#include "cli/api/api.h"

struct crowd {
    const struct api_settings *settings;
    const char *role; /* and department, for a server that believes it; NULL */
    const char *const *questions;
    size_t question_count;
    uint32_t fresh; /* not 0: each question gets this and a number of its own, so that no
                     * cache answers it */
    unsigned users;
    unsigned requests; /* of each */
};

/* Statuses of the answers, and seconds in ascending order; those that were not answered
 * have neither. crowd_free() it. */
struct crowd_outcome {
    double *seconds;
    size_t answered; /* entries of seconds: those that succeeded */
    size_t limited;  /* 429 */
    size_t failed;   /* anything else */
    double wall_s;
    char error[API_ERROR_MAX]; /* of one that failed */
};

/* All begin together. False: out of memory or threads. */
bool crowd_run(const struct crowd *crowd, struct crowd_outcome *outcome);
void crowd_free(struct crowd_outcome *outcome);

#endif
