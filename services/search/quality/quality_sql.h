/* quality_sql: the statements about what was left out and what is there twice. Comments
 * say what the parameters are and what a row holds. */
#ifndef SEARCH_QUALITY_SQL_H
#define SEARCH_QUALITY_SQL_H

#include "shared/pg.h"

extern const struct sh_pg_statement quality_reports_put, /* id[], report[] */
    quality_reports_drop,                                /* id[] */
    quality_signatures_insert, /* id[], ordinal[], signature bytea[] */
    quality_report,            /* id, rights → the report as JSON */
    quality_mark;              /* most, least similarity → how many were compared */

#endif
