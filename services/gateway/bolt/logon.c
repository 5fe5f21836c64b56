/* HELLO, LOGON, LOGOFF: who is there. With 4.4 and 5.0 the first says it all. */
#include <openssl/crypto.h>
#include <stdio.h>

#include "services/gateway/auth/password.h"
#include "services/gateway/auth/tokens.h"
#include "services/gateway/bolt/turn.h"
#include "shared/clock.h"
#include "shared/metrics.h"

/* What drivers ask for: some refuse a server of another name. */
static const char server_4[] = "Neo4j/4.4.0";
static const char server_5[] = "Neo4j/5.13.0";

static struct sh_family logins = {
    .kind = SH_COUNTER,
    .name = "cairn_gateway_bolt_logins_total",
    .help = "Logins over Bolt, by how they ended",
    .labels = {"result"},
};

void logon_forget(struct bolt_conn *conn)
{
    struct bolt_who *who = &conn->who;

    principal_drop(who->principal);
    if (who->secret != NULL)
        OPENSSL_cleanse(who->secret, who->secret_len);
    sh_free(who->secret);
    *who = (struct bolt_who){0};
}

void logon_cancel(struct bolt_conn *conn)
{
    login_cancel(&conn->login);
}

static void end_login(struct bolt_conn *conn)
{
    if (conn->counted)
        shed_end(conn->bolt->edge->limits.shed);
    conn->counted = false;
}

/* --- the ends --------------------------------------------------------------------- */

static void write_greeting(struct bolt_conn *conn)
{
    struct sh_buffer *out = &conn->bolt->out;
    bool hints = conn->version.major >= 5;
    char id[32];

    (void)snprintf(id, sizeof id, "bolt-%llu", (unsigned long long)conn->number);
    size_t begin = reply_success_begin(conn, hints ? 3 : 2);
    ps_word(out, "server");
    ps_word(out, conn->version.major >= 5 ? server_5 : server_4);
    ps_word(out, "connection_id");
    ps_word(out, id);
    if (hints) {
        ps_word(out, "hints");
        ps_map(out, 1);
        ps_word(out, "telemetry.enabled");
        ps_bool(out, false);
    }
    reply_end(conn, begin);
}

static void admitted(struct bolt_conn *conn)
{
    end_login(conn);
    sh_count(&logins, "good");
    note_login(conn, &(struct bolt_note){.status = 200});
    conn->state = BOLT_READY;
    if (conn->asked == BOLT_HELLO)
        write_greeting(conn);
    else
        reply_success(conn);
    conn_resume(conn);
}

/* After turn.h has told the client. */
static void refused(struct bolt_conn *conn, int status, const char *code)
{
    end_login(conn);
    sh_count(&logins, code);
    note_login(conn, &(struct bolt_note){.status = status, .code = code});
    logon_forget(conn);
    conn->ending = true;
    conn_resume(conn);
}

static void refuse(struct bolt_conn *conn, int status, const char *code,
                   const char *neo4j, const char *sentence)
{
    reply_fatal(conn, neo4j, "%s", sentence);
    refused(conn, status, code);
}

static void unknown(struct bolt_conn *conn)
{
    refuse(conn, 503, "dependency_unavailable", BOLT_TRY_AGAIN,
           "nobody can log in at the moment");
}

/* Takes the reference. */
static void known(struct bolt_conn *conn, struct principal *principal)
{
    struct bolt_who *who = &conn->who;
    const struct auth *auth = conn->bolt->edge->gateway->auth;

    who->principal = principal;
    who->role = principal_role(principal, roles_now(auth->roles));
    who->checked_ms = sh_now_ms();
    identity_of_principal(principal, who->role, &who->caller);
    admitted(conn);
}

/* --- nobody ----------------------------------------------------------------------- */

