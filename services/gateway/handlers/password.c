/* A new password for oneself. The old one is asked for, wrong ones are counted as at the
 * login, and every session of the user but the one that asks is over. */
#include "services/gateway/handlers/entry.h"
#include "services/gateway/handlers/handlers.h"

struct password_body {
    struct sh_bytes current;
    struct sh_bytes fresh;
};

#define AT(member) offsetof(struct password_body, member)
static const struct schema_field password_fields[] = {
    {.name = "current_password",
     .type = SCHEMA_TEXT,
     .offset = AT(current),
     .least = 1,
     .most = PASSWORD_MOST,
     .bytes = PASSWORD_MOST,
     .required = true},
    {.name = "new_password",
     .type = SCHEMA_TEXT,
     .offset = AT(fresh),
     .most = PASSWORD_MOST,
     .required = true},
};
const struct schema password_schema = {"PasswordChange", "The old and the new one.",
                                       sizeof(struct password_body), password_fields,
                                       SH_COUNT(password_fields)};

struct password_state {
    struct entry entry;
    struct password_body body;
    struct user user;
};

/* --- the last steps: the new one holds -------------------------------------------- */

/* This browser stays in, by a new session. */
static void on_sessions_ended(struct exchange *x, bool ended)
{
    (void)ended; /* the new session ends the others, too, once Redis is back */
    entry_answer(x);
}

static void on_stored(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct password_state *state = x->state;
    struct user user;

    if (PQntuples(reply->results[0]) == 0) {
        exchange_fail_err(x, SH_CONFLICT, "the account was changed meanwhile");
        return;
    }
    user_read(reply->results[0], 0, &user);
    if (entry_of_user(x, &user, true) != SH_OK)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else
        account_end_sessions(x, state->user.id, user.epoch, on_sessions_ended);
}

static void store(struct exchange *x)
{
    struct password_state *state = x->state;
    const struct sh_bytes params[] = {state->user.id, state->user.password_hash,
                                      sh_bytes_of(state->entry.account.hash)};

    account_write(x, &users_set_password, params, SH_COUNT(params), on_stored);
}

/* --- the first: who it is --------------------------------------------------------- */

static void on_verified(void *arg, const struct login_outcome *outcome)
{
    struct exchange *x = arg;
    struct password_state *state = x->state;

    state->entry.account.login = NULL;
    if (outcome->result == LOGIN_LOCKED)
        exchange_fail(x,
                      &(struct sh_problem){.status = 423,
                                           .code = "account_locked",
                                           .error = "Account is locked. Try again later.",
                                           .retry_after_s = (unsigned)outcome->locked_s});
    else if (outcome->result == LOGIN_WRONG)
        exchange_fail(x, &(struct sh_problem){.status = 403,
                                              .code = "wrong_password",
                                              .field = "current_password",
                                              .error = "the current password is wrong"});
    else if (outcome->result == LOGIN_UNKNOWN)
        exchange_fail_err(x, outcome->err, NULL);
    else if (!outcome->local)
        exchange_fail_err(x, SH_CONFLICT, "the account was changed meanwhile");
    else if (user_copy(outcome->user, &x->arena, &state->user) == SH_OK)
        account_hash(x, state->body.fresh, store);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

static void on_user(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct password_state *state = x->state;
    struct user user;

    if (PQntuples(reply->results[0]) == 0) {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such account here");
        return;
    }
    user_read(reply->results[0], 0, &user);
    if (!account_password_good(x, "new_password", state->body.fresh, user.username))
        return;
    enum sh_err err = login_begin(x->edge, user.username, state->body.current,
                                  on_verified, x, &state->entry.account.login);
    if (err != SH_OK)
        exchange_fail_err(x, err, NULL);
}

void password_post(struct exchange *x, void *body)
{
    struct password_state *state = account_begin(x, sizeof *state);

    if (state == NULL)
        return;
    state->body = *(const struct password_body *)body;
    state->entry.former = session_cookie(x->edge->gateway, x->request);
    state->entry.session.lasting = x->principal != NULL && x->principal->lasting;
    if (!user_id_valid(x->caller.user_id))
        exchange_fail(x, &(struct sh_problem){.status = 409,
                                              .code = "not_local",
                                              .error = "only accounts that are kept here "
                                                       "have a password to change"});
    else if (sh_bytes_equal(state->body.current, state->body.fresh))
        exchange_invalid(x, "new_password", "new_password must be another one");
    else
        account_sql(x, &users_by_id, &x->caller.user_id, 1, on_user);
}
