/* model_file: search.model, by which an embedder fetches the file of a fitted model piece
 * by piece. Loop thread only. */
#ifndef SEARCH_MODEL_FILE_H
#define SEARCH_MODEL_FILE_H

#include "shared/pg.h"
#include "shared/rpc_server.h"

/* METHOD_SEARCH_MODEL; `arg` is the struct sh_pg. */
void model_file_handle(void *arg, struct sh_rpc_call *call);

#endif
