/* files: METHOD_FILE_INFO, _CLAIM and _RELEASE: which file a document was made from, and
 * what keeps a file that is being uploaded from being removed. The bytes go between the
 * gateway and the store. Loop thread only. */
#ifndef SEARCH_FILES_H
#define SEARCH_FILES_H

#include "services/search/files/keeper.h"
#include "shared/rpc_server.h"

struct files {
    struct sh_pg *pg;
    struct file_keeper *keeper; /* NULL: not running */
};

/* `arg` is the struct files, which must live as long as its calls do. */
void files_get(void *arg, struct sh_rpc_call *call);
void files_claim_call(void *arg, struct sh_rpc_call *call);
void files_release_call(void *arg, struct sh_rpc_call *call);

#endif
