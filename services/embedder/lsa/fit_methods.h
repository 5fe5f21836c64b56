/* fit_methods: embedder.fit_begin, fit_add, fit_end, fit_state, fit_file and fit_drop. */
#ifndef EMBEDDER_FIT_METHODS_H
#define EMBEDDER_FIT_METHODS_H

#include "services/embedder/lsa/fitting.h"
#include "shared/rpc_server.h"

SH_CHECK enum sh_err fit_methods_add(struct fitting *fitting, struct sh_rpc_server *rpc);

#endif
