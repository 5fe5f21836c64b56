#include "services/gateway/handlers/account.h"

#include <sodium.h>

#include "shared/clock.h"
#include "shared/log.h"

struct account_statement {
    const struct sh_pg_statement *statement;
    const struct sh_bytes *params;
    unsigned count;
};

/* What outlives the exchange. */
struct account_wait {
    struct sh_work work;
    struct exchange *x; /* NULL: the client left */
    account_reply_fn *replied;
    bool writes;
    void (*hashed)(struct exchange *x);
    char *password;
    size_t password_len;
    char hash[PASSWORD_HASH];
    enum sh_err err;
};

/* --- waiting ---------------------------------------------------------------------- */

static void on_abandoned(struct exchange *x)
{
    struct account *account = x->state;

    if (account->wait != NULL)
        account->wait->x = NULL;
    login_cancel(&account->login);
    session_cancel(&account->session);
}

void *account_begin(struct exchange *x, size_t size)
{
    void *state = exchange_state(x, size);

    if (state != NULL)
        x->abandoned = on_abandoned;
    return state;
}

static struct account_wait *wait_for(struct exchange *x)
{
    struct account *account = x->state;

    account->wait = sh_alloc(sizeof *account->wait);
    if (account->wait == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else
        account->wait->x = x;
    return account->wait;
}

/* The exchange that waits, or NULL; it waits no more. */
static struct exchange *take(struct account_wait *wait)
{
    struct exchange *x = wait->x;

    if (x != NULL)
        ((struct account *)x->state)->wait = NULL;
    return x;
}

/* --- PostgreSQL ------------------------------------------------------------------- */

static void refuse(struct exchange *x, const struct sh_pg_reply *reply, bool writes)
{
    bool taken = strcmp(reply->sqlstate, "23505") == 0; /* unique_violation */

    if (taken && ((const struct account *)x->state)->once) {
        exchange_fail(x, &(struct sh_problem){
                             .status = 409,
                             .code = "idempotency_key_reused",
                             .error = "a key was made with this Idempotency-Key, and its "
                                      "secret is told once: revoke it, make another"});
    } else if (taken) {
        exchange_fail(x, &(struct sh_problem){.status = 409,
                                              .code = "username_taken",
                                              .field = "username",
                                              .error = "somebody has this name"});
    } else if (strcmp(reply->sqlstate, "23001") == 0) { /* restrict_violation */
        exchange_fail(x, &(struct sh_problem){.status = 409,
                                              .code = "last_admin",
                                              .error = "this is the last admin"});
    } else {
        sh_warning(sh_http_trace(x->request), "accounts in PostgreSQL: %s %s",
                   sh_err_text(reply->err), reply->message);
        if (writes && reply->maybe_done)
            exchange_fail_unsure(x);
        else
            exchange_fail_err(x, reply->err, "accounts cannot be reached at the moment");
    }
}

static void on_reply(void *arg, const struct sh_pg_reply *reply)
{
    struct account_wait *wait = arg;
    struct exchange *x = take(wait);

    if (x != NULL && reply->err != SH_OK)
        refuse(x, reply, wait->writes);
    else if (x != NULL)
        wait->replied(x, reply);
    sh_free(wait);
}

static void run_steps(struct exchange *x, const struct sh_pg_step *steps, size_t count,
                      bool writes, account_reply_fn *done)
{
    struct account_wait *wait = wait_for(x);
    if (wait == NULL)
        return;
    const struct sh_pg_call call = {
        .steps = steps,
        .count = count,
        .deadline_ms = sh_now_ms() + x->edge->gateway->config.write_timeout_ms,
        .trace = sh_http_trace(x->request)};
    wait->replied = done;
    wait->writes = writes;
    enum sh_err err = sh_pg_run(x->edge->pg, &call, on_reply, wait);
    if (err == SH_OK)
        return;
    (void)take(wait);
    sh_free(wait);
    exchange_fail_err(x, err, NULL);
}

void account_sql_all(struct exchange *x, const struct sh_pg_step *steps, size_t count,
                     account_reply_fn *done)
{
    run_steps(x, steps, count, false, done);
}

void account_write_all(struct exchange *x, const struct sh_pg_step *steps, size_t count,
                       account_reply_fn *done)
{
    run_steps(x, steps, count, true, done);
}

static void run_one(struct exchange *x, const struct account_statement *what, bool writes,
                    account_reply_fn *done)
{
    struct sh_pg_param all[SH_PG_PARAMS_MAX] = {0};

    for (unsigned i = 0; i < what->count; i++)
        all[i].value = what->params[i];
    run_steps(x, &(struct sh_pg_step){what->statement, all, what->count, false}, 1,
              writes, done);
}

void account_sql(struct exchange *x, const struct sh_pg_statement *statement,
                 const struct sh_bytes *params, unsigned count, account_reply_fn *done)
{
    run_one(x, &(struct account_statement){statement, params, count}, false, done);
}

void account_write(struct exchange *x, const struct sh_pg_statement *statement,
                   const struct sh_bytes *params, unsigned count, account_reply_fn *done)
{
    run_one(x, &(struct account_statement){statement, params, count}, true, done);
}

/* --- hashing ---------------------------------------------------------------------- */

/* On a worker. */
static void hash(struct sh_work *work)
{
    struct account_wait *wait = SH_CONTAINER_OF(work, struct account_wait, work);

    wait->err =
        password_hash((struct sh_bytes){wait->password, wait->password_len}, wait->hash);
}

static void free_hashing(struct account_wait *wait)
{
    if (wait->password != NULL)
        sodium_memzero(wait->password, wait->password_len);
    sh_free(wait->password);
    sh_free(wait);
}

static void on_hashed(struct sh_work *work, enum sh_err err)
{
    struct account_wait *wait = SH_CONTAINER_OF(work, struct account_wait, work);
    struct exchange *x = take(wait);

    if (err == SH_OK)
        err = wait->err;
    if (x != NULL && err == SH_OK) {
        memcpy(((struct account *)x->state)->hash, wait->hash, sizeof wait->hash);
        wait->hashed(x);
    } else if (x != NULL) {
        exchange_fail_err(x, err, NULL);
    }
    free_hashing(wait);
}

void account_hash(struct exchange *x, struct sh_bytes password,
                  void (*done)(struct exchange *x))
{
    struct account_wait *wait = wait_for(x);

    if (wait == NULL)
        return;
    wait->work = (struct sh_work){.run = hash, .done = on_hashed};
    wait->hashed = done;
    wait->password = sh_strndup(password.data, password.len);
    wait->password_len = password.len;
    enum sh_err err = wait->password == NULL
                          ? SH_NOMEM
                          : sh_workers_submit(x->edge->workers, &wait->work);
    if (err == SH_OK)
        return;
    (void)take(wait);
    free_hashing(wait);
    exchange_fail_err(x, err, NULL);
}

bool account_password_good(struct exchange *x, const char *field,
                           struct sh_bytes password, struct sh_bytes username)
{
    enum password_fault fault = password_check(password, username);

