/* changefeed: follows an outbox table in commit order. Rows are (xid, seq, entity, id,
 * op), written by triggers in the same transaction as the change. Sequence numbers are
 * not commit order, so rows are read in (xid, seq) order and only below
 * pg_snapshot_xmin(pg_current_snapshot()): below it every transaction has ended. NOTIFY
 * on the channel of the outbox's name wakes the reader; a poll every second covers lost
 * notifications, and one within milliseconds rows that wait for an older transaction to
 * end. Rows that follow each other and name the same entity arrive as one, the last.
 * Loop thread only. */
#ifndef SHARED_CHANGEFEED_H
#define SHARED_CHANGEFEED_H

#include "shared/pg.h"

/* What operators can set of outboxes: rows of a service's table (config.h), for
 * retention_s and retention_rows. */
#define SH_CHANGEFEED_SETTINGS(S)                                                        \
    S(u32, outbox_keep_s, "OUTBOX_KEEP_SECONDS", "3600", 60, 2592000, 0, "",             \
      "how long changes are kept for replicas that follow; a replica that was away for " \
      "longer reloads everything")                                                       \
    S(u32, outbox_keep_rows, "OUTBOX_KEEP_ROWS", "1000000", 1000, 1000000000, 0, "",     \
      "and about how many of the newest changes are kept, however young the others are")

struct sh_changefeed;

struct sh_change {
    uint64_t xid;
    uint64_t seq;
    const char *entity; /* "document" */
    const char *id;
    char op; /* 'u' inserted or updated, 'd' deleted */
};

/* The last row that was seen, and with it all that stand before it. Not merely the oldest
 * transaction: after a crash the server gives the ids of those that left nothing behind
 * once more. */
struct sh_changefeed_position {
    uint64_t xid;
    uint64_t seq;
};

struct sh_changefeed_options {
    struct sh_pg *pg;
    const struct sh_pg_config *config; /* for the listener */
    const char *outbox;                /* table and channel name: [a-z_]+ */
    unsigned batch;                    /* most rows at a time; 0: 1,000 */
    unsigned retention_s;              /* rows older than this are trimmed; 0: 7 days */
    uint64_t retention_rows; /* and all but about so many of the newest; 0: 1,000,000 */
    struct sh_changefeed_position start;
    const char *database; /* that `start` is of, as SH_CHANGEFEED_START_SQL told; NULL:
                             the one that answers first */
    /* A batch, borrowed until `changes` returns; the next comes only after
     * sh_changefeed_applied(). */
    void (*changes)(void *arg, const struct sh_change *changes, size_t count);
    /* Rows that were not seen are trimmed, or the database is another one: it was
     * restored, or a standby took over that may lack what was seen. (One that has all of
     * it is followed: a few changes come once more.) The view must be rebuilt from the
     * tables. The feed has stopped; close it. */
    void (*behind)(void *arg);
    void *arg;
};

/* Errors: SH_NOMEM; SH_INVALID: the outbox's name. */
SH_CHECK enum sh_err sh_changefeed_create(uv_loop_t *loop,
                                          const struct sh_changefeed_options *options,
                                          struct sh_changefeed **out);
/* The last batch is in the view. */
void sh_changefeed_applied(struct sh_changefeed *feed);
struct sh_changefeed_position sh_changefeed_position(const struct sh_changefeed *feed);
/* Which database that is a position of; NULL until it has told. Borrowed. */
const char *sh_changefeed_database(const struct sh_changefeed *feed);
/* True once everything committed when the feed started has been applied. */
bool sh_changefeed_current(const struct sh_changefeed *feed);
/* How old what has been applied may be: the time since the last look at the record that
 * found nothing more. UINT64_MAX before the first. */
uint64_t sh_changefeed_age_ms(const struct sh_changefeed *feed);
/* `done`, never from inside this call, when every change of transaction `xid` is applied
 * (SH_OK), at the deadline (SH_TIMEOUT), or at close (SH_CANCELED). */
SH_CHECK enum sh_err sh_changefeed_wait(struct sh_changefeed *feed, uint64_t xid,
                                        uint64_t deadline_ms,
                                        void (*done)(void *arg, enum sh_err err),
                                        void *arg);
/* Look now; as a notification does. */
void sh_changefeed_wake(struct sh_changefeed *feed);
/* Remove what need not be retained now; it happens by itself every ten minutes. */
void sh_changefeed_trim(struct sh_changefeed *feed);
void sh_changefeed_close(struct sh_changefeed **feed);

/* SQL (one row: xid, seq, database as text) for the position from which a view that is
 * about to be read from the tables must replay; run it before reading them. `outbox` is a
 * string literal. */
#define SH_CHANGEFEED_START_SQL(outbox)                                                  \
    "SELECT xid::text, seq::text, outbox_database('" outbox                              \
    "') FROM outbox_start('" outbox "')"

/* SQL (an expression, in seconds) for the age of the oldest committed change that comes
 * after the position in $1 (xid) and $2 (seq), both text; 0: there is none. */
#define SH_CHANGEFEED_LAG_SQL(outbox)                                                    \
    "coalesce((SELECT extract(epoch FROM clock_timestamp() - at) FROM " outbox           \
    " WHERE (xid, seq) > ($1::text::xid8, $2::bigint) ORDER BY xid, seq LIMIT 1), 0)"

#endif
