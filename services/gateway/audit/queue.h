/* queue: records on their way from many threads to one. Each thread writes to a lane, the
 * reader takes what all of them hold; of one thread they come in its order. Nothing is
 * allocated for a record. Bounded by a count. */
#ifndef GATEWAY_AUDIT_QUEUE_H
#define GATEWAY_AUDIT_QUEUE_H

#include <pthread.h>
#include <stdatomic.h>

#include "services/gateway/audit/record.h"

enum { AUDIT_LANES = 16 };

struct audit_lane {
    pthread_mutex_t lock;
    struct sh_buffer entries;
};

struct audit_queue {
    struct audit_lane lanes[AUDIT_LANES];
    atomic_size_t count;
    atomic_ullong lost; /* found no room, since the last look */
    atomic_bool awake;  /* the reader knows that there are some */
    size_t max;
    /* the reader's own */
    struct sh_buffer taken;
    uint32_t next_lane;
    size_t at;   /* in `taken` */
    size_t read; /* since the count was told */
};

enum audit_put {
    AUDIT_PUT_FIRST,  /* its reader sleeps */
    AUDIT_PUT_BEHIND, /* it will come */
    AUDIT_PUT_MANY, /* so much waits that it should come now, while all is in the cache */
    AUDIT_PUT_LOST, /* there is no room */
};

void audit_queue_open(struct audit_queue *queue, size_t max);
void audit_queue_close(struct audit_queue *queue);
/* A copy of the record; texts over their field's limit are cut. Any thread. */
enum audit_put audit_queue_put(struct audit_queue *queue,
                               const struct audit_record *record);
/* The reader begins a round: whoever puts from now on is the first again. */
void audit_queue_begin(struct audit_queue *queue);
/* The reader comes again anyway: nobody needs to be the first. */
void audit_queue_stay(struct audit_queue *queue);
/* The next record of the round, valid until the next call; false: all lanes were taken.
 */
bool audit_queue_next(struct audit_queue *queue, struct audit_record *record);

#endif
