/* pg_pool: the parts of a pool and what they may do to each other. pg.c keeps the hosts
 * and their queues, pg_conn.c runs one call at a time on one connection.
 *
 * A call is always in exactly one place: a host's queue, a connection that is BUSY with
 * it, or a local list of calls about to be finished. A connection that gave up on a call
 * (its deadline passed) drains what the server still says, for a grace period. */
#ifndef SHARED_PG_POOL_H
#define SHARED_PG_POOL_H

#include "pg_call.h"
#include "pg_link.h"
#include "shared/metrics.h"

enum {
    PG_QUEUE_MAX = 1000,
    PG_CONNECT_MS = 5000,
    PG_DOWN_WAIT_MS = 500, /* how long a call waits for a host with no connection */
    PG_GRACE_MS = 1000,    /* past a call's deadline, before its connection is closed */
    /* How long a server that is there may say nothing while calls wait for it, and when
     * it is asked whether it is still there; a bit less than the second in which a write
     * is answered whatever becomes of the server. */
    PG_SILENT_MS = 700,
    PG_ASK_MS = 200,
    PG_ANSWER_MS = 400, /* the least time that this question is given */
    PG_LATE_MS = 200,   /* our own loop stood still: nothing can have been heard */
    PG_SURPLUS_MS = 60000,
    PG_BEAT_MS = 5000,
    PG_LAG_BEAT_MS = 1000,
    PG_LAG_SAMPLES = 64,
};

#define PG_CONN_STATES(X)  X(DOWN) X(LINKING) X(IDLE) X(BUSY) X(DRAINING)
#define PG_CONN_ENUM(name) PG_CONN_##name,
enum pg_conn_state { PG_CONN_STATES(PG_CONN_ENUM) PG_CONN_STATE_COUNT };
#undef PG_CONN_ENUM

struct pg_host;

/* A command on its way, in the order in which results come back. */
struct pg_sent {
    const struct sh_pg_statement *statement;
    size_t step; /* SIZE_MAX: its result is not the caller's */
    bool prepare;
};

struct pg_prepared {
    const struct sh_pg_statement *statement;
};

struct pg_conn { /* a slot of its host */
    struct pg_host *host;
    struct pg_link link;
    enum pg_conn_state state;
    uint64_t since_ms; /* of the state */
    struct pg_call *call;
    struct pg_sent *sent;
    size_t sent_count;
    size_t sent_capacity;
    size_t answered; /* of sent */
    bool failed;     /* an error was among the results */
    bool stale;      /* because a prepared statement was gone or outdated */
    bool serial;     /* because of concurrent transactions */
    bool useless;    /* close the connection when the call is over */
    bool ended;      /* the NULL after a command's results was seen last */
    /* Statements the server has, first those it has confirmed. Names bear the generation,
     * so that statements can be prepared anew whatever the server still remembers. */
    struct pg_prepared *prepared;
    size_t prepared_count;
    size_t prepared_confirmed;
    size_t prepared_capacity;
    unsigned generation;
};

struct pg_host {
    struct sh_pg *pg;
    char *conninfo;
    struct pg_conn *conns; /* pg->max of them; behind them the one of pg_silence.c */
    struct pg_queue queue;
    size_t counts[PG_CONN_STATE_COUNT];
    unsigned failures;    /* connects in a row */
    uint64_t next_try_ms; /* no connect before */
    uint64_t lost_ms;     /* when the last connection went */
    uint64_t heard_ms;    /* its last word, on whatever connection */
    bool questioned;      /* whether it is there, and has not answered yet */
    uint64_t questioned_ms;
    char why[256]; /* the last failure */
    char *name;    /* of a read host, as the settings have it */
    bool asking_lag;
    bool was_read;     /* it did not lag when last looked at */
    uint64_t fresh_ms; /* it shows all that the primary had then; 0: not known */
};

struct pg_sample { /* how far the primary was */
    uint64_t at_ms;
    uint64_t lsn;
};

