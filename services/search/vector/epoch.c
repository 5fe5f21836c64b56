#include "services/search/vector/epoch.h"

#include <sched.h>
#include <time.h>

void epoch_init(struct epoch *epoch)
{
    atomic_store(&epoch->now, 1);
}

uint32_t epoch_enter(struct epoch *epoch)
{
    static _Thread_local uint32_t last; /* most likely free, and its data in the cache */
    for (uint32_t tries = 0;; tries++) {
        uint32_t seat = (last + tries) % EPOCH_SEATS;
        uint64_t vacant = 0;
        uint64_t now = atomic_load(&epoch->now);
        if (atomic_compare_exchange_strong(&epoch->seats[seat].since, &vacant, now)) {
            last = seat;
            return seat;
        }
        if (seat == (last + EPOCH_SEATS - 1) % EPOCH_SEATS)
            sched_yield();
    }
}

void epoch_leave(struct epoch *epoch, uint32_t seat)
{
    atomic_store(&epoch->seats[seat].since, 0);
}

void epoch_wait(struct epoch *epoch)
{
    uint64_t now = atomic_fetch_add(&epoch->now, 1) + 1;
    const struct timespec pause = {.tv_nsec = 50000};
    for (uint32_t seat = 0; seat < EPOCH_SEATS; seat++) {
        for (;;) {
            uint64_t since = atomic_load(&epoch->seats[seat].since);
            if (since == 0 || since >= now)
                break;
            nanosleep(&pause, NULL);
        }
    }
}
