/* terms_sql: the statements about terms of the glossary. Comments say what the parameters
 * are and what a row holds. A caller's rights are the parameters $2 to $5, as
 * proto/readable.h has them. */
#ifndef SEARCH_TERMS_SQL_H
#define SEARCH_TERMS_SQL_H

#include "shared/pg.h"

enum term_column {
    TERM_ID,
    TERM_TERM,
    TERM_DEFINITION,
    TERM_LANGUAGE,
    TERM_DOMAIN,
    TERM_PART_OF_SPEECH,
    TERM_SOURCE,
    TERM_STATUS,
    TERM_SENSE,
    TERM_CLEARANCE,
    TERM_DEPARTMENT,
    TERM_METADATA,
    TERM_CREATED,
    TERM_UPDATED,
    TERM_SCORE,                  /* of terms_search only */
    TERM_HIGHLIGHT,              /* likewise */
    TERM_RELATIONS = TERM_SCORE, /* of terms_export only */
};

extern const struct sh_pg_statement terms_get, /* id, rights → enum term_column */
    terms_of_ids, /* ids, rights, language, domain, status (each or NULL) */
    terms_count,  /* NULL, rights, language, domain, status (each or NULL) → count */
    terms_search, /* query, rights, language, domain, status, limit, offset */
    terms_found,  /* query, rights, language, domain, status → count */
    terms_insert, /* id or NULL, the other columns of a term → id; none: it is there */
    terms_same,   /* term, rights, language, domain, sense, id → the id of it, none: it
                     may not be seen */
    terms_lock,   /* id, rights → status, clearance */
    terms_update, /* id, rights, the columns, statuses that it may have now → id */
    terms_delete, /* id, rights, statuses that it may have now → id */
    terms_export, /* an id, rights, language, domain, status, limit → those behind it */
    terms_suggest, /* a beginning, rights, limit → id, term; in order */
    terms_xid;     /* → the transaction's id */

/* Pages, without a query: NULL, rights, language, domain, status, limit, offset. */
extern const struct sh_pg_statement terms_by_term, terms_by_term_down, terms_by_time,
    terms_by_time_down;

#endif
