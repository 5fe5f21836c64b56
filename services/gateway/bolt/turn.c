#include "services/gateway/bolt/turn.h"

#include <stdio.h>

#include "services/gateway/auth/tokens.h"
#include "services/gateway/auth/users.h"
#include "services/gateway/limits/quota.h"
#include "shared/clock.h"
#include "shared/log.h"

struct bolt_turn {
    struct bolt_conn *conn; /* NULL: it is gone, or nobody wants to know */
    struct edge *edge;
    const struct route *route; /* NULL: a login */
    turn_go_fn *go_on;
    turn_refused_fn *refused;
    struct limiter_ask ask;
    struct policy_keys keys;
    char user_id[USER_ID + 1];
};

/* --- the ends --------------------------------------------------------------------- */

static void refuse(struct bolt_turn *turn, int status, const char *code,
                   const char *neo4j, const char *sentence)
{
    struct bolt_conn *conn = turn->conn;
    turn_refused_fn *refused = turn->refused;

    conn->turn = NULL;
    sh_free(turn);
    if (status == 401)
        reply_fatal(conn, neo4j, "%s", sentence);
    else
        reply_failure(conn, neo4j, "%s", sentence);
    refused(conn, status, code);
}

static void admit(struct bolt_turn *turn)
{
    struct bolt_conn *conn = turn->conn;
    turn_go_fn *go_on = turn->go_on;

    conn->turn = NULL;
    sh_free(turn);
    go_on(conn);
}

void turn_cancel(struct bolt_conn *conn)
{
    struct bolt_turn *turn = conn->turn;

    conn->turn = NULL;
    if (conn->key != NULL) {
        api_key_cancel(&conn->key);
        sh_free(turn); /* it waited for that */
    } else if (turn != NULL) {
        turn->conn = NULL; /* freed by what it waits for */
    }
}

/* --- may they? -------------------------------------------------------------------- */

static void authorise_turn(struct bolt_turn *turn)
{
    const struct bolt_who *who = &turn->conn->who;
    bool is_login = turn->route == NULL;
    enum permission permission = is_login ? PERMIT_PUBLIC : turn->route->permission;

    if (is_login || (role_may(who->role, permission) &&
                     (who->principal == NULL ||
                      (who->principal->scopes & permission_bit(permission)) != 0)))
        admit(turn);
    else
        refuse(turn, 403, "forbidden", BOLT_FORBIDDEN,
               "this needs the permission read_graph");
}

/* --- how much? -------------------------------------------------------------------- */

static void decided(struct bolt_turn *turn)
{
    struct quota quota;
    char sentence[96];

    if (turn->ask.admitted) {
        authorise_turn(turn);
        return;
    }
    quota_write(&turn->ask, sh_wall_time(), &quota);
    (void)snprintf(sentence, sizeof sentence,
                   "too many requests: try again in %u seconds", quota.retry_after_s);
    refuse(turn, 429, "rate_limited", BOLT_TOO_MUCH, sentence);
}

static void on_decided(struct limiter_ask *ask)
{
    struct bolt_turn *turn = SH_CONTAINER_OF(ask, struct bolt_turn, ask);

    if (turn->conn != NULL)
        decided(turn);
    else
        sh_free(turn);
}

/* False: nothing limits this one. */
static bool choose(struct bolt_turn *turn)
{
    const struct bolt_conn *conn = turn->conn;
    const struct gateway *gateway = turn->edge->gateway;
    const struct role *role = role_anonymous(roles_now(gateway->auth->roles));
    char subject[ADDRESS_TEXT] = "unknown";
    struct address address;
    struct policy_caller caller = {.address = subject};

    if (conn->who.principal != NULL) {
        caller.user_id = conn->who.principal->user_id;
        role = conn->who.role;
    }
    caller.per_minute = role->requests_per_minute;
    caller.per_hour = role->requests_per_hour;
    if (address_read(sh_bytes_of(sh_stream_peer(conn->stream)), &address))
        address_write_subject(&address, subject);
    return policy_choose(&gateway->limits->policy, turn->route, &caller, &turn->keys,
                         &turn->ask);
}

static void count(struct bolt_turn *turn)
{
    struct limits_edge *limits = &turn->edge->limits;

    turn->ask.done = on_decided;
    if (limits->limiter == NULL || !choose(turn))
        authorise_turn(turn);
    else if (limiter_take(limits->limiter, &turn->ask))
        decided(turn);
}

static void shed(struct bolt_turn *turn)
{
    if (shed_begin(turn->edge->limits.shed) != SHED_NOT) {
        refuse(turn, 503, "overloaded", BOLT_TOO_MUCH,
               "there is too much to do at the moment, try again in a second");
        return;
    }
    turn->conn->counted = true;
    count(turn);
}

/* --- is it still them? ------------------------------------------------------------ */

/* Roles may have been read anew since. */
static void still_known(struct bolt_turn *turn)
{
    struct bolt_who *who = &turn->conn->who;
    const struct role_table *table = roles_now(turn->edge->gateway->auth->roles);

    if (who->principal != NULL) {
        who->role = principal_role(who->principal, table);
        identity_of_principal(who->principal, who->role, &who->caller);
    }
    shed(turn);
}

