/* login: whether a name and a password belong together. The password is hashed on a
 * worker; a name that nobody has costs a hash, too, is counted and locked like any other,
 * and gets the same answer. PostgreSQL counts the failures, so that the count holds for
 * all gateways; without it nobody logs in. Whoever has no account here may have one in
 * the directory, if there is one. Loop thread only. */
#ifndef GATEWAY_LOGIN_H
#define GATEWAY_LOGIN_H

#include "services/gateway/auth/users.h"
#include "services/gateway/edge.h"

enum login_result {
    LOGIN_GOOD,
    LOGIN_WRONG,
    LOGIN_LOCKED,  /* too many were wrong; also told to who has the right one */
    LOGIN_UNKNOWN, /* `err` says why it could not be found out */
};

struct login_outcome {
    enum login_result result;
    enum sh_err err;
    uint64_t locked_s;
    const struct user *user; /* when it is good; valid until `done` returns */
    bool local;              /* an account of ours; else of the directory */
};

/* Exactly once per accepted call, never from inside it. */
typedef void login_done_fn(void *arg, const struct login_outcome *outcome);

struct login;
/* The texts are copied. Errors: SH_NOMEM, SH_BUSY, SH_UNAVAILABLE; `done` is then never
 * called. */
SH_CHECK enum sh_err login_begin(struct edge *edge, struct sh_bytes username,
                                 struct sh_bytes password, login_done_fn *done, void *arg,
                                 struct login **out);
/* Nobody wants to know any more. A wrong password is counted all the same. */
void login_cancel(struct login **login);

#endif
