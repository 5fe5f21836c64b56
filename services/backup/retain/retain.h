/* retain: which sets stay. Each kind is judged by itself; a set stays when any rule wants
 * it: its age in days, its place among the newest, or that it is the newest of its day,
 * week (from Monday) or month in UTC. Whatever the rules say, the newest of a kind, the
 * newest verified one of it and the newest that was restored stay. With all rules at 0
 * everything stays. Pure; any thread. */
#ifndef BACKUP_RETAIN_H
#define BACKUP_RETAIN_H

#include <stdbool.h>
#include <stddef.h>

struct retain_rules {
    unsigned days, count, daily, weekly, monthly;
};

struct retain_set {
    const char *kind;
    double created_at; /* Unix seconds */
    bool verified;
    bool restored; /* to verify it */
    /* the answer */
    const char *reason; /* why it stays; NULL: it may go */
};

/* Newest first. */
void retain_judge(const struct retain_rules *rules, double now, struct retain_set *sets,
                  size_t count);

#endif