struct sh_pg {
    uv_loop_t *loop;
    struct pg_host *hosts; /* the primary, then those for reads */
    size_t host_count;
    size_t next_read_host;
    size_t min;
    size_t max;
    uint32_t statement_timeout_ms;
    char options[160]; /* for the server at connect */
    bool no_options;   /* a pooler in between refused them */
    bool closing;
    uv_timer_t due; /* the earliest deadline */
    uint64_t due_ms;
    uint64_t fires_ms; /* the timer, if this loop is not late */
    uv_timer_t beat;
    uv_timer_t lag_beat;
    uint32_t read_lag_ms; /* 0: not looked at */
    bool sampling;
    uint64_t sampled_ms; /* when the sample under way was asked for */
    struct pg_sample samples[PG_LAG_SAMPLES];
    size_t sample_count; /* ever taken */
    unsigned timers;     /* not yet closed */
    struct sh_health_check *check;
    bool probing;
    uint64_t probed_us;
};

static inline size_t pg_host_open(const struct pg_host *host)
{
    return host->counts[PG_CONN_IDLE] + host->counts[PG_CONN_BUSY] +
           host->counts[PG_CONN_DRAINING];
}

/* --- pg_conn.c -------------------------------------------------------------------- */

void pg_conn_init(struct pg_conn *conn, struct pg_host *host);
/* Start to connect; a failure ends in pg_host_lost() before or after this returns. */
void pg_conn_open(struct pg_conn *conn);
/* Run the call on an IDLE connection. When that fails at once (nothing was sent) the
 * connection is closed, the call is the caller's again and false is returned. */
SH_CHECK bool pg_conn_start(struct pg_conn *conn, struct pg_call *call);
/* The call's deadline has passed: drain what the server still sends. The call is the
 * caller's. */
struct pg_call *pg_conn_abandon(struct pg_conn *conn);
/* DOWN at once. What was under way is the caller's; NULL when nothing was. */
struct pg_call *pg_conn_close(struct pg_conn *conn);
void pg_conn_free(struct pg_conn *conn);

/* --- pg_lag.c --------------------------------------------------------------------- */

/* Ask the primary how far it is, and the read hosts how far they are. */
void pg_lag_ask(struct sh_pg *pg);
/* It may be read from. */
bool pg_lag_ok(const struct pg_host *host);

/* --- pg_silence.c ----------------------------------------------------------------- */

/* When to look next; UINT64_MAX: nothing is under way. */
uint64_t pg_silence_due(const struct pg_host *host);
/* Ask whether the host is there, or give it up; the calls that it had go to `out`. */
void pg_silence_look(struct pg_host *host, uint64_t now_ms, struct pg_queue *out);
/* Give the question a connection of its own while all others are busy, and none when it
 * needs none. */
void pg_silence_make_way(struct pg_host *host);

/* --- pg.c, pg_life.c -------------------------------------------------------------- */

/* Be looked at by the `due` timer no later than this. */
void pg_due(struct sh_pg *pg, uint64_t when_ms);
void pg_host_up(struct pg_host *host);
/* A connection is free: give it work. */
void pg_host_free(struct pg_host *host);
/* A connection could not be made or broke (it is DOWN); `call` (may be NULL) was on it.
 */
void pg_host_lost(struct pg_host *host, struct pg_call *call, bool connecting,
                  const char *why);
/* Open the connections that are wanted, unless backing off. */
void pg_host_maintain(struct pg_host *host);
/* Bring the health check up to date. */
void pg_probe(struct sh_pg *pg);
/* Run the call at this host, whatever others there are. */
void pg_host_run(struct pg_host *host, struct pg_call *call);
/* As pg_host_run(), before others. */
void pg_host_first(struct pg_host *host, struct pg_call *call);
/* Run the call again, before others. */
void pg_host_again(struct pg_host *host, struct pg_call *call);

#endif
