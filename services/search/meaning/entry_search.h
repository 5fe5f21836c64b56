/* entry_search: METHOD_GLOSSARY_LIST by mode: text is the record's (terms.h); semantic
 * compares what is asked with what entries mean; hybrid puts both orders together by
 * reciprocal ranks (Cormack, Clarke and Büttcher 2009, k = 60). The entries themselves
 * come from the record, with the caller's rights as they are then. Loop thread only. */
#ifndef SEARCH_ENTRY_SEARCH_H
#define SEARCH_ENTRY_SEARCH_H

#include "services/search/glossary/terms.h"
#include "services/search/meaning/entry_feed.h"
#include "shared/workers.h"

struct entry_search {
    struct terms *terms;
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    const struct model_binding *model;
    struct sh_workers *workers;
    struct entry_feed *feed; /* NULL: closing */
};

/* `arg` is the struct entry_search, which must live as long as its calls do. */
void entry_search_handle(void *arg, struct sh_rpc_call *call);

#endif
