/* export: METHOD_GLOSSARY_EXPORT: a file of terms, piece by piece. Each piece is a page
 * of the record, written by a worker; where the next one goes on is in the cursor that
 * the caller gives back, so any replica can go on. Loop thread only. */
#ifndef SEARCH_EXPORT_H
#define SEARCH_EXPORT_H

#include "shared/pg.h"
#include "shared/rpc_server.h"
#include "shared/workers.h"

struct exporter {
    struct sh_pg *pg;
    struct sh_workers *workers;
};

/* `arg` is the exporter, which must live as long as its calls do. */
void export_handle(void *arg, struct sh_rpc_call *call);

#endif
