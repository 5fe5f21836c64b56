/* terms: METHOD_GLOSSARY_LIST (see entry_search.h), _GET, _PUT and _DELETE, straight from
 * the record: a term that was stored is found at once. What the caller may not read does
 * not exist for it. Loop thread only. */
#ifndef SEARCH_TERMS_H
#define SEARCH_TERMS_H

#include "proto/msg.h"
#include "shared/pg.h"
#include "shared/rpc_server.h"

struct terms {
    struct sh_pg *pg;
};

/* `arg` is the struct terms, which must live as long as its calls do. */
/* METHOD_GLOSSARY_LIST in mode text; what was decoded of the call. */
void terms_list(struct terms *self, struct sh_rpc_call *call,
                const struct glossary_list *list);
void terms_get_handle(void *arg, struct sh_rpc_call *call);
void terms_put_handle(void *arg, struct sh_rpc_call *call);
void terms_delete_handle(void *arg, struct sh_rpc_call *call);

/* A row of terms_get and its kin; `searched`: of terms_search. Borrows from the rows, or
 * from the arena. */
void terms_read(const PGresult *rows, int row, bool searched, struct glossary_term *out);
/* SQL NULL for an empty text; and an empty text for one without address. */
struct sh_pg_param terms_text_or_null(struct sh_bytes text);
struct sh_pg_param terms_text(struct sh_bytes text);

#endif
