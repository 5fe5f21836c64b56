/* libshared/src/changefeed.c with the query of changefeed_sql.c and outbox_trim()
 * (db/migrations/0004_outbox.sql): transactions that take a number at their first row and end
 * in any order or never commit, a reader in batches, and a trimmer.
 *
 * Proven, for three transactions of two rows each and batches of two rows, over all orders:
 *   - no committed row is passed by: whatever is committed and at or before the position has
 *     been delivered, or the view was told to rebuild (`behind`);
 *   - no row is delivered twice, and none of a transaction that did not commit;
 *   - who waits for a transaction (sh_changefeed_wait) is told only when every row of it was
 *     delivered: below `applied_below` nothing committed is missing and nothing still runs;
 *   - when all transactions have ended the reader gets to the end: the last rows come, too.
 * The order of rows is (xid, seq); within a transaction seq rises, across transactions it
 * is what it is, so rows are numbered 2 * xid and 2 * xid + 1 here. A statement reads one
 * snapshot: it is one step.
 *
 * Each MUTATION takes away one thing that the code relies on, and must be found:
 *   1  rows are read up to what is committed, not only below pg_snapshot_xmin
 *   2  after a full batch all below xmin counts as applied
 *   3  the trim's horizon is not looked at
 *   4  rows are trimmed first and the horizon is moved afterwards, not in one transaction
 *   5  the position after a batch is the snapshot's xmin instead of the last row */
#ifndef MUTATION
#define MUTATION 0
#endif
#define TRANSACTIONS 3
#define ROWS         (2 * TRANSACTIONS)
#define BATCH        2

mtype = { idle, running, committed, aborted };
mtype state[TRANSACTIONS] = idle;
byte next_xid = 0;
bool there[ROWS];      /* in the table: written, not trimmed */
bool delivered[ROWS];
byte horizon = 0;      /* rows below it may be trimmed */
byte position = 0;     /* rows below it were seen */
byte applied_below = 0;
bool behind = false;
byte ended = 0;

/* pg_snapshot_xmin: the oldest that runs, else the next that will */
inline look_xmin(xmin) {
    xmin = 0;
    do
    :: xmin < next_xid && state[xmin] != running -> xmin++
    :: else -> break
    od
}

active [TRANSACTIONS] proctype transaction() {
    byte xid;
    d_step {
        xid = next_xid;
        next_xid++;
        state[xid] = running; /* when it writes its rows is nobody's to see */
        there[2 * xid] = true;
        there[2 * xid + 1] = true
    }
    if
    :: d_step { state[xid] = committed; ended++ }
    :: d_step {
           state[xid] = aborted; there[2 * xid] = false; there[2 * xid + 1] = false; ended++
       }
    fi
}

active proctype trimmer() {
    byte xmin, row, next;
    do
    :: d_step { /* outbox_trim() is one transaction; what may still run is kept */
           look_xmin(xmin);
           next = (horizon < 2 * xmin -> horizon + 2 : horizon);
           horizon = (MUTATION == 4 -> horizon : next);
           row = 0;
           do
           :: row < next -> there[row] = false; row++
           :: else -> break
           od;
           row = 0; xmin = 0
       };
       d_step { horizon = next; next = 0 }
    :: ended == TRANSACTIONS -> break
    od
}

byte batch[BATCH];
byte count, xmin, found;

/* One query: what it finds, in order. */
inline read() {
    d_step {
        look_xmin(xmin);
        count = 0;
        found = position;
        do
        :: found < ROWS && count < BATCH ->
            if
            :: there[found] && state[found / 2] == committed &&
               (MUTATION == 1 || found / 2 < xmin) ->
                batch[count] = found;
                count++
            :: else
            fi;
            found++
        :: else -> break
        od;
        if
        :: MUTATION != 3 && position < horizon -> behind = true
        :: else
        fi
    }
}

inline check_nothing_is_passed_by() {
    d_step {
        row = 0;
        do
        :: row < ROWS ->
            assert(!(row < position && state[row / 2] == committed) || delivered[row]);
            assert(!(row / 2 < applied_below) ||
                   (state[row / 2] == aborted || delivered[row]));
            row++
        :: else -> break
        od;
        row = 0
    }
}

active proctype reader() {
    byte row, k;
    bool last;
    do
    :: last = (ended == TRANSACTIONS); /* the query after it sees all that there will be */
       read();
       if
       :: behind -> break /* the view is built anew, from the tables */
       :: else
       fi;
       d_step { /* the view is the reader's own */
           k = 0;
           do
           :: k < count ->
               assert(!delivered[batch[k]]);
               assert(state[batch[k] / 2] == committed);
               delivered[batch[k]] = true;
               k++
           :: else -> break
           od;
           k = 0
       }
       d_step {
           if
           :: count > 0 && MUTATION == 5 -> position = 2 * xmin
           :: count > 0 && MUTATION != 5 -> position = batch[count - 1] + 1
           :: else
           fi;
           if
           :: count == BATCH && MUTATION != 2 -> applied_below = batch[BATCH - 1] / 2
           :: else -> applied_below = xmin
           fi;
           xmin = 0;
           found = 0
       }
       check_nothing_is_passed_by();
       if
       :: last && count == 0 -> break
       :: else
       fi
    od;
    if
    :: !behind ->
        for (row : 0 .. ROWS - 1) {
            assert(state[row / 2] != committed || delivered[row])
        }
    :: else
    fi
}
