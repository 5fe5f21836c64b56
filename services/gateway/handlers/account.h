/* account: what the handlers of logins and users have in common: waiting for PostgreSQL,
 * for a worker, for a session, while the client may leave. Loop thread only. */
#ifndef GATEWAY_ACCOUNT_H
#define GATEWAY_ACCOUNT_H

#include "services/gateway/auth/login.h"
#include "services/gateway/auth/password.h"
#include "services/gateway/auth/sessions.h"
#include "services/gateway/exchange.h"

struct account_wait;

/* The first member of each handler's state, in the exchange's arena. */
struct account {
    struct account_wait *wait;
    struct login *login;
    struct session_call *session;
    char hash[PASSWORD_HASH]; /* of account_hash() */
    bool once;                /* what is unique is the Idempotency-Key, not a name */
};

/* Room of `size` bytes that begins with a struct account, as x->state. NULL: answered. */
void *account_begin(struct exchange *x, size_t size);

typedef void account_reply_fn(struct exchange *x, const struct sh_pg_reply *reply);
/* Run one statement; `done` only when it went well, else it is answered here: 409 for a
 * name that is taken or the last admin, 503 without PostgreSQL. */
void account_sql(struct exchange *x, const struct sh_pg_statement *statement,
                 const struct sh_bytes *params, unsigned count, account_reply_fn *done);
/* The same for several in one transaction. */
void account_sql_all(struct exchange *x, const struct sh_pg_step *steps, size_t count,
                     account_reply_fn *done);

/* The same two for what changes something: when nobody knows whether it was done, the
 * answer is 503 outcome_unknown. */
void account_write(struct exchange *x, const struct sh_pg_statement *statement,
                   const struct sh_bytes *params, unsigned count, account_reply_fn *done);
void account_write_all(struct exchange *x, const struct sh_pg_step *steps, size_t count,
                       account_reply_fn *done);

/* Hash a password on a worker, into the state; `done` only when it went well. */
void account_hash(struct exchange *x, struct sh_bytes password,
                  void (*done)(struct exchange *x));

/* 400 that names the field unless the password is a good one. */
SH_CHECK bool account_password_good(struct exchange *x, const char *field,
                                    struct sh_bytes password, struct sh_bytes username);

/* End all sessions of a user before this epoch; `done` also when Redis is away, with
 * false. */
void account_end_sessions(struct exchange *x, struct sh_bytes user_id, uint64_t epoch,
                          void (*done)(struct exchange *x, bool ended));

/* The answer is for this caller alone. */
void account_private(struct exchange *x);

#endif
