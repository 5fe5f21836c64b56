/* pfor: 128 numbers in as few bits each as most of them need; the few that need more have
 * the rest of them apart (patched frame of reference). */
#ifndef SEARCH_PFOR_H
#define SEARCH_PFOR_H

#include "shared/bytes.h"

enum {
    PFOR_COUNT = 128,
    PFOR_MOST = 2 + PFOR_COUNT * 4, /* bytes written at most */
};

uint8_t *pfor_write(uint8_t *at, const uint32_t values[PFOR_COUNT]);
/* Where it ends; NULL: malformed. Never reads from `end` on. */
const uint8_t *pfor_read(const uint8_t *at, const uint8_t *end,
                         uint32_t values[PFOR_COUNT]);

#endif
