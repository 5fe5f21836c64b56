/* pg: PostgreSQL without waiting. A pool of libpq connections in pipeline mode;
 * statements are prepared on each connection at first use. One call sends a list of steps
 * that succeed or fail together: between two syncs of a pipeline PostgreSQL runs one
 * transaction (https://www.postgresql.org/docs/current/libpq-pipeline-mode.html).
 * Connections are made and remade in the background with back-off; all of a server that
 * says nothing for 0.7 s while calls wait, and does not answer when it is asked, are
 * given up, however far the calls' deadlines are. Loop thread only. */
#ifndef SHARED_PG_H
#define SHARED_PG_H

#include <libpq-fe.h>
#include <uv.h>

#include "shared/bytes.h"
#include "shared/config.h"
#include "shared/err.h"
#include "shared/health.h"
#include "shared/trace.h"

#define SH_PG_SETTINGS(S)                                                                \
    S(url, url, "DATABASE_URL", "", 0, 4096, SH_SECRET, "",                              \
      "postgresql://user:password@host:port/database; wins over the DB_ parts")          \
    S(str, host, "DB_HOST", "localhost", 1, 255, 0, "", "host name or socket directory") \
    S(u32, port, "DB_PORT", "5432", 1, 65535, 0, "", "port")                             \
    S(str, name, "DB_NAME", "cairn", 1, 63, 0, "POSTGRES_DB", "database")                \
    S(str, user, "DB_USER", "cairn", 1, 63, 0, "POSTGRES_USER", "user")                  \
    S(str, password, "DB_PASSWORD", "", 0, 1024, SH_SECRET, "POSTGRES_PASSWORD",         \
      "password")                                                                        \
    S(str, read_hosts, "DB_READ_HOSTS", "", 0, 4096, 0, "",                              \
      "host[:port],… of replicas that reads may go to")                                  \
    S(str, listen_host, "DB_LISTEN_HOST", "", 0, 4096, 0, "",                            \
      "host[:port] of the server itself, for LISTEN, when DB_HOST is a pooler that "     \
      "gives connections out by the transaction; empty: the same")                       \
    S(u32, read_lag_s, "DB_READ_LAG_MAX_SECONDS", "5", 0, 86400, 0, "",                  \
      "a replica that shows less than the primary had so long ago is not read from; 0: " \
      "not looked at")                                                                   \
    S(u32, pool_min, "DB_POOL_MIN_SIZE", "5", 1, 1000, 0, "", "connections kept open")   \
    S(u32, pool_max, "DB_POOL_MAX_SIZE", "20", 1, 1000, 0, "", "most connections")       \
    S(u32, statement_timeout_ms, "DB_STATEMENT_TIMEOUT_MS", "30000", 0, 3600000, 0, "",  \
      "longest time a statement may take; a request's deadline shortens it; 0: none")

struct sh_pg_config {
    SH_PG_SETTINGS(SH_SETTING_MEMBER)
};
struct sh_settings sh_pg_settings(struct sh_pg_config *into);

struct sh_pg;

/* Static data: the address tells statements apart. */
struct sh_pg_statement {
    const char *name; /* unique in the process; in logs and metrics too */
    const char *sql;
};

/* Text format unless `binary`; data NULL is SQL NULL. Text need not end in NUL. */
struct sh_pg_param {
    struct sh_bytes value;
    bool binary;
};

enum { SH_PG_PARAMS_MAX = 32 };

struct sh_pg_step {
    const struct sh_pg_statement *statement;
    const struct sh_pg_param *params;
    unsigned count;
    bool binary_result;
};

struct sh_pg_reply {
    enum sh_err err;          /* SH_UNAVAILABLE (no connection, it broke, or the server
                                 went silent), SH_TIMEOUT,
                                 SH_CONFLICT (unique, foreign key, serialisation),
                                 SH_INVALID (bad data), SH_CANCELED, SH_INTERNAL */
    bool maybe_done;          /* the outcome is unknown: the connection broke, the
                                 deadline passed or the pool closed after it was sent */
    size_t count;             /* results: one a step when SH_OK, else none */
    PGresult *const *results; /* borrowed until `done` returns */
    const char *sqlstate;     /* "" when the server did not say */
    const char *message;      /* for the log, never for a client */
};
/* Exactly once per accepted call; never from inside sh_pg_run(). */
typedef void sh_pg_done_fn(void *arg, const struct sh_pg_reply *reply);

struct sh_pg_call {
    const struct sh_pg_step *steps; /* copied, with all they point to */
    size_t count;
    bool read_only;               /* may go to a read host that is up and does not lag */
    uint64_t deadline_ms;         /* clock.h; sets statement_timeout for these steps */
    const struct sh_trace *trace; /* copied; may be NULL */
};

/* `check` may be NULL; else the pool keeps that health check (with pool_size and active
 * figures) current by a SELECT 1 every 5 s and at each connect and loss. Errors:
 * SH_INVALID, SH_NOMEM; an absent server is not an error. */
SH_CHECK enum sh_err sh_pg_create(uv_loop_t *loop, const struct sh_pg_config *config,
                                  struct sh_health_check *check, struct sh_pg **out);
/* Waits in a queue of at most 1,000 when all connections are busy, and for half a second
 * when there is none. Errors: SH_NOMEM, SH_BUSY, SH_INVALID (no steps, too many
 * parameters, a NUL in text), SH_CANCELED when closing; `done` is then never called.
 * Serialisation failures and deadlocks are tried again twice, a read_only call whose
 * connection broke once. */
SH_CHECK enum sh_err sh_pg_run(struct sh_pg *pg, const struct sh_pg_call *call,
                               sh_pg_done_fn *done, void *arg);
/* As sh_pg_run(), for statements that are made for this call alone: nothing is prepared,
 * and they, though not what else the call points to, must last until `done`. */
SH_CHECK enum sh_err sh_pg_run_ad_hoc(struct sh_pg *pg, const struct sh_pg_call *call,
                                      sh_pg_done_fn *done, void *arg);
size_t sh_pg_active(const struct sh_pg *pg);
/* Connections that are open, and how many there may be. */
size_t sh_pg_size(const struct sh_pg *pg);
size_t sh_pg_most(const struct sh_pg *pg);
/* What is under way gets SH_CANCELED; *pg becomes NULL. */
void sh_pg_close(struct sh_pg **pg);

/* A connection of its own for LISTEN, to DB_LISTEN_HOST if there is one. `notified` is
 * also called (payload NULL) each time the connection was made anew, because
 * notifications may have been lost meanwhile. */
struct sh_pg_listener;
typedef void sh_pg_notified_fn(void *arg, const char *payload);
SH_CHECK enum sh_err sh_pg_listen(uv_loop_t *loop, const struct sh_pg_config *config,
                                  const char *channel, sh_pg_notified_fn *notified,
                                  void *arg, struct sh_pg_listener **out);
void sh_pg_unlisten(struct sh_pg_listener **listener);

/* "postgresql://…" or keyword form for libpq from the settings; read_host NULL for the
 * primary. The caller frees it with sh_free(). */
char *sh_pg_conninfo(const struct sh_pg_config *config, const char *read_host);

/* Reading results. Text format. */
uint64_t sh_pg_u64(const PGresult *result, int row, int column); /* 0 for NULL */
struct sh_bytes sh_pg_text(const PGresult *result, int row, int column);

#endif
