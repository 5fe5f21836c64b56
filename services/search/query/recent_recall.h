/* recent_recall: the mean of what was measured in the last five minutes, minute by
 * minute. Pure: the clock is the caller's, in microseconds, and never goes back. */
#ifndef SEARCH_RECENT_RECALL_H
#define SEARCH_RECENT_RECALL_H

#include <stdint.h>

enum { RECENT_RECALL_MINUTES = 5 };

struct recent_recall { /* {0} has measured nothing */
    struct recent_recall_minute {
        uint64_t begun_min;
        uint64_t count;
        double sum;
    } minutes[RECENT_RECALL_MINUTES];
};

void recent_recall_add(struct recent_recall *self, uint64_t now_us, double ratio);
/* NAN: nothing was measured. *count: how often it was. */
double recent_recall_mean(const struct recent_recall *self, uint64_t now_us,
                          uint64_t *count);

#endif
