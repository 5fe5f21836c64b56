#include "libshared/src/rpc_states.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "shared/clock.h"
#include "shared/mem.h"

/* Replicas are few and come and go seldom: a list does. Only reading is frequent, and
 * needs no lock. */
struct rpc_state {
    char instance[65];
    unsigned holders;
    _Atomic uint64_t changes;
    _Atomic uint64_t state;
    _Atomic uint64_t until_ms; /* both count until then */
    struct rpc_state *next;
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpc_state *records;

static struct rpc_state *find(const char *instance)
{
    struct rpc_state *record = instance[0] != '\0' ? records : NULL;
    while (record && strcmp(record->instance, instance) != 0)
        record = record->next;
    return record;
}

static struct rpc_state *add(const char *instance)
{
    struct rpc_state *record = sh_alloc(sizeof(*record));
    if (!record)
        return NULL;
    (void)snprintf(record->instance, sizeof(record->instance), "%s", instance);
    record->next = records;
    records = record;
    return record;
}

struct rpc_state *rpc_state_hold(const char *instance)
{
    pthread_mutex_lock(&lock);
    struct rpc_state *record = find(instance);
    if (!record)
        record = add(instance);
    if (record)
        record->holders++;
    pthread_mutex_unlock(&lock);
    return record;
}

void rpc_state_release(struct rpc_state **state)
{
    struct rpc_state *record = *state;
    *state = NULL;
    if (!record)
        return;
    pthread_mutex_lock(&lock);
    if (--record->holders == 0) {
        struct rpc_state **at = &records;
        while (*at != record)
            at = &(*at)->next;
        *at = record->next;
        sh_free(record);
    }
    pthread_mutex_unlock(&lock);
}

void rpc_state_learn(struct rpc_state *record, uint64_t changes, uint64_t state)
{
    if (changes <= atomic_load(&record->changes)) /* as nearly every message */
        return;
    pthread_mutex_lock(&lock);
    if (changes > atomic_load(&record->changes)) {
        atomic_store(&record->state, state);
        atomic_store(&record->changes, changes);
    }
    pthread_mutex_unlock(&lock);
}

void rpc_state_confirm(struct rpc_state *record, uint64_t asked_ms)
{
    uint64_t until = asked_ms + RPC_STATE_MS;
    uint64_t known = atomic_load(&record->until_ms);
    while (known < until &&
           !atomic_compare_exchange_weak(&record->until_ms, &known, until))
        ;
}

uint64_t rpc_state_changes(const struct rpc_state *record)
{
    return atomic_load(&record->changes); /* the state was stored before it */
}

uint64_t rpc_state_read(const struct rpc_state *record)
{
    return sh_now_ms() < atomic_load(&record->until_ms) ? atomic_load(&record->state) : 0;
}
