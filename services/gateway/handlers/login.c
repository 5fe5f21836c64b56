/* Logging in and out, who one is, a fresh token. */
#include "services/gateway/auth/authorise.h"
#include "services/gateway/auth/csrf.h"
#include "services/gateway/handlers/entry.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/json_out.h"

struct login_body {
    struct sh_bytes username;
    struct sh_bytes password;
    bool remember;
};

#define AT(member) offsetof(struct login_body, member)
static const struct schema_field login_fields[] = {
    {.name = "username",
     .type = SCHEMA_TEXT,
     .offset = AT(username),
     .least = 1,
     .most = USER_NAME,
     .required = true},
    {.name = "password",
     .type = SCHEMA_TEXT,
     .offset = AT(password),
     .least = 1,
     .most = PASSWORD_MOST,
     .bytes = PASSWORD_MOST,
     .required = true},
    {.name = "remember",
     .type = SCHEMA_BOOLEAN,
     .offset = AT(remember),
     .help = "the cookie outlives the browser's end"},
};
const struct schema login_schema = {"Login", "Who wants in.", sizeof(struct login_body),
                                    login_fields, SH_COUNT(login_fields)};

static bool refuse_other_sites(struct exchange *x)
{
    struct sh_problem problem = csrf_problem(CSRF_ORIGIN);

    if (csrf_same_origin(x->edge->gateway, x->request))
        return false;
    exchange_fail(x, &problem);
    return true;
}

/* --- in --------------------------------------------------------------------------- */

static void refuse(struct exchange *x, const struct login_outcome *outcome)
{
    if (outcome->result == LOGIN_WRONG)
        exchange_fail(x, &(struct sh_problem){.status = 401,
                                              .code = "invalid_credentials",
                                              .error = "Invalid username or password"});
    else if (outcome->result == LOGIN_LOCKED)
        exchange_fail(x,
                      &(struct sh_problem){.status = 423,
                                           .code = "account_locked",
                                           .error = "Account is locked. Try again later.",
                                           .retry_after_s = (unsigned)outcome->locked_s});
    else
        exchange_fail_err(x, outcome->err, "nobody can log in at the moment");
}

