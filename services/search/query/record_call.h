/* record_call: a call that the record answers: the caller's rights as parameters, how
 * long the database may take, and what its failures mean. Loop thread only. */
#ifndef SEARCH_RECORD_CALL_H
#define SEARCH_RECORD_CALL_H

#include "shared/pg.h"
#include "shared/rpc_server.h"

enum { RECORD_RIGHTS = 4 };

/* The parameters that STORE_READABLE wants, of the caller; borrowed from the call.
 * Errors: SH_NOMEM. */
SH_CHECK enum sh_err record_rights(struct sh_rpc_call *call,
                                   struct sh_pg_param out[static RECORD_RIGHTS]);
/* The same for somebody else, who is borrowed. */
SH_CHECK enum sh_err record_rights_of(const struct caller *caller, struct sh_arena *arena,
                                      struct sh_pg_param out[static RECORD_RIGHTS]);
/* The call's own, or so long from now where that is sooner. */
uint64_t record_deadline(struct sh_rpc_call *call, uint64_t most_ms);
/* True when the call has been answered because the database failed. */
bool record_failed(struct sh_rpc_call *call, const struct sh_pg_reply *reply);
void record_no_memory(struct sh_rpc_call *call);

#endif
