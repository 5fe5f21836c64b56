/* filter_sql: a compiled filter as an SQL condition on a row `d` of documents. True for
 * exactly the documents that columns_select() takes; never NULL. Needs the metadata_…
 * functions of the migrations. Pure: any thread. */
#ifndef SEARCH_FILTER_SQL_H
#define SEARCH_FILTER_SQL_H

#include "services/search/filter/filter.h"
#include "services/search/pgvector/sql.h"

/* What answers show as a document's metadata: the columns are there whatever the document
 * said of them. */
#define FILTER_SQL_METADATA                                                              \
    "(jsonb_build_object('department', d.department, 'campus', d.campus, 'priority', "   \
    "d.priority, 'clearance_level', d.clearance_level, 'last_reviewed', NULL) "          \
    "|| d.metadata)"

/* The filter's texts are borrowed. Failures show in sql_end(). */
void filter_sql(const struct filter *filter, struct sql *sql);

#endif
