/* queue: records on their way from many threads to one. Putting is one exchange of a
 * pointer; the reader takes all at once and turns them round. Bounded by a count. */
#ifndef GATEWAY_AUDIT_QUEUE_H
#define GATEWAY_AUDIT_QUEUE_H

#include <stdatomic.h>

#include "services/gateway/audit/record.h"

struct audit_entry {
    struct audit_entry *next;
    struct audit_record record; /* texts borrow from `texts` */
    char texts[];
};

struct audit_queue {
    _Atomic(struct audit_entry *) last;
    atomic_size_t count;
    atomic_ullong lost; /* found no room, since the last look */
    size_t max;
};

enum audit_put {
    AUDIT_PUT_FIRST,  /* the queue was empty: its reader sleeps */
    AUDIT_PUT_BEHIND, /* others */
    AUDIT_PUT_LOST,   /* there is no room */
};

/* A copy of the record; texts over their field's limit are cut. */
enum audit_put audit_queue_put(struct audit_queue *queue,
                               const struct audit_record *record);
/* All, the oldest first; the caller ends each by sh_free(). */
struct audit_entry *audit_queue_take(struct audit_queue *queue);

#endif