static void take_principal(struct bolt_turn *turn, struct principal *principal)
{
    struct bolt_who *who = &turn->conn->who;

    principal_drop(who->principal);
    who->principal = principal;
    still_known(turn);
}

static void check_token(struct bolt_turn *turn, struct sh_bytes token)
{
    struct principal *principal;
    enum jwt_fault fault =
        tokens_check(turn->edge->gateway->auth, turn->edge->auth, token, &principal);

    if (fault == JWT_GOOD)
        take_principal(turn, principal);
    else
        refuse(turn, 401, "token_expired", BOLT_TOKEN_EXPIRED,
               "the token is no longer accepted");
}

static void on_key(void *arg, enum sh_err err, struct principal *principal)
{
    struct bolt_turn *turn = arg;

    if (err == SH_OK)
        take_principal(turn, principal_hold(principal));
    else if (err == SH_NOTFOUND)
        refuse(turn, 401, "invalid_api_key", BOLT_LOGIN_EXPIRED,
               "the API key is no longer valid");
    else
        refuse(turn, 503, "dependency_unavailable", BOLT_TRY_AGAIN,
               "who you are cannot be checked at the moment");
}

static void check_bearer(struct bolt_turn *turn)
{
    struct bolt_conn *conn = turn->conn;
    struct sh_bytes secret = {conn->who.secret, conn->who.secret_len};

    if (api_key_looks_like_one(secret))
        api_key_find(turn->edge, secret, on_key, turn, &conn->key);
    else
        check_token(turn, secret);
}

static void login_over(struct bolt_turn *turn)
{
    refuse(turn, 401, "session_ended", BOLT_LOGIN_EXPIRED,
           "the account has changed, or the login is too old: log in again");
}

/* Without PostgreSQL a login holds, as sessions do. */
static void on_account(void *arg, const struct sh_pg_reply *reply)
{
    struct bolt_turn *turn = arg;
    struct bolt_conn *conn = turn->conn;
    struct user user = {0};

    if (conn == NULL) {
        sh_free(turn);
        return;
    }
    if (reply->err != SH_OK) {
        sh_warning(&conn->trace, "an account could not be looked at again: %s",
                   reply->message);
        still_known(turn);
        return;
    }
    if (PQntuples(reply->results[0]) > 0)
        user_read(reply->results[0], 0, &user);
    if (!user.active || user.epoch != conn->who.epoch) {
        login_over(turn);
        return;
    }
    conn->who.checked_ms = sh_now_ms();
    still_known(turn);
}

static void look_again(struct bolt_turn *turn)
{
    struct sh_bytes id = turn->conn->who.principal->user_id;
    size_t len = id.len < USER_ID ? id.len : USER_ID;

    memcpy(turn->user_id, id.data, len);
    const struct sh_pg_param param = {.value = {turn->user_id, len}};
    const struct sh_pg_step step = {&users_by_id, &param, 1, false};
    const struct sh_pg_call call = {
        .steps = &step,
        .count = 1,
        .deadline_ms = sh_now_ms() + turn->edge->gateway->config.read_timeout_ms};

    if (sh_pg_run(turn->edge->pg, &call, on_account, turn) != SH_OK)
        still_known(turn);
}

static bool is_over(const struct bolt_who *who)
{
    return who->principal != NULL &&
           who->principal->expires_s <= (uint64_t)sh_wall_time();
}

static void check_again(struct bolt_turn *turn)
{
    const struct bolt_who *who = &turn->conn->who;
    uint64_t recheck_ms = (uint64_t)turn->edge->gateway->bolt_config.recheck_s * 1000;

    if (who->login == BOLT_BEARER)
        check_bearer(turn);
    else if (who->login == BOLT_PASSWORD && is_over(who))
        login_over(turn);
    else if (who->login == BOLT_PASSWORD && who->local &&
             sh_now_ms() - who->checked_ms >= recheck_ms)
        look_again(turn);
    else
        still_known(turn);
}

/* --- the beginning ---------------------------------------------------------------- */

static struct bolt_turn *begin(struct bolt_conn *conn, const struct route *route,
                               turn_go_fn *go_on, turn_refused_fn *refused)
{
    struct bolt_turn *turn = sh_alloc(sizeof *turn);

    conn->busy = true;
    conn->started_us = sh_now_us();
    sh_trace_start(&conn->trace);
    if (turn == NULL) {
        reply_failure(conn, BOLT_OUT_OF_MEMORY, "out of memory");
        refused(conn, 503, "out_of_memory");
        return NULL;
    }
    turn->conn = conn;
    turn->edge = conn->bolt->edge;
    turn->route = route;
    turn->go_on = go_on;
    turn->refused = refused;
    conn->turn = turn;
    return turn;
}

/* A driver opens as many connections as it needs, and logs in on each: they count as any
 * request from their address does. What is tried one after the other is stopped by the
 * lock of the name. */
void turn_login(struct bolt_conn *conn, turn_go_fn *go_on, turn_refused_fn *refused)
{
    struct bolt_turn *turn = begin(conn, NULL, go_on, refused);

    if (turn != NULL)
        shed(turn);
}

void turn_query(struct bolt_conn *conn, turn_go_fn *go_on, turn_refused_fn *refused)
{
    struct bolt_turn *turn = begin(conn, conn->bolt->query_route, go_on, refused);

    if (turn != NULL)
        check_again(turn);
}
