/* campus: the campuses of the organisation, known by key or by display name. */
#ifndef SEARCH_CAMPUS_H
#define SEARCH_CAMPUS_H

#include "shared/bytes.h"

/* clang-format off */
/* X(key, name, bonus that passages of one's own campus get) */
#define CAMPUSES(X)                                     \
    X(central,         "Central Campus",    0.1)        \
    X(kings_buildings, "King's Buildings",  0.1)        \
    X(easter_bush,     "Easter Bush",       0.05)       \
    X(western_general, "Western General",   0.05)
/* clang-format on */

#define CAMPUS_ENUM(key, name, bonus) CAMPUS_##key,
enum campus { CAMPUSES(CAMPUS_ENUM) CAMPUS_COUNT };
#undef CAMPUS_ENUM

/* CAMPUS_COUNT: not one of them. */
enum campus campus_find(struct sh_bytes key_or_name);
/* Of one that is known. */
const char *campus_key(enum campus campus);
const char *campus_name(enum campus campus);
double campus_default_bonus(enum campus campus);
/* The same campus, whichever way each is written. An empty one is none. */
bool campus_same(struct sh_bytes a, struct sh_bytes b);

#endif
