/* changefeed_lineage: whether a database is the one that was followed, carried on by a
 * standby that took over with all that was seen. Loop thread only. */
#ifndef SHARED_CHANGEFEED_LINEAGE_H
#define SHARED_CHANGEFEED_LINEAGE_H

#include "shared/changefeed.h"

/* A look at the record, of which the view holds nothing later but what came after
 * `position`: to read on from there makes up for all that was read since. */
struct changefeed_mark {
    struct sh_changefeed_position position; /* what was applied when it was looked at */
    uint64_t lsn;                           /* the log's durable end then; 0: not known */
    uint64_t at_ms;
};

/* `before` and `now` as outbox_database() tells them; `inherited` is where the log of the
 * other server ended when this one took over (pg_last_wal_replay_lsn()), 0: it did not.
 * A standby has a beginning of the log, so who has its end then has all before it, too.
 * True only for the next timeline and a recent mark: a server that took over and then
 * crashed tells where it recovered to instead. */
bool changefeed_carried_on(const char *before, const char *now,
                           const struct changefeed_mark *mark, uint64_t inherited,
                           uint64_t now_ms);

#endif
