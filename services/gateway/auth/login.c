/* Find the user, verify on a worker or by the directory, let PostgreSQL judge. */
#include "services/gateway/auth/login.h"

#include <sodium.h>
#include <stdio.h>

#include "services/gateway/auth/ldap.h"
#include "services/gateway/auth/password.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/metrics.h"

struct login {
    struct sh_work work;
    struct edge *edge;
    login_done_fn *done; /* NULL: cancelled */
    void *arg;
    struct sh_arena arena;
    char key[USER_KEY];
    char *username; /* as it was typed */
    char *password;
    size_t password_len;
    struct user user;
    bool known; /* has an account of ours */
    struct directory_call *directory;
    /* the worker's */
    struct password_verdict verdict;
    char fresh[PASSWORD_HASH]; /* a hash to keep instead of an outdated one, or empty */
};

static struct sh_family logins = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_logins_total",
    .help = "Attempts to log in, by how they ended.",
    .labels = {"result"},
};
static struct sh_family failures = {
    .kind = SH_COUNTER,
    .name = "auth_login_failures_total",
    .help = "Refused attempts to log in: the password was wrong, or the name is locked.",
    .labels = {"reason"},
};
static struct sh_family lockouts = {
    .kind = SH_COUNTER,
    .name = "auth_lockouts_total",
    .help = "Names that were locked after too many wrong passwords.",
};
static struct sh_family checks = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_password_checks_total",
    .help = "Passwords that were hashed to check them, for unknown names too.",
};

static void end(struct login *login)
{
    if (login->password != NULL)
        sodium_memzero(login->password, login->password_len);
    sh_arena_free(&login->arena);
    sh_free(login);
}

static void count(const struct login_outcome *outcome)
{
    static const char *const names[] = {
        [LOGIN_GOOD] = "good",
        [LOGIN_WRONG] = "wrong",
        [LOGIN_LOCKED] = "locked",
        [LOGIN_UNKNOWN] = "unavailable",
    };

    sh_count(&logins, names[outcome->result]);
    if (outcome->result == LOGIN_WRONG || outcome->result == LOGIN_LOCKED)
        sh_count(&failures, names[outcome->result]);
}

static void finish(struct login *login, const struct login_outcome *outcome)
{
    count(outcome);
    if (login->done != NULL)
        login->done(login->arg, outcome);
    end(login);
}

static void fail(struct login *login, enum sh_err err)
{
    finish(login, &(struct login_outcome){.result = LOGIN_UNKNOWN, .err = err});
}

static uint64_t deadline(const struct login *login)
{
    return sh_now_ms() + login->edge->gateway->config.write_timeout_ms;
}

/* --- judging ---------------------------------------------------------------------- */

static void on_judged(void *arg, const struct sh_pg_reply *reply)
{
    struct login *login = arg;

    if (reply->err != SH_OK) {
        fail(login, reply->err);
        return;
    }
    uint64_t locked_s = sh_pg_u64(reply->results[0], 0, 0);
    if (sh_pg_u64(reply->results[0], 0, 1) == 1)
        sh_series_add(sh_series(&lockouts, NULL), 1);
    if (locked_s > 0) {
        finish(login,
               &(struct login_outcome){.result = LOGIN_LOCKED, .locked_s = locked_s});
    } else if (!login->verdict.good ||
               (login->known && PQntuples(reply->results[1]) == 0)) {
        /* Or the password was changed while it was being checked. */
        finish(login, &(struct login_outcome){.result = LOGIN_WRONG});
    } else {
        if (login->known)
            user_read(reply->results[1], 0, &login->user);
        finish(login, &(struct login_outcome){.result = LOGIN_GOOD,
                                              .user = &login->user,
                                              .local = login->known});
    }
}

static struct sh_pg_param text(const char *value)
{
    return (struct sh_pg_param){.value = sh_bytes_of(value)};
}

static void judge(struct login *login)
{
    const struct account_config *config = &login->edge->gateway->account_config;
    bool good = login->verdict.good;
    char most[16], seconds[16];

    (void)snprintf(most, sizeof most, "%u", config->lockout_failures);
    (void)snprintf(seconds, sizeof seconds, "%u", config->lockout_s);
    const struct sh_pg_param verdict[] = {text(login->key), text(good ? "true" : "false"),
                                          text(most), text(seconds)};
    const struct sh_pg_param entry[] = {
        {.value = login->user.id},
        {.value = login->user.password_hash},
        text(login->fresh[0] != '\0' ? login->fresh : NULL)};
    const struct sh_pg_step steps[] = {{&users_judge, verdict, SH_COUNT(verdict), false},
                                       {&users_logged_in, entry, SH_COUNT(entry), false}};
    const struct sh_pg_call call = {.steps = steps,
                                    .count = good && login->known ? 2 : 1,
                                    .deadline_ms = deadline(login)};
    enum sh_err err = sh_pg_run(login->edge->pg, &call, on_judged, login);
    if (err != SH_OK)
        fail(login, err);
}

