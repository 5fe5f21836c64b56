/* browse_sql: what view_browse() answers, asked of PostgreSQL: for a service whose
 * searches read the record itself. Costs a look at each document. */
#ifndef SEARCH_BROWSE_SQL_H
#define SEARCH_BROWSE_SQL_H

#include "services/search/pgvector/sql.h"
#include "services/search/view/view_browse.h"

enum browse_column { BROWSE_TOTAL, BROWSE_ID /* NULL: the page is empty */ };

/* One statement, one row a document and at least one. `sql` has its arena; what is asked
 * is borrowed until sql_end(). Errors: as view_browse(). */
SH_CHECK enum sh_err browse_sql(const struct view_browse *asked, struct sql *sql,
                                struct view_problem *problem);

#endif