static void nobody(struct bolt_conn *conn)
{
    struct bolt_who *who = &conn->who;
    const struct auth *auth = conn->bolt->edge->gateway->auth;
    const struct role *anonymous = role_anonymous(roles_now(auth->roles));

    who->login = BOLT_NOBODY;
    if (!auth->jwt_mode) {
        who->role = role_operator();
        identity_of_operator(&who->caller);
        admitted(conn);
    } else if (role_may(anonymous, PERMIT_READ_GRAPH)) {
        who->role = anonymous;
        identity_of_nobody(anonymous, &who->caller);
        admitted(conn);
    } else {
        refuse(conn, 401, "authentication_required", BOLT_UNAUTHORIZED,
               "this needs a user and a password, a token or an API key");
    }
}

/* --- a password ------------------------------------------------------------------- */

static void take_user(struct bolt_conn *conn, const struct login_outcome *outcome)
{
    const struct gateway *gateway = conn->bolt->edge->gateway;
    const struct user *user = outcome->user;
    const struct principal found = {
        .credential = CREDENTIAL_SESSION,
        .user_id = user->id,
        .username = user->username,
        .role = user->role,
        .department = user->department,
        .campus = user->campus,
        .scopes = UINT64_MAX,
        .expires_s = (uint64_t)sh_wall_time() + gateway->account_config.session_most_s,
    };
    struct principal *principal = principal_create(&found);

    conn->who.local = outcome->local;
    conn->who.epoch = user->epoch;
    if (principal != NULL)
        known(conn, principal);
    else
        unknown(conn);
}

static void on_login(void *arg, const struct login_outcome *outcome)
{
    struct bolt_conn *conn = arg;

    conn->login = NULL;
    switch (outcome->result) {
    case LOGIN_GOOD:
        take_user(conn, outcome);
        break;
    case LOGIN_WRONG:
        refuse(conn, 401, "invalid_credentials", BOLT_UNAUTHORIZED,
               "The client is unauthorized due to authentication failure.");
        break;
    case LOGIN_LOCKED:
        refuse(conn, 423, "account_locked", BOLT_LOCKED,
               "The client has provided incorrect authentication details too many times "
               "in a row.");
        break;
    case LOGIN_UNKNOWN:
    default:
        unknown(conn);
        break;
    }
}

/* `secret` holds name and password with a NUL between them until it is asked for. */
static void try_password(struct bolt_conn *conn)
{
    struct bolt_who *who = &conn->who;
    size_t name = strlen(who->secret);
    enum sh_err err =
        login_begin(conn->bolt->edge, (struct sh_bytes){who->secret, name},
                    (struct sh_bytes){who->secret + name + 1, who->secret_len - name - 1},
                    on_login, conn, &conn->login);

    OPENSSL_cleanse(who->secret, who->secret_len);
    if (err != SH_OK)
        unknown(conn);
}

/* --- a token or a key ------------------------------------------------------------- */

static void on_key(void *arg, enum sh_err err, struct principal *principal)
{
    struct bolt_conn *conn = arg;

    if (err == SH_OK)
        known(conn, principal_hold(principal));
    else if (err == SH_NOTFOUND)
        refuse(conn, 401, "invalid_api_key", BOLT_UNAUTHORIZED,
               "there is no such API key, or it is no longer valid");
    else
        unknown(conn);
}

static void try_token(struct bolt_conn *conn, struct sh_bytes token)
{
    struct edge *edge = conn->bolt->edge;
    struct auth *auth = edge->gateway->auth;
    struct principal *principal;
    enum jwt_fault fault = tokens_check(auth, edge->auth, token, &principal);

    if (fault == JWT_GOOD)
        known(conn, principal);
    else if (fault == JWT_UNKNOWN_KEY && auth->jwks != NULL && !jwks_is_known(auth->jwks))
        unknown(conn);
    else if (fault == JWT_EXPIRED)
        refuse(conn, 401, "token_expired", BOLT_TOKEN_EXPIRED, "the token has expired");
    else
        refuse(conn, 401, "invalid_token", BOLT_UNAUTHORIZED,
               "the token is not accepted");
}

