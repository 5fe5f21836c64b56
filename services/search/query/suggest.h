/* suggest: METHOD_SUGGEST: what may be meant by what somebody has typed so far. Titles
 * and words come from the view, terms of the glossary from the record; what cannot be
 * asked is missing and said to be (`degraded`). Loop thread only. */
#ifndef SEARCH_SUGGEST_H
#define SEARCH_SUGGEST_H

#include "services/search/query/documents.h"
#include "shared/workers.h"

struct suggester {
    const struct documents *documents;
    struct sh_workers *workers;
};

/* `arg` is the struct suggester, which must live as long as its calls do. */
void suggest_handle(void *arg, struct sh_rpc_call *call);

#endif
