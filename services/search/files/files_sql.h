/* files_sql: what the record is told and asked about files. The functions are in
 * db/migrations/0010_files.sql. */
#ifndef SEARCH_FILES_SQL_H
#define SEARCH_FILES_SQL_H

#include "shared/pg.h"

/* $1 document, $2 to $5 rights. */
extern const struct sh_pg_statement files_info;
enum {
    FILE_COLUMN_HASH,
    FILE_COLUMN_NAME,
    FILE_COLUMN_TYPE,
    FILE_COLUMN_SIZE,
    FILE_COLUMN_PAGES,
    FILE_COLUMN_UPDATED
};

/* The oldest document of this file in a collection that the caller may read: id,
 * passages, those without vector, transaction, type, pages. $1 hash, $2 to $5 rights, $6
 * collection.
 */
extern const struct sh_pg_statement files_twin;

extern const struct sh_pg_statement files_claim;   /* $1 hash */
extern const struct sh_pg_statement files_release; /* $1 claim */

/* Hash and lease of files to remove now. $1 how many at most, $2 seconds. */
extern const struct sh_pg_statement files_collect;
/* $1 hash, $2 lease, $3 seconds until it is tried again, NULL: it is gone. */
extern const struct sh_pg_statement files_removed;

/* A row: the whole store is this service's to look through. $1 seconds until the next. */
extern const struct sh_pg_statement files_sweep_begin;
/* Claims whose uploads must have died are released. $1 their age in seconds. */
extern const struct sh_pg_statement files_expire;
/* Which of these hashes nobody knows become orphans. $1 an array of hex. */
extern const struct sh_pg_statement files_unknown;

#endif
