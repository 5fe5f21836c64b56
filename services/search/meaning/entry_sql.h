/* entry_sql: the statements by which the vectors of entries are kept. Results are in
 * binary, texts as they are. */
#ifndef SEARCH_ENTRY_SQL_H
#define SEARCH_ENTRY_SQL_H

#include "shared/pg.h"

enum entry_column {
    ENTRY_ID,
    ENTRY_CLEARANCE,
    ENTRY_DEPARTMENT,
    ENTRY_LANGUAGE,
    ENTRY_DOMAIN,
    ENTRY_STATUS,
    ENTRY_VECTOR, /* NULL: none of this model and text; scale (float4), then a byte each
                   */
    ENTRY_TEXT,   /* of entry_of_ids only */
};

extern const struct sh_pg_statement entry_any, /* → whether there is a vector */
    entry_changes, /* position → the next position, whether changes are lost, the ids */
    entry_page,    /* fingerprint, the id after which, limit → enum entry_column */
    entry_of_ids,  /* fingerprint, ids → enum entry_column */
    entry_store;   /* fingerprint, ids, texts, vectors */

#endif