/* --- verifying -------------------------------------------------------------------- */

/* On a worker. */
static void verify(struct sh_work *work)
{
    struct login *login = SH_CONTAINER_OF(work, struct login, work);
    const struct sh_bytes password = {login->password, login->password_len};
    const char *hash = login->known ? login->user.password_hash.data : NULL;

    login->verdict = password_verify(hash, password);
    if (login->verdict.good && login->verdict.outdated &&
        password_hash(password, login->fresh) != SH_OK)
        login->fresh[0] = '\0'; /* the next login may have the memory */
    sh_series_add(sh_series(&checks, NULL), 1);
}

static void on_verified(struct sh_work *work, enum sh_err err)
{
    struct login *login = SH_CONTAINER_OF(work, struct login, work);

    if (err != SH_OK)
        fail(login, err);
    else
        judge(login);
}

static void verify_here(struct login *login)
{
    login->work = (struct sh_work){.run = verify, .done = on_verified};
    enum sh_err err = sh_workers_submit(login->edge->workers, &login->work);
    if (err != SH_OK)
        fail(login, err);
}

/* --- the directory ---------------------------------------------------------------- */

static enum sh_err take_principal(struct login *login, const struct principal *principal)
{
    const struct user user = {.id = principal->user_id,
                              .username = principal->username,
                              .role = principal->role,
                              .department = principal->department,
                              .campus = principal->campus,
                              .active = true};
    return user_copy(&user, &login->arena, &login->user);
}

static void on_directory(void *arg, enum sh_err err, struct principal *principal)
{
    struct login *login = arg;

    login->directory = NULL;
    if (err == SH_OK)
        err = take_principal(login, principal);
    login->verdict.good = err == SH_OK;
    if (err == SH_OK || err == SH_FORBIDDEN)
        judge(login);
    else
        fail(login, err);
}

static void verify_there(struct login *login)
{
    enum sh_err err =
        directory_login(login->edge, sh_bytes_of(login->username),
                        (struct sh_bytes){login->password, login->password_len},
                        on_directory, login, &login->directory);

    if (err != SH_OK)
        fail(login, err);
}

/* --- finding ---------------------------------------------------------------------- */

static enum sh_err take_user(struct login *login, const PGresult *result)
{
    struct user user;

    user_read(result, 0, &user);
    login->known = user.id.len > 0;
    return user_copy(&user, &login->arena, &login->user);
}

static void on_user(void *arg, const struct sh_pg_reply *reply)
{
    struct login *login = arg;
    enum sh_err err = reply->err;

    if (err == SH_OK && PQntuples(reply->results[0]) != 1)
        err = SH_INTERNAL;
    if (err == SH_OK)
        err = take_user(login, reply->results[0]);
    if (err != SH_OK) {
        fail(login, err);
        return;
    }
    uint64_t locked_s = sh_pg_u64(reply->results[0], 0, USER_COLUMN_COUNT);
    if (locked_s > 0) {
        finish(login,
               &(struct login_outcome){.result = LOGIN_LOCKED, .locked_s = locked_s});
        return;
    }
    if (!login->known && directory_is_used(&login->edge->gateway->ldap_config))
        verify_there(login);
    else
        verify_here(login);
}

static enum sh_err find(struct login *login)
{
    const struct sh_pg_param params[] = {text(login->key)};
    const struct sh_pg_step step = {&users_by_name, params, 1, false};
    const struct sh_pg_call call = {
        .steps = &step, .count = 1, .deadline_ms = deadline(login)};

    return sh_pg_run(login->edge->pg, &call, on_user, login);
}

enum sh_err login_begin(struct edge *edge, struct sh_bytes username,
                        struct sh_bytes password, login_done_fn *done, void *arg,
                        struct login **out)
{
    struct login *login = sh_alloc(sizeof *login);

    *out = NULL;
    if (login == NULL)
        return SH_NOMEM;
    login->edge = edge;
    login->done = done;
    login->arg = arg;
    login->username = sh_arena_strndup(&login->arena, username.data, username.len);
    login->password = sh_arena_strndup(&login->arena, password.data, password.len);
    login->password_len = password.len;
    if (!username_fold(username, login->key))
        login->key[0] = '\0'; /* nobody's name */
    enum sh_err err = SH_NOMEM;
    if (login->username != NULL && login->password != NULL)
        err = find(login);
    if (err != SH_OK)
        end(login);
    else
        *out = login;
    return err;
}

void login_cancel(struct login **login)
{
    if (*login == NULL)
        return;
    (*login)->done = NULL;
    *login = NULL;
}
