/* explain: METHOD_ACCESS_EXPLAIN: who may read a document and why. What the caller may
 * not read does not exist; whether he may ask about others is the gateway's to say. The
 * first subject is also looked up as if it asked itself, and the two must agree. Loop
 * thread only. */
#ifndef SEARCH_EXPLAIN_ACCESS_H
#define SEARCH_EXPLAIN_ACCESS_H

#include "services/search/query/documents.h"

/* `arg` is the struct documents, which must live as long as its calls do. */
void access_explain(void *arg, struct sh_rpc_call *call);

#endif
