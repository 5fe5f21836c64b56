/* epoch: lets readers go without locks while memory is given back: who takes something
 * out waits until every reader that may still see it has left. Each reader has a seat of
 * its own for the time being; what belongs to a seat is nobody else's. Any thread. */
#ifndef SEARCH_EPOCH_H
#define SEARCH_EPOCH_H

#include <stdatomic.h>
#include <stdint.h>

enum { EPOCH_SEATS = 64 };

struct epoch_seat {
    _Alignas(64) _Atomic uint64_t since; /* 0: free */
};

struct epoch {
    _Atomic uint64_t now; /* from 1 */
    struct epoch_seat seats[EPOCH_SEATS];
};

void epoch_init(struct epoch *epoch);
/* The seat. Yields while all are taken. */
uint32_t epoch_enter(struct epoch *epoch);
void epoch_leave(struct epoch *epoch, uint32_t seat);
/* Returns when all that were in have left; not for one that is in. */
void epoch_wait(struct epoch *epoch);

#endif
