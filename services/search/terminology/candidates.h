/* candidates: METHOD_GLOSSARY_CANDIDATES and _JUDGE: what extractions have found, and
 * what people say of it. Counts are of the documents that the caller may read, contexts
 * come from the documents as they are now. Loop thread only. */
#ifndef SEARCH_CANDIDATES_H
#define SEARCH_CANDIDATES_H

#include "shared/pg.h"
#include "shared/rpc_server.h"

struct candidates {
    struct sh_pg *pg;
};

/* `arg` is the struct candidates, which must live as long as its calls do. */
void candidates_list_handle(void *arg, struct sh_rpc_call *call);
void candidates_judge_handle(void *arg, struct sh_rpc_call *call);

#endif
