#include "changefeed_lineage.h"

#include <stdlib.h>
#include <string.h>

enum { TIMELINE_LEN = 8, RECENT_MS = 60 * 1000 };

/* "7312345678901234567-00000001-16384-16402": cluster, timeline, database, table. NULL
 * when it does not tell its timeline. */
static const char *timeline_of(const char *database)
{
    const char *at = strchr(database, '-');

    if (!at || strspn(at + 1, "0123456789ABCDEF") != TIMELINE_LEN ||
        at[1 + TIMELINE_LEN] != '-')
        return NULL;
    return at + 1;
}

static bool is_next(const char *before, const char *now)
{
    const char *old = timeline_of(before);
    const char *new = timeline_of(now);

    return old &&
           new &&old - before ==
               new - now &&memcmp(before, now, (size_t)(old - before)) == 0 &&
           strcmp(old + TIMELINE_LEN, new + TIMELINE_LEN) == 0 &&
           strtoul(new, NULL, 16) == strtoul(old, NULL, 16) + 1;
}

bool changefeed_carried_on(const char *before, const char *now,
                           const struct changefeed_mark *mark, uint64_t inherited,
                           uint64_t now_ms)
{
    return mark->lsn > 0 && inherited >= mark->lsn && now_ms - mark->at_ms <= RECENT_MS &&
           is_next(before, now);
}
