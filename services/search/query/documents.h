/* documents: METHOD_DOCUMENT_GET, _LIST and _DELETE, straight from the record. What the
 * caller may not read does not exist for it. Loop thread only. */
#ifndef SEARCH_DOCUMENTS_H
#define SEARCH_DOCUMENTS_H

#include "services/search/feed/feed.h"
#include "services/search/files/keeper.h"
#include "shared/rpc_server.h"

struct documents {
    struct sh_pg *pg;
    struct feed *feed;
    bool immediate; /* searches read the record itself: there is no view to wait for */
    struct file_keeper *files; /* NULL: not running */
};

/* `arg` is the struct documents, which must live as long as its calls do. */
void documents_get(void *arg, struct sh_rpc_call *call);
void documents_list(void *arg, struct sh_rpc_call *call);
void documents_delete(void *arg, struct sh_rpc_call *call);

/* The answer of a page: `rows` of store_document_list or _pick. */
void documents_reply_page(struct sh_rpc_call *call, const PGresult *rows, uint64_t total);

#endif
