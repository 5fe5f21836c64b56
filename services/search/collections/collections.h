/* collections: METHOD_COLLECTION_LIST, _PUT and _DELETE, straight from the record. What
 * the caller may not read does not exist for it: neither a definition whose clearance and
 * department are out of reach, nor the documents that a count counts. Who may call is the
 * gateway's to say. Loop thread only. */
#ifndef SEARCH_COLLECTIONS_H
#define SEARCH_COLLECTIONS_H

#include "services/search/query/documents.h"

/* `arg` is the struct documents, which must live as long as its calls do. */
void collections_list(void *arg, struct sh_rpc_call *call);
void collections_define(void *arg, struct sh_rpc_call *call);
/* Of a collection that holds documents: CONFLICT, unless they are to go as well; then so
 * many as there is time for, a few hundred in a transaction, and `documents_left` tells
 * whether to call again. */
void collections_delete(void *arg, struct sh_rpc_call *call);

#endif
