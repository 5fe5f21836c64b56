#include "services/gateway/auth/authenticate.h"

#include "services/gateway/auth/api_keys.h"
#include "services/gateway/auth/await_keys.h"
#include "services/gateway/auth/credentials.h"
#include "services/gateway/auth/csrf.h"
#include "services/gateway/auth/refusal.h"
#include "services/gateway/auth/sessions.h"
#include "services/gateway/auth/tokens.h"
#include "shared/mem.h"

static struct auth *auth_of(const struct exchange *x)
{
    return x->edge->gateway->auth;
}

/* --- the outcomes ----------------------------------------------------------------- */

static void nobody(struct exchange *x)
{
    struct auth *auth = auth_of(x);

    if (auth->jwt_mode) {
        x->role = role_anonymous(roles_now(auth->roles));
        identity_of_nobody(x->role, &x->caller);
    } else {
        x->role = role_operator();
        identity_of_operator(&x->caller);
    }
    gate_next(x);
}

/* Takes the reference. */
static void known(struct exchange *x, struct principal *principal)
{
    x->principal = principal;
    x->role = principal_role(principal, roles_now(auth_of(x)->roles));
    identity_of_principal(principal, x->role, &x->caller);
    gate_next(x);
}

/* Whoever tries one after the other must not be quicker than the limits allow, so they
 * count it first; authorise() tells. */
static void refused(struct exchange *x, refuse_fn *refusal, int why)
{
    x->refusal = refusal;
    x->refused_for = why;
    x->role = role_anonymous(roles_now(auth_of(x)->roles));
    identity_of_nobody(x->role, &x->caller);
    gate_next(x);
}

/* Where everybody may come in a credential that has run out keeps nobody out: else a
 * browser with an old cookie could not even log in. */
static bool is_let_in(struct exchange *x)
{
    bool open = x->route == NULL || x->route->permission == PERMIT_PUBLIC;

    if (open)
        nobody(x);
    return open;
}

/* --- tokens ----------------------------------------------------------------------- */

static void on_keys(struct exchange *x, struct sh_bytes token);

static void judge_token(struct exchange *x, struct sh_bytes token, bool again)
{
    struct auth *auth = auth_of(x);
    struct principal *principal;
    enum jwt_fault fault = tokens_check(auth, x->edge->auth, token, &principal);

    if (fault == JWT_GOOD)
        known(x, principal);
    else if ((fault == JWT_UNKNOWN_KEY && !again && await_keys(x, token, on_keys)) ||
             is_let_in(x))
        return;
    else if (fault == JWT_UNKNOWN_KEY && auth->jwks != NULL && !jwks_is_known(auth->jwks))
        refused(x, refuse_unknown, SH_UNAVAILABLE);
    else
        refused(x, refuse_token, (int)fault);
}

static void on_keys(struct exchange *x, struct sh_bytes token)
{
    judge_token(x, token, true);
}

/* Clients of other servers must send something, so they send a word. To a port where all
 * are trusted that says no more than nothing does. */
static bool is_a_word(const struct exchange *x, struct sh_bytes token)
{
    return !auth_of(x)->jwt_mode && !tokens_looks_like_one(token);
}

/* --- what is looked up: keys and sessions ----------------------------------------- */

struct lookup {
    struct exchange *x; /* NULL: the client left */
    struct api_key_call *key;
    struct session_call *session;
    struct sh_bytes cookie;
};

static void on_left(struct exchange *x)
{
    struct lookup *lookup = x->state;

    if (lookup->key != NULL)
        api_key_cancel(&lookup->key);
    if (lookup->session != NULL)
        session_cancel(&lookup->session);
    sh_free(lookup);
}

static struct lookup *begin_lookup(struct exchange *x)
{
    struct lookup *lookup = sh_alloc(sizeof *lookup);

    if (lookup == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return NULL;
    }
    lookup->x = x;
    x->state = lookup;
    x->abandoned = on_left;
    return lookup;
}

static struct exchange *end_lookup(struct lookup *lookup)
{
    struct exchange *x = lookup->x;

    x->state = NULL;
    x->abandoned = NULL;
    sh_free(lookup);
    return x;
}

static void on_key(void *arg, enum sh_err err, struct principal *principal)
{
    struct exchange *x = end_lookup(arg);

    if (err == SH_OK)
        known(x, principal_hold(principal));
    else if (is_let_in(x))
        return;
    else if (err == SH_NOTFOUND)
        refused(x, refuse_key, 0);
    else
        refused(x, refuse_unknown, (int)err);
}

static void find_key(struct exchange *x, struct sh_bytes text)
{
    struct lookup *lookup = begin_lookup(x);

    if (lookup != NULL)
        api_key_find(x->edge, text, on_key, lookup, &lookup->key);
}

static void take_session(struct exchange *x, const struct session *session,
                         struct sh_bytes cookie)
{
    const struct principal found = {
        .credential = CREDENTIAL_SESSION,
        .user_id = session->user_id,
        .username = session->username,
        .role = session->role,
        .department = session->department,
        .campus = session->campus,
        .scopes = UINT64_MAX,
        .expires_s = session->ends_s,
        .lasting = session->lasting,
    };
    enum csrf_fault fault = csrf_check(x->edge->gateway, x->request, cookie);

    if (fault != CSRF_GOOD && is_let_in(x))
        return;
    if (fault != CSRF_GOOD) {
        struct sh_problem problem = csrf_problem(fault);
        exchange_fail(x, &problem);
        return;
    }
    struct principal *principal = principal_create(&found);
    if (principal != NULL)
        known(x, principal);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

static void on_session(void *arg, enum sh_err err, const struct session *session)
{
    struct lookup *lookup = arg;
    struct sh_bytes cookie = lookup->cookie;
    struct exchange *x = end_lookup(lookup);

    if (err == SH_OK)
        take_session(x, session, cookie);
    else if (is_let_in(x))
        return;
    else if (err == SH_NOTFOUND)
        refused(x, refuse_session, 0);
    else
        refused(x, refuse_unknown, (int)err);
}

static void find_session(struct exchange *x, struct sh_bytes cookie)
{
    struct lookup *lookup = begin_lookup(x);

    if (lookup == NULL)
        return;
    lookup->cookie = cookie;
    enum sh_err err = session_find(x->edge, cookie, on_session, lookup, &lookup->session);
    if (err != SH_OK)
        on_session(lookup, err, NULL);
}

/* --- the step --------------------------------------------------------------------- */

void authenticate(struct exchange *x)
{
    struct credentials shown = credentials_read(x->edge->gateway, x->request);

    switch (shown.offer) {
    case OFFER_TOKEN:
        if (is_a_word(x, shown.text))
            nobody(x);
        else
            judge_token(x, shown.text, false);
        break;
    case OFFER_KEY:
        find_key(x, shown.text);
        break;
    case OFFER_SESSION:
        find_session(x, shown.text);
        break;
    case OFFER_BAD:
    case OFFER_MANY:
        if (!is_let_in(x))
            refused(x, refuse_header, shown.offer == OFFER_MANY);
        break;
    case OFFER_NONE:
    default:
        nobody(x);
        break;
    }
}
