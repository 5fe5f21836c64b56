/* collections_sql: the statements about collections. Comments say what the parameters are
 * and what a row holds. A caller's rights are four parameters, as store/statements.c has
 * them: all (t: no limit), clearance, all departments, department. */
#ifndef SEARCH_COLLECTIONS_SQL_H
#define SEARCH_COLLECTIONS_SQL_H

#include "shared/pg.h"

enum defaults_column {
    DEFAULTS_TOKENS,
    DEFAULTS_OVERLAP,
    DEFAULTS_LANGUAGE,
    DEFAULTS_CLEARANCE,
    DEFAULTS_DEPARTMENT,
    DEFAULTS_CAMPUS,
    DEFAULTS_PRIORITY,
};

enum collection_column { /* of collections_page and collections_get, behind those above */
                         COLLECTION_NAME = DEFAULTS_PRIORITY + 1,
                         COLLECTION_TITLE,
                         COLLECTION_DESCRIPTION,
                         COLLECTION_CREATED,
                         COLLECTION_UPDATED,
                         COLLECTION_DEFINED,
                         COLLECTION_DOCUMENTS,
};

extern const struct sh_pg_statement
    collections_defaults, /* name[] → enum defaults_column, a row each, in their order */
    collections_page,     /* name or NULL for all, rights, limit, offset */
    collections_count,    /* name or NULL, rights → count */
    collections_put,      /* name, rights, title, description, tokens, overlap, language,
                             clearance, department, campus, priority → created (t, f); no
                             row: it is not the caller's to change */
    collections_empty,    /* name, rights, limit → how many documents were deleted */
    collections_drop, /* name, rights → rows deleted; documents left that the caller may
                         read, and all; whether it was defined (t, f) */
    collections_xid;  /* → the transaction's id */

#endif
