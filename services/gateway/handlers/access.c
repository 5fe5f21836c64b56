/* Who may read a document, and why: oneself, a user, or a role in a department. The rules
 * are the search service's; here users and roles become what the rules ask for. */
#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/authorise.h"
#include "services/gateway/auth/refusal.h"
#include "services/gateway/auth/users.h"
#include "services/gateway/handlers/account.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/identity.h"
#include "services/gateway/json_out.h"

enum { ID_BYTES = 256 };

struct access_state {
    struct account account; /* first, see account_begin() */
    struct sh_bytes id;
    struct caller subject;
    bool active;  /* false: a user who may not log in */
    bool manages; /* is told of the other roles as well */
    const struct role_table *roles;
    char key[USER_KEY];
};

/* --- the answer ------------------------------------------------------------------- */

/* By number, as search's access/access.h has them. */
static const char *const reasons[] = {"not_asked", "all_departments", "own_department",
                                      "other_department", "no_department"};

static void write_or_null(struct sh_buffer *out, const char *name, struct sh_bytes text)
{
    json_member(out, name);
    if (text.len > 0)
        json_text(out, text);
    else
        sh_buffer_text(out, "null");
}

static void write_subject(struct sh_buffer *out, const struct caller *subject)
{
    json_member(out, "subject");
    sh_buffer_text(out, "{");
    write_or_null(out, "user_id", subject->user_id);
    write_or_null(out, "username", subject->username);
    json_member_text(out, "role", subject->role);
    write_or_null(out, "department", subject->department);
    json_member(out, "clearance");
    json_u64(out, subject->clearance);
    sh_buffer_text(out, "}");
}

static void write_rules(struct sh_buffer *out, const struct access_state *state,
                        const struct access_reply *reply)
{
    const struct access_verdict *verdict = &reply->verdicts[0];
    const struct caller *subject = &state->subject;

    json_member(out, "because");
    sh_buffer_text(out, "[{\"rule\":\"clearance\"");
    json_member(out, "document");
    json_u64(out, reply->clearance_level);
    json_member(out, "caller");
    json_u64(out, subject->clearance);
    json_member(out, "ok");
    json_bool(out, verdict->clearance_ok);
    sh_buffer_text(out, "},{\"rule\":\"department\"");
    write_or_null(out, "document", reply->department);
    write_or_null(out, "caller", subject->department);
    json_member(out, "ok");
    json_bool(out, verdict->department_ok);
    json_member(out, "why");
    json_cstr(out, verdict->department < SH_COUNT(reasons) ? reasons[verdict->department]
                                                           : "");
    sh_buffer_text(out, "}");
    if (!state->active)
        sh_buffer_text(out, ",{\"rule\":\"active\",\"ok\":false}");
    sh_buffer_text(out, "]");
}

