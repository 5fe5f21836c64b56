#include "services/gateway/handlers/entry.h"

#include "services/gateway/auth/access_token.h"
#include "services/gateway/auth/csrf.h"
#include "services/gateway/json_out.h"
#include "shared/log.h"

enum sh_err entry_of_user(struct exchange *x, const struct user *user, bool local)
{
    struct entry *entry = x->state;
    struct user copy;

    if (user_copy(user, &x->arena, &copy) != SH_OK)
        return SH_NOMEM;
    entry->session = (struct session){.user_id = copy.id,
                                      .username = copy.username,
                                      .role = copy.role,
                                      .department = copy.department,
                                      .campus = copy.campus,
                                      .epoch = copy.epoch,
                                      .ends_s = entry->session.ends_s,
                                      .local = local,
                                      .lasting = entry->session.lasting};
    x->audit.user = copy.id;
    return SH_OK;
}

/* What is not there is null: a client that needs it sees that, and others go on. */
static void write_text_or_null(struct sh_buffer *out, const char *name,
                               struct sh_bytes text)
{
    json_member(out, name);
    if (text.len > 0)
        json_text(out, text);
    else
        sh_buffer_text(out, "null");
}

static void answer(struct exchange *x, struct sh_bytes token, const char *id)
{
    const struct gateway *gateway = x->edge->gateway;
    const struct entry *entry = x->state;
    char csrf[CSRF_TOKEN + 1] = "";
    struct sh_buffer *out = exchange_out(x);

    if (id != NULL)
        csrf_token(sh_bytes_of(id), csrf);
    sh_buffer_text(out, "{");
    write_text_or_null(out, "access_token", token);
    json_member_text(out, "token_type", sh_bytes_of("Bearer"));
    json_member(out, "expires_in");
    json_u64(out, token.len > 0 ? gateway->account_config.token_lifetime_s : 0);
    write_text_or_null(out, "csrf_token", sh_bytes_of(csrf));
    json_member_text(out, "user_id", entry->session.user_id);
    x->audit.user = entry->session.user_id;
    json_member_text(out, "username", entry->session.username);
    json_member_text(out, "role", entry->session.role);
    json_member_text(out, "department", entry->session.department);
    json_member_text(out, "campus", entry->session.campus);
    sh_buffer_text(out, "}");
    if (id != NULL)
        session_set_cookie(gateway, x->request, id, &entry->session);
    account_private(x);
    exchange_answer(x, 200);
}

/* The session is there, or cannot be had. */
static void conclude(struct exchange *x, enum sh_err err, const char *id)
{
    const struct entry *entry = x->state;
    struct sh_bytes token = {0};
    enum sh_err made =
        access_token_make(x->edge->gateway, &entry->session, &x->arena, &token);

    if (err != SH_OK)
        sh_warning(sh_http_trace(x->request), "a login without a session: %s",
                   sh_err_text(err));
    if (made != SH_OK && made != SH_NOTFOUND)
        exchange_fail_err(x, made, NULL);
    else if (made != SH_OK && id == NULL)
        exchange_fail_err(x, SH_UNAVAILABLE, "sessions cannot be kept at the moment");
    else
        answer(x, token, id);
}

static void on_made(void *arg, enum sh_err err, const char *id)
{
    struct exchange *x = arg;
    struct entry *entry = x->state;

    entry->account.session = NULL;
    if (err == SH_CONFLICT)
        exchange_fail(x, &(struct sh_problem){.status = 401,
                                              .code = "session_ended",
                                              .error = "the account was changed "
                                                       "meanwhile: log in again"});
    else
        conclude(x, err, id);
}

void entry_answer(struct exchange *x)
{
    struct entry *entry = x->state;
    enum sh_err err = session_create(x->edge, &entry->session, entry->former, on_made, x,
                                     &entry->account.session);

    if (err != SH_OK)
        conclude(x, err, NULL);
}
