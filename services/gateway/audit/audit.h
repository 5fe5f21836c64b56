/* audit: who did what. Loops hand records over through a bounded queue and go on; one
 * thread chains and hashes them, writes them to the audit log and the journal, and brings
 * them to PostgreSQL in batches. A record that is in the journal survives the process,
 * and with AUDIT_DIR set also its sudden death: what a SIGKILL can lose is what was
 * handed over since the last flush (AUDIT_FLUSH_MS). Records that find the queue full are
 * counted, and the count becomes a record. */
#ifndef GATEWAY_AUDIT_AUDIT_H
#define GATEWAY_AUDIT_AUDIT_H

#include "services/gateway/audit/record.h"
#include "shared/config.h"
#include "shared/pg.h"

/* clang-format off */
#define AUDIT_SETTINGS(S)                                                                  \
    S(flag, enabled, "AUDIT_ENABLED", "true", 0, 0, 0, "",                                 \
      "false: nothing is recorded")                                                        \
    S(str, log, "AUDIT_LOG", "", 0, 4000, 0, "",                                           \
      "file of the audit log, JSON lines; empty: LOG_DIR/audit.log, or standard output; "  \
      "off: PostgreSQL only")                                                              \
    S(str, dir, "AUDIT_DIR", "", 0, 4000, 0, "",                                           \
      "directory where records wait for PostgreSQL; empty: in memory, where a crash "      \
      "loses them")                                                                        \
    S(u32, dir_max_mb, "AUDIT_DIR_MAX_MB", "1024", 1, 1048576, 0, "",                      \
      "most that may wait there")                                                          \
    S(str, key, "AUDIT_KEY", "", 0, 1024, SH_SECRET, "",                                   \
      "key that seals the records; without one whoever can write the table can forge it")  \
    S(str, old_key, "AUDIT_KEY_PREVIOUS", "", 0, 1024, SH_SECRET, "",                      \
      "the key before, with which --verify-audit still checks older records")              \
    S(choice, query_text, "AUDIT_QUERY_TEXT", "none", 0, 0, 0, "none|full",                \
      "none: only a hash of what was searched for; full: the text too")                    \
    S(flag, reads, "AUDIT_READS", "false", 0, 0, 0, "",                                    \
      "record also who reads documents")                                                   \
    S(flag, views, "AUDIT_VIEWS", "true", 0, 0, 0, "",                                     \
      "record who looks at the graph and the glossary: labels, nodes, queries, terms")     \
    S(u32, flush_ms, "AUDIT_FLUSH_MS", "200", 10, 10000, 0, "",                            \
      "longest time a record stays in memory only")                                        \
    S(u32, queue, "AUDIT_QUEUE", "20000", 10, 1000000, 0, "",                              \
      "records that may wait to be written")                                               \
    S(u32, retention_days, "AUDIT_RETENTION_DAYS", "365", 0, 36500, 0, "",                 \
      "age at which records are removed from PostgreSQL; 0: never")
/* clang-format on */

struct audit_config {
    AUDIT_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings audit_settings(struct audit_config *into);

struct audit;

struct audit_options {
    const struct audit_config *config; /* these must outlive it */
    const struct sh_pg_config *pg;
    const char *log_dir;
    const char *chain; /* its name; "": a new one, as it should be */
};

/* Starts the thread. An absent PostgreSQL is no error. Errors: SH_IO (a file cannot be
 * opened; logged), SH_NOMEM. */
SH_CHECK enum sh_err audit_open(const struct audit_options *options, struct audit **out);
/* Hand over a copy; at_us 0 takes the time now. `query` is hashed, and kept only with
 * AUDIT_QUERY_TEXT=full; chain, seq, query_hash, key_id, prev and hash are filled in. Any
 * thread; never waits. NULL is fine. */
void audit_write(struct audit *audit, const struct audit_record *record);
/* After logrotate moved the file. Any thread. */
void audit_reopen(struct audit *audit);
/* Writes what waits, ends the chain and brings it to PostgreSQL, as long as that goes on,
 * 5 s at most; the rest stays in AUDIT_DIR. Waits for all that. *audit becomes NULL. NULL
 * is fine. */
void audit_close(struct audit **audit);
/* Records that were handed over and that a SIGKILL would lose. Any thread. */
size_t audit_waiting(const struct audit *audit);

#endif