/* Each role was asked about twice: without a department, and in the document's. */
static void write_roles(struct sh_buffer *out, const struct access_state *state,
                        const struct access_reply *reply)
{
    json_member(out, "roles");
    sh_buffer_text(out, "[");
    for (size_t i = 0; 2 * i + 2 < reply->verdicts_count; i++) {
        const struct access_verdict *pair = &reply->verdicts[1 + 2 * i];
        const struct role *role = role_at(state->roles, i);
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        json_member_text(out, "role", sh_bytes_of(role->name));
        json_member(out, "readable");
        json_cstr(out, pair[0].readable   ? "always"
                       : pair[1].readable ? "in_department"
                                          : "never");
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
}

static void on_verdicts(struct exchange *x, const struct sh_rpc_response *response)
{
    const struct access_state *state = x->state;
    size_t asked = state->manages ? 1 + 2 * role_count(state->roles) : 1;
    struct access_reply reply;

    if (!exchange_decode(x, access_reply_desc(), response->payload, &reply))
        return;
    if (reply.verdicts_count != asked) {
        exchange_fail_err(x, SH_UPSTREAM, NULL);
        return;
    }
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "document_id", reply.document_id);
    json_member(out, "readable");
    json_bool(out, reply.verdicts[0].readable && state->active);
    write_subject(out, &state->subject);
    write_rules(out, state, &reply);
    if (state->manages)
        write_roles(out, state, &reply);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

/* --- the question ----------------------------------------------------------------- */

static struct access_subject subject_of(const struct caller *caller)
{
    return (struct access_subject){.role = caller->role,
                                   .clearance = caller->clearance,
                                   .all_departments = caller->all_departments,
                                   .department = caller->department};
}

static void add_roles(const struct access_state *state, struct access_subject *into,
                      size_t *count)
{
    for (size_t i = 0; i < role_count(state->roles); i++) {
        const struct role *role = role_at(state->roles, i);
        struct access_subject one = {.role = sh_bytes_of(role->name),
                                     .clearance = role->clearance,
                                     .all_departments = role->departments == REACH_ALL};
        into[(*count)++] = one;
        one.of_document = role->departments == REACH_OWN;
        into[(*count)++] = one;
    }
}

static void ask(struct exchange *x)
{
    const struct access_state *state = x->state;
    struct access_subject subjects[1 + 2 * ROLES_MAX];
    size_t count = 0;

    subjects[count++] = subject_of(&state->subject);
    if (state->manages)
        add_roles(state, subjects, &count);
    const struct access_query query = {
        .document_id = state->id, .subjects = subjects, .subjects_count = count};
    exchange_call(x, &(struct exchange_call){
                         .peer = PEER_SEARCH,
                         .method = METHOD_ACCESS_EXPLAIN,
                         .kind = SH_RPC_READ,
                         .desc = access_query_desc(),
                         .msg = &query,
                         .timeout_ms = x->edge->gateway->config.read_timeout_ms,
                         .done = on_verdicts,
                     });
}

/* --- whom it is about ------------------------------------------------------------- */

/* False: answered. */
static bool become(struct exchange *x, const struct identity_user *user)
{
    struct access_state *state = x->state;
    const struct role *role;

    if (identity_of_user(state->roles, user, &state->subject, &role) == SH_OK)
        return true;
    exchange_invalid(x, "role", "there is no such role");
    return false;
}

static void on_user(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct access_state *state = x->state;
    struct user row, *user = sh_arena_alloc(&x->arena, sizeof *user);

    if (user == NULL) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    if (PQntuples(reply->results[0]) == 0 || PQgetisnull(reply->results[0], 0, 0)) {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such user");
        return;
    }
    user_read(reply->results[0], 0, &row);
    if (user_copy(&row, &x->arena, user) != SH_OK) {
        exchange_fail_err(x, SH_NOMEM, NULL);
        return;
    }
    state->active = user->active;
    if (become(x, &(struct identity_user){.user_id = user->id,
                                          .username = user->username,
                                          .role = user->role,
                                          .department = user->department,
                                          .campus = user->campus}))
        ask(x);
}

static void find_user(struct exchange *x, struct sh_bytes given)
{
    struct access_state *state = x->state;

    if (user_id_valid(given)) {
        account_sql(x, &users_by_id, &given, 1, on_user);
    } else if (username_fold(given, state->key)) {
        struct sh_bytes key = sh_bytes_of(state->key);
        account_sql(x, &users_by_name, &key, 1, on_user);
    } else {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such user");
    }
}

void document_access(struct exchange *x, void *unused)
{
    struct access_state *state = account_begin(x, sizeof *state);
    struct sh_bytes user, role, department;

    (void)unused;
    if (state == NULL || !exchange_param_text(x, "id", ID_BYTES, &state->id) ||
        !exchange_query_text(x, "user", 256, &user) ||
        !exchange_query_text(x, "role", ROLE_NAME_MAX, &role) ||
        !exchange_query_text(x, "department", 256, &department))
        return;
    state->active = true;
    state->roles = roles_now(x->edge->gateway->auth->roles);
    state->manages = authorised(x, PERMIT_MANAGE_DOCUMENTS);
    state->subject = x->caller;
    bool oneself = user.len == 0 && role.len == 0 && department.len == 0;
    if (!oneself && !state->manages)
        refuse_permission(x, PERMIT_MANAGE_DOCUMENTS);
    else if (user.len > 0)
        find_user(x, user);
    else if (oneself ||
             become(x, &(struct identity_user){.role = role, .department = department}))
        ask(x);
}
