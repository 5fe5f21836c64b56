#include "shared/epoch.h"

#include <sched.h>
#include <time.h>

void sh_epoch_init(struct sh_epoch *epoch)
{
    atomic_store(&epoch->now, 1);
}

uint32_t sh_epoch_enter(struct sh_epoch *epoch)
{
    static _Thread_local uint32_t last; /* most likely free, and its data in the cache */
    for (uint32_t tries = 0;; tries++) {
        uint32_t seat = (last + tries) % SH_EPOCH_SEATS;
        uint64_t vacant = 0;
        uint64_t now = atomic_load(&epoch->now);
        if (atomic_compare_exchange_strong(&epoch->seats[seat].since, &vacant, now)) {
            last = seat;
            return seat;
        }
        if (seat == (last + SH_EPOCH_SEATS - 1) % SH_EPOCH_SEATS)
            sched_yield();
    }
}

void sh_epoch_leave(struct sh_epoch *epoch, uint32_t seat)
{
    atomic_store(&epoch->seats[seat].since, 0);
}

uint64_t sh_epoch_advance(struct sh_epoch *epoch)
{
    return atomic_fetch_add(&epoch->now, 1) + 1;
}

uint64_t sh_epoch_oldest(const struct sh_epoch *epoch)
{
    uint64_t oldest = atomic_load(&epoch->now);
    for (uint32_t seat = 0; seat < SH_EPOCH_SEATS; seat++) {
        uint64_t since = atomic_load(&epoch->seats[seat].since);
        if (since != 0 && since < oldest)
            oldest = since;
    }
    return oldest;
}

void sh_epoch_wait(struct sh_epoch *epoch)
{
    uint64_t now = sh_epoch_advance(epoch);
    const struct timespec pause = {.tv_nsec = 50000};
    while (sh_epoch_oldest(epoch) < now)
        nanosleep(&pause, NULL);
}
