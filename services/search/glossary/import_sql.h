/* import_sql: what an import of terms says to the record. `rights` are the parameters of
 * record_rights_of(). */
#ifndef SEARCH_IMPORT_SQL_H
#define SEARCH_IMPORT_SQL_H

#include "shared/pg.h"

/* terms, rights, whether what is no draft may be stored → line, outcome */
extern const struct sh_pg_statement import_store;
/* job, number of the batch, links: what the batch says of relations waits until all
 * entries are there. */
extern const struct sh_pg_statement import_links;
/* job, rights → asked, missing, created of the first batch that waits; no row: all are
 * stored. */
extern const struct sh_pg_statement import_relate;
/* job: what waits of it goes. */
extern const struct sh_pg_statement import_forget;

#endif
