/* tables: what all loops read and nothing changes once it is made: routes and what is
 * written from them, the board, the shell around requests, the pages. */
#ifndef GATEWAY_TABLES_H
#define GATEWAY_TABLES_H

#include "services/gateway/gateway.h"

/* Routes, router, board and documents. Errors: SH_NOMEM; tables_close() clears up. */
SH_CHECK enum sh_err tables_open(struct gateway *gateway);
/* All of it, and the shell and the pages. */
void tables_close(struct gateway *gateway);

#endif