    if (fault != PASSWORD_GOOD)
        exchange_invalid(x, field, "%s", password_fault_text(fault));
    return fault == PASSWORD_GOOD;
}

/* --- sessions --------------------------------------------------------------------- */

/* The exchange, and who wants to know; in its arena. */
struct ending {
    struct exchange *x;
    void (*done)(struct exchange *x, bool ended);
};

static void on_ended(void *arg, enum sh_err err)
{
    struct ending *ending = arg;
    struct exchange *x = ending->x;

    ((struct account *)x->state)->session = NULL;
    if (err != SH_OK)
        sh_warning(sh_http_trace(x->request),
                   "a user's sessions could not be ended in Redis: %s", sh_err_text(err));
    ending->done(x, err == SH_OK);
}

void account_end_sessions(struct exchange *x, struct sh_bytes user_id, uint64_t epoch,
                          void (*done)(struct exchange *x, bool ended))
{
    struct account *account = x->state;
    struct ending *ending = sh_arena_alloc(&x->arena, sizeof *ending);

    if (ending == NULL) {
        done(x, false);
        return;
    }
    *ending = (struct ending){x, done};
    enum sh_err err =
        session_end_all(x->edge, user_id, epoch, on_ended, ending, &account->session);
    if (err != SH_OK)
        on_ended(ending, err);
}

void account_private(struct exchange *x)
{
    sh_http_add_header(x->request, "Cache-Control", "no-store");
    sh_http_leave_unpacked(x->request);
}
