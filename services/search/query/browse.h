/* browse: METHOD_DOCUMENT_QUERY: a page of documents by filter, in the order of their
 * attributes. Which documents it is says the view, or PostgreSQL where searches read the
 * record itself; what is shown of them comes from the record. Loop thread only. */
#ifndef SEARCH_BROWSE_H
#define SEARCH_BROWSE_H

#include "services/search/query/documents.h"
#include "shared/workers.h"

struct browser {
    const struct documents *documents;
    struct sh_workers *workers;
};

/* `arg` is the struct browser, which must live as long as its calls do. */
void browse_handle(void *arg, struct sh_rpc_call *call);

#endif
