/* What names a state of the view. Pages are read as they are now, so that a view may hold
 * changes that come after its position; never does it lack one that stands before. */
#include <xxhash.h>

#include "services/search/feed/feed_internal.h"

struct shown_state {
    struct sh_changefeed_position position;
    uint64_t database;
    uint64_t fingerprint;
    double alpha;
    uint64_t dimension;
};

static uint64_t hash_of(const char *text)
{
    return XXH3_64bits(text, strlen(text));
}

enum { BEHIND_MS = 2500 /* two looks at the record, and what they may take */ };

bool feed_behind(const struct feed *feed)
{
    return feed->changefeed == NULL || sh_changefeed_age_ms(feed->changefeed) > BEHIND_MS;
}

uint64_t feed_generation(const struct feed *feed)
{
    struct shown_state now;
    const char *database =
        feed->changefeed != NULL ? sh_changefeed_database(feed->changefeed) : NULL;

    if (feed->state != FOLLOWING || feed->building != NULL || feed->again ||
        database == NULL || database[0] == '\0')
        return 0;
    now = (struct shown_state){.position = sh_changefeed_position(feed->changefeed),
                               .database = hash_of(database),
                               .fingerprint = hash_of(feed->fingerprint),
                               .alpha = feed->options.model->alpha,
                               .dimension = feed->dimension};
    uint64_t value = XXH3_64bits(&now, sizeof(now)); /* it has no padding */
    return value != 0 ? value : 1;
}
