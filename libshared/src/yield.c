#include "shared/yield.h"

#include <linux/futex.h>
#include <stdatomic.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/mem.h"

enum { PAUSES_OF_WORK = 9 };

/* A futex, not a lock and a condition: a thread that lost its core while it held the lock
 * would keep those waiting for whom it gives way. */
struct sh_yield {
    _Atomic uint32_t waiting; /* for an answer; the futex */
    _Atomic uint32_t paused;
    uint64_t most_us;
};

static _Thread_local uint64_t went_on_us; /* after its last pause */

enum sh_err sh_yield_create(uint64_t most_us, struct sh_yield **out)
{
    *out = sh_alloc(sizeof(**out));
    if (*out == NULL)
        return SH_NOMEM;
    (*out)->most_us = most_us;
    return SH_OK;
}

void sh_yield_free(struct sh_yield **self)
{
    sh_free(*self);
    *self = NULL;
}

void sh_yield_enter(struct sh_yield *self)
{
    if (self != NULL)
        atomic_fetch_add(&self->waiting, 1);
}

/* Who begins to pause between the two looks finds another number in the futex. */
void sh_yield_leave(struct sh_yield *self)
{
    if (self != NULL && atomic_fetch_sub(&self->waiting, 1) == 1 &&
        atomic_load(&self->paused) > 0)
        (void)syscall(SYS_futex, &self->waiting, FUTEX_WAKE_PRIVATE, INT32_MAX, NULL,
                      NULL, 0);
}

/* Returns when nobody waits any more, after `us`, or earlier. */
static void wait_for_calm(struct sh_yield *self, uint32_t waiting, uint64_t us)
{
    struct timespec most = {.tv_sec = (time_t)(us / 1000000),
                            .tv_nsec = (long)(us % 1000000) * 1000};

    atomic_fetch_add(&self->paused, 1);
    (void)syscall(SYS_futex, &self->waiting, FUTEX_WAIT_PRIVATE, waiting, &most, NULL, 0);
    atomic_fetch_sub(&self->paused, 1);
}

static uint64_t longest_pause(const struct sh_yield *self, uint64_t worked_us)
{
    return worked_us < self->most_us / PAUSES_OF_WORK ? worked_us * PAUSES_OF_WORK
                                                      : self->most_us;
}

void sh_yield_pause(struct sh_yield *self)
{
    uint32_t waiting = self != NULL ? atomic_load(&self->waiting) : 0;

    if (waiting == 0)
        return;
    uint64_t now = sh_now_us();
    uint64_t end = now + longest_pause(self, now - went_on_us);
    while (waiting > 0 && now < end) {
        wait_for_calm(self, waiting, end - now);
        waiting = atomic_load(&self->waiting);
        now = sh_now_us();
    }
    went_on_us = now;
}