static void try_bearer(struct bolt_conn *conn)
{
    struct sh_bytes secret = {conn->who.secret, conn->who.secret_len};

    if (api_key_looks_like_one(secret))
        api_key_find(conn->bolt->edge, secret, on_key, conn, &conn->key);
    else
        try_token(conn, secret);
}

/* --- what is shown ---------------------------------------------------------------- */

/* False: no memory, or longer than anything that could be right. */
static bool keep_secret(struct bolt_who *who, struct sh_bytes first,
                        struct sh_bytes second)
{
    size_t between = second.data != NULL ? 1 : 0;

    who->secret_len = first.len + between + second.len;
    if (who->secret_len > BOLT_SECRET)
        return false;
    who->secret = sh_alloc(who->secret_len + 1);
    if (who->secret == NULL)
        return false;
    if (first.len > 0)
        memcpy(who->secret, first.data, first.len);
    if (second.data != NULL)
        memcpy(who->secret + first.len + between, second.data, second.len);
    return true;
}

/* The map that the scheme stands in. */
static void authenticate_by(struct bolt_conn *conn, struct ps_cursor map)
{
    struct sh_bytes scheme = {0}, name = {0}, secret = {0};
    bool shown = ps_find_text(map, "credentials", &secret);

    logon_forget(conn);
    if (!ps_find_text(map, "scheme", &scheme) || sh_bytes_is(scheme, "none")) {
        turn_login(conn, nobody, refused);
    } else if (sh_bytes_is(scheme, "basic") && shown &&
               ps_find_text(map, "principal", &name) && name.len > 0 && secret.len > 0 &&
               secret.len <= PASSWORD_MOST && memchr(name.data, '\0', name.len) == NULL &&
               keep_secret(&conn->who, name, secret)) {
        conn->who.login = BOLT_PASSWORD;
        turn_login(conn, try_password, refused);
    } else if (sh_bytes_is(scheme, "bearer") && shown && secret.len > 0 &&
               keep_secret(&conn->who, secret, (struct sh_bytes){0})) {
        conn->who.login = BOLT_BEARER;
        turn_login(conn, try_bearer, refused);
    } else {
        refuse(
            conn, 401, "invalid_credentials", BOLT_UNAUTHORIZED,
            "The client is unauthorized: log in by the scheme basic, with a user and a "
            "password, or bearer, with a token or an API key.");
    }
}

/* --- the messages ----------------------------------------------------------------- */

static void keep(struct ps_cursor map, const char *key, char *out, size_t size)
{
    struct sh_bytes text;

    if (!ps_find_text(map, key, &text))
        return;
    size_t len = text.len < size ? text.len : size - 1;
    memcpy(out, text.data, len);
    out[len] = '\0';
}

static void keep_names(struct bolt_conn *conn, struct ps_cursor hello)
{
    struct ps_cursor value;

    if (ps_find(hello, "bolt_agent", &value))
        keep(value, "product", conn->agent, sizeof conn->agent);
    keep(hello, "user_agent", conn->agent, sizeof conn->agent);
    if (ps_find(hello, "routing", &value))
        keep(value, "address", conn->address, sizeof conn->address);
}

void logon_hello(struct bolt_conn *conn, const struct bolt_request *request)
{
    keep_names(conn, request->fields[0]);
    if (!bolt_at_least(conn->version, 5, 1)) {
        authenticate_by(conn, request->fields[0]);
        return;
    }
    conn->state = BOLT_AUTHENTICATION;
    write_greeting(conn);
}

void logon_logon(struct bolt_conn *conn, const struct bolt_request *request)
{
    authenticate_by(conn, request->fields[0]);
}

void logon_logoff(struct bolt_conn *conn)
{
    logon_forget(conn);
    conn->state = BOLT_AUTHENTICATION;
    reply_success(conn);
}
