/* job: one distinct text on its way to its vector, and those who wait for it. Part of the
 * desk. */
#ifndef EMBEDDER_JOB_H
#define EMBEDDER_JOB_H

#include "services/embedder/cache/lru.h"
#include "shared/bytes.h"
#include "shared/err.h"

struct desk_request;

struct waiter {
    struct waiter *next;
    struct desk_request *request;
    size_t index;
};

enum job_state { JOB_LOOKED_UP, JOB_QUEUED, JOB_RUNNING };

struct job {
    struct job *bucket_next;
    struct job *next; /* of its queue */
    struct job *prev;
    uint8_t key[LRU_KEY_BYTES];
    char *text; /* with its prefix */
    size_t len;
    bool refuse_long;
    bool urgent; /* a query */
    enum job_state state;
    unsigned epoch;       /* of the desk's model */
    uint64_t deadline_ms; /* the latest of those who wait */
    struct waiter *waiters;
};

struct job_queue {
    struct job *first;
    struct job *last;
    size_t count;
};

enum { JOB_BUCKETS = 1024 };

struct job_table {
    struct job *buckets[JOB_BUCKETS];
};

/* SHA-256 over fingerprint, the length rule and the text. Errors: SH_NOMEM. */
SH_CHECK enum sh_err job_key(const char *fingerprint, bool refuse_long,
                             const char *prefix, struct sh_bytes text,
                             uint8_t key[LRU_KEY_BYTES]);
/* Not yet in any table. NULL when out of memory. */
struct job *job_create(const uint8_t key[LRU_KEY_BYTES], const char *prefix,
                       struct sh_bytes text);
void job_free(struct job *job);

void job_queue_push(struct job_queue *queue, struct job *job);
void job_queue_remove(struct job_queue *queue, struct job *job);

struct job *job_find(const struct job_table *table, const uint8_t key[LRU_KEY_BYTES]);
void job_add(struct job_table *table, struct job *job);
void job_remove(struct job_table *table, struct job *job);

#endif
