/* glossary_feed: keeps the glossary as the record is. Looks every two seconds whether a
 * term was added, changed or removed and then reads them all; they are made ready for
 * searches on a worker. Without the database the glossary stays as it was. Loop thread
 * only. */
#ifndef SEARCH_GLOSSARY_FEED_H
#define SEARCH_GLOSSARY_FEED_H

#include "services/search/glossary/glossary.h"
#include "shared/pg.h"
#include "shared/workers.h"

struct glossary_feed;

struct held_glossary {
    struct glossary *glossary; /* NULL: not read yet */
    uint64_t version; /* the same on all replicas that have the same terms; 0: not read */
    unsigned users;   /* those that hold it, and the feed */
};

SH_CHECK enum sh_err glossary_feed_create(uv_loop_t *loop, struct sh_pg *pg,
                                          struct sh_workers *workers,
                                          struct glossary_feed **out);
/* Called when another glossary is there for searches. */
void glossary_feed_on_change(struct glossary_feed *feed, void (*changed)(void *arg),
                             void *arg);
/* Of the one that searches get. */
uint64_t glossary_feed_version(const struct glossary_feed *feed);
/* Never NULL; let it go with glossary_release(). */
struct held_glossary *glossary_hold(struct glossary_feed *feed);
/* NULL is fine. */
void glossary_release(struct held_glossary *held);
/* Memory goes when what is under way has ended. */
void glossary_feed_close(struct glossary_feed **feed);

#endif