static void on_login(void *arg, const struct login_outcome *outcome)
{
    struct exchange *x = arg;
    struct entry *entry = x->state;

    entry->account.login = NULL;
    if (outcome->result != LOGIN_GOOD)
        refuse(x, outcome);
    else if (entry_of_user(x, outcome->user, outcome->local) == SH_OK)
        entry_answer(x);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

void login_post(struct exchange *x, void *body)
{
    const struct login_body *login = body;

    x->audit.target = login->username;
    x->audit.target = login->username;
    if (refuse_other_sites(x))
        return;
    struct entry *entry = account_begin(x, sizeof *entry);
    if (entry == NULL)
        return;
    entry->session.lasting = login->remember;
    entry->former = session_cookie(x->edge->gateway, x->request);
    enum sh_err err = login_begin(x->edge, login->username, login->password, on_login, x,
                                  &entry->account.login);
    if (err != SH_OK)
        exchange_fail_err(x, err, "nobody can log in at the moment");
}

/* --- out -------------------------------------------------------------------------- */

static void answer_out(struct exchange *x)
{
    session_drop_cookie(x->edge->gateway, x->request);
    account_private(x);
    sh_buffer_text(exchange_out(x), "{\"logged_out\":true}");
    exchange_answer(x, 200);
}

/* The cookie stays with the browser until the session is known to be over: who logs out
 * at a shared machine must see when that failed. */
static void on_ended(void *arg, enum sh_err err)
{
    struct exchange *x = arg;

    ((struct account *)x->state)->session = NULL;
    if (err == SH_OK)
        answer_out(x);
    else
        exchange_fail_err(x, err, "the session could not be ended: try again");
}

/* The session's cookie, empty when there is none. False: another site sent it, and was
 * answered. */
static bool read_cookie(struct exchange *x, struct sh_bytes *cookie)
{
    const struct gateway *gateway = x->edge->gateway;

    *cookie = session_cookie(gateway, x->request);
    enum csrf_fault fault =
        cookie->len > 0 ? csrf_check(gateway, x->request, *cookie) : CSRF_GOOD;
    if (fault == CSRF_GOOD)
        return true;
    struct sh_problem problem = csrf_problem(fault);
    exchange_fail(x, &problem);
    return false;
}

void logout_post(struct exchange *x, void *unused)
{
    struct sh_bytes cookie;

    (void)unused;
    if (!read_cookie(x, &cookie))
        return;
    struct account *account = account_begin(x, sizeof *account);
    if (account == NULL)
        return;
    enum sh_err err = session_end(x->edge, cookie, on_ended, x, &account->session);
    if (err == SH_NOTFOUND)
        answer_out(x);
    else if (err != SH_OK)
        on_ended(x, err);
}

/* --- who one is ------------------------------------------------------------------- */

/* What a page need not offer is what is not in here. */
static void write_permissions(struct sh_buffer *out, const struct exchange *x)
{
    const char *comma = "";

    json_member(out, "permissions");
    sh_buffer_text(out, "[");
    for (int p = PERMIT_SESSION; p < PERMIT_COUNT; p++) {
        if (!authorised(x, (enum permission)p))
            continue;
        sh_buffer_printf(out, "%s\"%s\"", comma, permission_name((enum permission)p));
        comma = ",";
    }
    sh_buffer_text(out, "]");
}

/* The token goes to who bears the cookie: a page that was loaded anew needs it. */
void me_get(struct exchange *x, void *unused)
{
    struct sh_bytes cookie = session_cookie(x->edge->gateway, x->request);
    char csrf[CSRF_TOKEN + 1];
    struct sh_buffer *out = exchange_out(x);

    (void)unused;
    sh_buffer_text(out, "{");
    json_member_text(out, "user_id", x->caller.user_id);
    json_member_text(out, "username", x->caller.username);
    json_member_text(out, "role", x->caller.role);
    json_member_text(out, "department", x->caller.department);
    json_member_text(out, "campus", x->caller.campus);
    json_member(out, "clearance");
    json_u64(out, x->caller.clearance);
    json_member(out, "max_results");
    json_u64(out, settings_result_limit(&x->edge->gateway->config, x->role->max_results));
    write_permissions(out, x);
    json_member(out, "trusted"); /* nobody showed anything, and all are trusted here */
    sh_buffer_text(out, x->principal == NULL ? "true" : "false");
    if (cookie.len > 0) {
        csrf_token(cookie, csrf);
        json_member_text(out, "csrf_token", sh_bytes_of(csrf));
    }
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

/* --- a fresh token ---------------------------------------------------------------- */

static void on_user(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct user user = {0};

    if (PQntuples(reply->results[0]) > 0)
        user_read(reply->results[0], 0, &user);
    if (!user.active)
        exchange_fail(x, &(struct sh_problem){.status = 401,
                                              .code = "session_ended",
                                              .error = "this account is no more"});
    else if (entry_of_user(x, &user, true) == SH_OK)
        entry_answer(x);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

/* What the directory said at the login holds until the session ends; our own accounts are
 * looked up. */
static void go_on(struct exchange *x, const struct session *session)
{
    const struct user user = {.id = session->user_id,
                              .username = session->username,
                              .role = session->role,
                              .department = session->department,
                              .campus = session->campus};
    struct entry *entry = x->state;

    if (entry_of_user(x, &user, session->local) != SH_OK)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else if (session->local)
        account_sql(x, &users_by_id, &entry->session.user_id, 1, on_user);
    else
        entry_answer(x);
}

static void on_found(void *arg, enum sh_err err, const struct session *session)
{
    struct exchange *x = arg;
    struct entry *entry = x->state;

    entry->account.session = NULL;
    if (err == SH_NOTFOUND) {
        exchange_fail(x, &(struct sh_problem){.status = 401,
                                              .code = "session_ended",
                                              .error = "there is no such session"});
        return;
    }
    if (err != SH_OK) {
        exchange_fail_err(x, err, "sessions cannot be looked up at the moment");
        return;
    }
    entry->session.ends_s = session->ends_s; /* it lasts no longer by this */
    entry->session.lasting = session->lasting;
    go_on(x, session);
}

/* A session gives a new token and goes on under a new id. A token gives none: who stole
 * one would never have to let go of it. */
void refresh_post(struct exchange *x, void *unused)
{
    struct sh_bytes cookie;

    (void)unused;
    if (!read_cookie(x, &cookie))
        return;
    if (cookie.len == 0) {
        exchange_fail(x,
                      &(struct sh_problem){
                          .status = 401,
                          .code = "session_ended",
                          .error = "this renews the session of a cookie, and there is "
                                   "none: a token alone is not renewed, log in again"});
        return;
    }
    struct entry *entry = account_begin(x, sizeof *entry);
    if (entry == NULL)
        return;
    entry->former = cookie;
    enum sh_err err = session_find(x->edge, cookie, on_found, x, &entry->account.session);
    if (err != SH_OK)
        on_found(x, err, NULL);
}
