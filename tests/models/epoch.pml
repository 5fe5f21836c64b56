/* libshared/src/epoch.c, and those who use it as services/graph/view/graph.c (what was taken
 * out is freed once sh_epoch_oldest() has reached its number) and
 * services/search/vector/hnsw_compact.c (sh_epoch_wait).
 *
 * Proven, for two readers that come twice and choose among two seats, and a writer that replaces
 * what they read twice: nobody reads what was freed (`used`), everything that
 * was taken out is freed in the end, and nobody waits for ever (no invalid end state).
 * Steps of the model are the atomic operations of the code, which are all sequentially
 * consistent there (C11 defaults): an interleaving of steps is what may happen.
 *
 * Each MUTATION takes away one thing that the code relies on, and must be found:
 *   1  a reader looks for what it reads before it has its seat
 *   2  the writer counts up before it has taken out
 *   3  the writer frees what left the seats at an older number
 *   4  a seat is taken without looking whether it is free */
#ifndef MUTATION
#define MUTATION 0
#endif
#define READERS  2
#define SEATS    2
#define VERSIONS 3 /* 0 is there at the start, the writer makes the others */

byte now = 1;
byte seats[SEATS];
byte current = 0;      /* the version that readers find */
bool freed[VERSIONS];
byte gone = 0;         /* readers that come no more */
byte due[VERSIONS];    /* the number at which it may be freed; 0: it was not taken out */

inline enter(seat, since) {
    do
    :: since = now;
       if
       :: d_step { (MUTATION == 4 || seats[0] == 0) -> seats[0] = since; seat = 0 } break
       :: d_step { seats[1] == 0 -> seats[1] = since; seat = 1 } break
       :: seats[0] != 0 && seats[1] != 0 && MUTATION != 4 -> skip /* and again */
       fi
    od
}

active [READERS] proctype reader() {
    byte seat, since, version, round;
    for (round : 1 .. 2) {
        if
        :: MUTATION == 1 -> version = current; enter(seat, since)
        :: else -> enter(seat, since); version = current
        fi;
used:   assert(!freed[version]);
        assert(!freed[version]); /* for as long as it is in */
        d_step { seats[seat] = 0; seat = 0; since = 0; version = 0 }
    }
    gone++
}

inline oldest(result) { /* what is the writer's own alone is no step */
    result = now;
    d_step { if :: seats[0] != 0 && seats[0] < result -> result = seats[0] :: else fi }
    d_step { if :: seats[1] != 0 && seats[1] < result -> result = seats[1] :: else fi }
}

inline free_what_is_due() {
    oldest(reached);
    d_step {
        i = 0;
        do
        :: i < VERSIONS ->
            if
            :: due[i] != 0 && reached >= due[i] - (MUTATION == 3 -> 1 : 0) -> freed[i] = true
            :: else
            fi;
            i++
        :: else -> break
        od;
        i = 0;
        reached = 0
    }
}

active proctype writer() {
    byte i, reached, made, old;
    for (made : 1 .. VERSIONS - 1) {
        if
        :: MUTATION == 2 -> now++; due[made - 1] = now; current = made
        :: else -> current = made; now++; due[made - 1] = now
        fi;
        free_what_is_due()
    }
    /* sh_epoch_wait(): all that were in have left */
    now++;
    old = now;
    do
    :: oldest(reached);
       if
       :: reached >= old -> break
       :: else
       fi
    od;
    /* A reader that had looked at the number long ago may hold things up, but no longer
     * than it stays. */
    gone == READERS;
    free_what_is_due();
    assert(freed[0] && freed[1] && !freed[VERSIONS - 1])
}
