/* passages: METHOD_PASSAGE_LIST: a document as it was cut for searches, in reading order,
 * straight from the record. What the caller may not read does not exist for it. Loop
 * thread only. */
#ifndef SEARCH_PASSAGES_H
#define SEARCH_PASSAGES_H

#include "services/search/query/documents.h"

/* `arg` is the struct documents, which must live as long as its calls do. */
void passages_list(void *arg, struct sh_rpc_call *call);

#endif
