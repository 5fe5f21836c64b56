/* lookup: METHOD_GLOSSARY_LOOKUP: what DeepL or IATE say of a term. Off until a key
 * (DeepL) or an address (IATE) is set. Answers are kept in the record for a while, so the
 * same question is not asked again. What goes wrong out there is told in the answer:
 * an object {"error","late"} in place of the array. Loop thread only. */
#ifndef SEARCH_LOOKUP_H
#define SEARCH_LOOKUP_H

#include "services/search/lookup/lookup_shape.h"
#include "services/search/settings.h"
#include "shared/http_client.h"
#include "shared/pg.h"
#include "shared/rpc_server.h"

struct lookup;

/* Errors: SH_NOMEM, SH_INVALID (a key that no header can hold). */
SH_CHECK enum sh_err lookup_create(uv_loop_t *loop, const struct search_config *config,
                                   struct sh_pg *pg, struct lookup **out);
/* `arg` is the lookup. */
void lookup_handle(void *arg, struct sh_rpc_call *call);
/* Before the database is closed; what is under way is answered. NULL is fine. */
void lookup_close(struct lookup **self);

#endif
