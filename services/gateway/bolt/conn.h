/* conn: what the files of Bolt share: one connection, from its handshake to its end.
 *
 * Messages are handled one by one, in order. One that has to wait (for PostgreSQL, for
 * the limits, for the graph service) sets `busy`; nothing further is read until its
 * answer has been written and conn_resume() called. The exception is RESET, which is
 * looked for among what has come already, and cuts short what is under way. Loop thread
 * only. */
#ifndef GATEWAY_BOLT_CONN_H
#define GATEWAY_BOLT_CONN_H

#include "services/gateway/auth/api_keys.h"
#include "services/gateway/auth/login.h"
#include "services/gateway/bolt/bolt.h"
#include "services/gateway/bolt/chunks.h"
#include "services/gateway/bolt/failures.h"
#include "services/gateway/bolt/request.h"
#include "services/gateway/bolt/values.h"
#include "services/gateway/identity.h"
#include "shared/stream.h"
#include "shared/trace.h"

enum {
    BOLT_RESULTS = 16,       /* of a transaction that are open at a time */
    BOLT_AGENT = 255,        /* bytes that are kept of a client's name */
    BOLT_ADDRESS = 255,      /* and of the address that it called */
    BOLT_SECRET = 16384,     /* longest token */
    BOLT_SLICE = 64 << 10,   /* bytes of records that are written in one turn */
    BOLT_KEPT_OUT = 1 << 20, /* a buffer that grew beyond it is given back */
};

#define BOLT_DATABASE "neo4j" /* the name of the only one, as drivers expect it */

/* A loop's listener. */
struct bolt {
    struct edge *edge;
    struct sh_http_server *server;
    const struct route *query_route; /* what a query counts as */
    struct sh_buffer out;            /* messages on their way to the connection in hand */
    size_t result_bytes;             /* of all connections, waiting to be pulled */
    uint64_t opened;
};

struct result {
    bool open;
    bool truncated;
    int64_t id;
    struct sh_buffer bytes; /* owned */
    struct rows rows;
    double time_ms;
};

/* PULL or DISCARD, while there is more to write. */
struct pull {
    bool under_way;
    int64_t left; /* records; -1: all */
    struct result *result;
};

/* How the connection knows its user. */
enum bolt_login { BOLT_NOBODY, BOLT_PASSWORD, BOLT_BEARER };

struct bolt_who {
    enum bolt_login login;
    struct principal *principal; /* counted; NULL: nobody */
    const struct role *role;
    struct caller caller;
    char *secret; /* a bearer's token or key, to be checked with each query; owned */
    size_t secret_len;
    bool local;          /* an account of ours, which can change meanwhile */
    uint64_t epoch;      /* of that account */
    uint64_t checked_ms; /* when it was last looked at */
};

struct bolt_turn; /* turn.h */

struct bolt_conn {
    struct bolt *bolt;
    struct sh_stream *stream;
    enum bolt_state state;
    struct bolt_version version;
    struct chunks chunks;
    uint64_t number;
    char agent[BOLT_AGENT + 1];
    char address[BOLT_ADDRESS + 1];
    struct bolt_who who;
    bool busy;
    bool ending;
    enum bolt_tag asked; /* what is being handled */
    /* under way, at most one of each */
    struct bolt_turn *turn;
    struct login *login;
    struct api_key_call *key;
    uint64_t call;
    bool calling;
    bool counted; /* by limits/shed.h */
    struct sh_trace trace;
    uint64_t started_us;
    char *query;            /* for the audit log; owned */
    struct sh_buffer frame; /* what graph is asked */
    /* what is open */
    struct result results[BOLT_RESULTS];
    int64_t next_id;
    uint64_t timeout_ms; /* as the client asked; 0: as the settings say */
    bool in_tx;
    struct pull pull;
};

/* For sh_stream_protocol; `arg` is the struct bolt. */
void *conn_open(void *arg, struct sh_stream *stream);
size_t conn_work(void *state, struct sh_bytes bytes);
void conn_closed(void *state);

/* --- answering (reply.c): each message goes to the loop's buffer ------------------ */

/* {key: value, …}: write as many pairs between the two as `pairs` says. */
size_t reply_success_begin(struct bolt_conn *conn, size_t pairs);
void reply_end(struct bolt_conn *conn, size_t begin);
void reply_success(struct bolt_conn *conn); /* of nothing */
void reply_ignored(struct bolt_conn *conn);
/* The state becomes FAILED. */
__attribute__((format(printf, 3, 4))) void
reply_failure(struct bolt_conn *conn, const char *code, const char *format, ...);
/* The same, and the connection ends. */
__attribute__((format(printf, 3, 4))) void
reply_fatal(struct bolt_conn *conn, const char *code, const char *format, ...);
/* Hand the buffer to the socket. */
void reply_flush(struct bolt_conn *conn);
/* What was waited for is over and answered: go on with what has come meanwhile. */
void conn_resume(struct bolt_conn *conn);

/* --- the messages ----------------------------------------------------------------- */

void logon_hello(struct bolt_conn *conn, const struct bolt_request *request);
void logon_logon(struct bolt_conn *conn, const struct bolt_request *request);
void logon_logoff(struct bolt_conn *conn);
/* Nobody waits for the answer any more. */
void logon_cancel(struct bolt_conn *conn);
/* Forget who it was. */
void logon_forget(struct bolt_conn *conn);
void query_run(struct bolt_conn *conn, const struct bolt_request *request);
void query_begin(struct bolt_conn *conn, const struct bolt_request *request);
/* COMMIT and ROLLBACK: nothing was written. */
void query_end(struct bolt_conn *conn, enum bolt_tag tag);
void query_cancel(struct bolt_conn *conn);
/* Key and value of a summary. */
void query_put_bookmark(struct sh_buffer *out);

/* PULL and DISCARD. */
void pull_start(struct bolt_conn *conn, const struct bolt_request *request);
/* Write further records; false: nothing can be written now. */
void pull_go_on(struct bolt_conn *conn);
/* Keep the rows of an answer. Errors: SH_TOOBIG (as many are open as may be),
 * SH_MALFORMED, SH_NOMEM. */
SH_CHECK enum sh_err results_add(struct bolt_conn *conn, struct sh_bytes rows,
                                 struct result **out);
bool results_are_full(struct bolt_conn *conn);
void results_drop(struct bolt_conn *conn, struct result *result);
void results_drop_all(struct bolt_conn *conn);

void route_answer(struct bolt_conn *conn, const struct bolt_request *request);

/* --- what is left behind (note.c) ------------------------------------------------- */

struct bolt_note {
    int status; /* as HTTP would have it; 0: nobody waited for the end */
    const char *code;
    struct sh_bytes query, user;
    uint64_t rows;
    bool counted; /* rows */
};
void note_query(struct bolt_conn *conn, const struct bolt_note *note);
void note_login(struct bolt_conn *conn, const struct bolt_note *note);

#endif
