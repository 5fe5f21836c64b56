/* due: when a scheduled set is due, and when this replica begins with it. What is due is
 * reckoned from the newest set: however many times were missed, one set makes up for all
 * of them, and who sees another replica's set has nothing to do. Times are Unix seconds.
 * Pure; any thread. */
#ifndef BACKUP_DUE_H
#define BACKUP_DUE_H

#include <stdbool.h>

#include "services/backup/schedule/cron.h"

struct due { /* of one schedule; zero at first */
    double not_before;
    unsigned failures; /* in a row */
};

/* The first time after the newest set, `last`. Before the first one (0) nothing was
 * missed: after `started`, the beginning of the process. 0: never. */
double due_next(const struct cron *cron, double last, double started);
/* What a replica adds to that: from 0 to `jitter_s`, always the same for a name and a
 * time, another one for another of either. */
double due_jitter(const char *replica, double due, unsigned jitter_s);
/* It is time to begin. What was due before the process began is late already; the jitter
 * then counts from its beginning, so that not all begin at once after an outage. */
bool due_now(const struct due *self, double due, double jitter, double started,
             double now);
/* An hour and the longest jitter after it was due it is not there. */
bool due_late(double due, unsigned jitter_s, double now);

/* Again in 1, 2, 4 … 32 minutes. */
void due_failed(struct due *self, double now);
void due_succeeded(struct due *self);

#endif
