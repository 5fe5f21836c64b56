/* epoch: lets readers go without locks while memory is given back: who takes something
 * out waits until every reader that may still see it has left. Each reader has a seat of
 * its own for the time being; what belongs to a seat is nobody else's. Any thread. */
#ifndef SHARED_EPOCH_H
#define SHARED_EPOCH_H

#include <stdatomic.h>
#include <stdint.h>

enum { SH_EPOCH_SEATS = 64 };

struct sh_epoch_seat {
    _Alignas(64) _Atomic uint64_t since; /* 0: free */
};

struct sh_epoch {
    _Atomic uint64_t now; /* from 1 */
    struct sh_epoch_seat seats[SH_EPOCH_SEATS];
};

void sh_epoch_init(struct sh_epoch *epoch);
/* The seat. Yields while all are taken. */
uint32_t sh_epoch_enter(struct sh_epoch *epoch);
void sh_epoch_leave(struct sh_epoch *epoch, uint32_t seat);
/* What was taken out before this call is seen by nobody who enters after it. The number
 * is what sh_epoch_oldest() must reach until nobody at all sees it. */
uint64_t sh_epoch_advance(struct sh_epoch *epoch);
/* Everybody who is in entered at this number or later. */
uint64_t sh_epoch_oldest(const struct sh_epoch *epoch);
/* Returns when all that were in have left; not for one that is in. */
void sh_epoch_wait(struct sh_epoch *epoch);

#endif
