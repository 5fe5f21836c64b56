/* facts: what can be counted of a database, so that a restored one can be compared with
 * the one that was saved:
 *   {"tables": {"public.chunks": 12, …}, "foreign_keys": 9, "indexes": 31,
 *    "vectors": {fingerprint: {"count": 12, "dimensions": 512}}}
 * One thread. */
#ifndef BACKUP_FACTS_H
#define BACKUP_FACTS_H

#include "services/backup/tool/database.h"

/* Within the connection's transaction. Errors: SH_UPSTREAM, SH_CANCELED, SH_NOMEM; the
 * work has the text. */
SH_CHECK enum sh_err facts_count(struct work *work, PGconn *conn, json_t **out);
/* What differs: an array of sentences, empty when nothing does; NULL: out of memory.
 * Every fact of `saved` must be in `found`. */
json_t *facts_compare(const json_t *saved, const json_t *found);
/* Known passages, [{"id","md5","words"}], and the words of theirs by which they must be
 * found. Where there is no such table, there are none. */
SH_CHECK enum sh_err facts_golden(struct work *work, PGconn *conn, json_t **out);
/* Searches for them: sentences, as above. */
SH_CHECK enum sh_err facts_search(struct work *work, PGconn *conn, const json_t *golden,
                                  json_t *differences);

#endif
