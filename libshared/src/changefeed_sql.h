/* changefeed_sql: the statements of an outbox, and what their rows say. They live as long
 * as the process, because the pool knows statements by address. One thread. */
#ifndef SHARED_CHANGEFEED_SQL_H
#define SHARED_CHANGEFEED_SQL_H

#include "shared/changefeed.h"
#include "shared/pg.h"

/* Columns of `read`. */
enum {
    CHANGEFEED_XMIN,
    CHANGEFEED_XMAX,
    CHANGEFEED_HORIZON_XID, /* NULL: nothing was trimmed yet */
    CHANGEFEED_HORIZON_SEQ,
    CHANGEFEED_DATABASE,
    CHANGEFEED_LSN,       /* where its log has become durable */
    CHANGEFEED_INHERITED, /* where it ended when this server took over; NULL: it did not
                           */
    CHANGEFEED_PENDING,
    CHANGEFEED_XID, /* NULL when there is no change */
    CHANGEFEED_SEQ,
    CHANGEFEED_ENTITY,
    CHANGEFEED_ID,
    CHANGEFEED_OP,
};

struct changefeed_sql {
    const char *outbox;
    struct sh_pg_statement read; /* xid, seq, limit */
    struct sh_pg_statement trim; /* seconds and rows to keep */
};

/* Errors: SH_INVALID (not [a-z_]{1,40}), SH_NOMEM. */
SH_CHECK enum sh_err changefeed_sql(const char *outbox,
                                    const struct changefeed_sql **out);
/* Whether all that was trimmed had been seen: it stands at or before the position. */
bool changefeed_has_trimmed(const PGresult *rows,
                            const struct sh_changefeed_position *seen);
/* The changes of a batch, which borrow from the rows: of several in a row of one thing
 * the last. `changes` has room for all rows. */
size_t changefeed_collect(const PGresult *rows, struct sh_change *changes);

#endif
