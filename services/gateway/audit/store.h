/* store: the SQL of the audit log, in one place. */
#ifndef GATEWAY_AUDIT_STORE_H
#define GATEWAY_AUDIT_STORE_H

#include "shared/pg.h"

/* $1: a JSON array of lines. Adds what is not there yet, and moves the heads on. */
extern const struct sh_pg_statement audit_store_lines;
/* $1: a chain that is left out. The heads that moved last: chain, seq, hash. */
extern const struct sh_pg_statement audit_recent_heads;
/* $1: days to keep. chain, seq, hash, gone: audit_cuts() of the migration. */
extern const struct sh_pg_statement audit_find_cuts;
/* $1 chain, $2 seq: how many were removed, at most some thousands a call. */
extern const struct sh_pg_statement audit_cut_chain;
/* $1 user, $2 action, $3 outcome ("" for any), $4 since, $5 until (microseconds), $6 and
 * $7 before which (at, id), $8 rows: id, at_us, row as JSON; newest first. */
extern const struct sh_pg_statement audit_page;

/* The columns that audit_parse() also finds in a line, in the order of audit_fields and
 * then hash, each as text: for reading records back. */
extern const char audit_columns[];

#endif
