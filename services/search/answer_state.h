/* answer_state: a number for all that shapes an answer: what the view shows, its model,
 * the glossary, the settings and the program. Whoever keeps answers keeps them under it;
 * it travels with every answer, and callers hear of a new one before they hear of the
 * write that caused it. Two replicas that show the same have the same. Loop thread only.
 */
#ifndef SEARCH_ANSWER_STATE_H
#define SEARCH_ANSWER_STATE_H

#include "services/search/feed/feed.h"
#include "services/search/query/query.h"
#include "services/search/settings.h"

struct answer_state {
    const struct feed *feed; /* NULL: searches read the record itself, nothing is known */
    const struct glossary_feed *glossary; /* NULL: none */
    struct sh_rpc_server *rpc;            /* tells the callers */
    struct querier *querier;              /* tells with each answer */
    uint64_t settings;
};

/* Of the settings that answers depend on, and of the program. */
uint64_t answer_state_settings(const struct search_config *config);
/* Something may have changed. */
void answer_state_refresh(struct answer_state *self);

#endif
