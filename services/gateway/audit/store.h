/* store: the SQL of the audit log, in one place. */
#ifndef GATEWAY_AUDIT_STORE_H
#define GATEWAY_AUDIT_STORE_H

#include "shared/pg.h"

/* For sh_pg_copy_run(), with rows of audit_row(), a tab and the hash. The first adds them
 * to the table and moves the head of one chain on: printf with its name, number and hash
 * of the last. The second takes rows of any chains, adds those that are not there yet,
 * and moves heads on; it costs PostgreSQL twice as much. */
#define AUDIT_COLUMNS                                                                    \
    "chain, seq, at, request_id, user_id, user_role, department, auth, action, target, " \
    "status, outcome, code, query_hash, query, filters_applied, results_returned, "      \
    "response_us, ip_address, user_agent, detail, key_id, prev, hash"
#define AUDIT_MOVE_HEADS                                                                 \
    " ON CONFLICT (chain) DO UPDATE SET seq = EXCLUDED.seq, hash = EXCLUDED.hash, "      \
    "updated_at = EXCLUDED.updated_at WHERE h.seq < EXCLUDED.seq"
#define AUDIT_TIMEOUT "SELECT set_config('statement_timeout', '10000', true); "
#define AUDIT_ADD                                                                        \
    AUDIT_TIMEOUT "COPY audit_log (" AUDIT_COLUMNS ") FROM STDIN; "                      \
                  "INSERT INTO audit_heads AS h (chain, seq, hash, updated_at) "         \
                  "VALUES ('%.*s', %.*s, '%.*s', clock_timestamp())" AUDIT_MOVE_HEADS
extern const char audit_merge[];

/* $1: a chain that is left out. The heads that moved last: chain, seq, hash. */
extern const struct sh_pg_statement audit_recent_heads;
/* $1: days to keep. chain, seq, hash, gone: audit_cuts() of the migration. */
extern const struct sh_pg_statement audit_find_cuts;
/* $1 chain, $2 seq: how many were removed, at most some thousands a call. */
extern const struct sh_pg_statement audit_cut_chain;
/* $1 user, $2 action, $3 outcome ("" for any), $4 since, $5 until (microseconds), $6 and
 * $7 before which (at, id), $8 rows, $9 "in" or "out" ("" for any) of the actions $10,
 * $11 an outcome that is taken nevertheless: id, at_us, row as JSON; newest first. */
extern const struct sh_pg_statement audit_page;

/* The columns that audit_parse() also finds in a line, in the order of audit_fields and
 * then hash, each as text: for reading records back. */
extern const char audit_columns[];

#endif
