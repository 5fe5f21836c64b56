#include "services/gateway/handlers/event_streams.h"

#include <pthread.h>
#include <stddef.h>

static struct {
    pthread_mutex_t lock;
    size_t count;
    uint64_t users[EVENT_STREAMS_MAX]; /* one entry a stream */
} streams = {.lock = PTHREAD_MUTEX_INITIALIZER};

/* FNV-1a: two users who share one only share their number. */
static uint64_t hash_of(struct sh_bytes user)
{
    const unsigned char *bytes = user.data;
    uint64_t hash = 0xcbf29ce484222325;

    for (size_t i = 0; i < user.len; i++)
        hash = (hash ^ bytes[i]) * 0x100000001b3;
    return hash;
}

bool event_streams_enter(struct sh_bytes user, uint64_t *ticket)
{
    size_t own = 0;
    bool good;

    *ticket = hash_of(user);
    (void)pthread_mutex_lock(&streams.lock);
    for (size_t i = 0; i < streams.count; i++)
        own += streams.users[i] == *ticket;
    good = own < EVENT_STREAMS_PER_USER && streams.count < EVENT_STREAMS_MAX;
    if (good)
        streams.users[streams.count++] = *ticket;
    (void)pthread_mutex_unlock(&streams.lock);
    return good;
}

void event_streams_leave(uint64_t ticket)
{
    (void)pthread_mutex_lock(&streams.lock);
    for (size_t i = 0; i < streams.count; i++) {
        if (streams.users[i] == ticket) {
            streams.users[i] = streams.users[--streams.count];
            break;
        }
    }
    (void)pthread_mutex_unlock(&streams.lock);
}
