/* The admins' view of users: a page of them, one, make, change, remove. */
#include <ctype.h>
#include <stdio.h>

#include "services/gateway/auth/auth.h"
#include "services/gateway/auth/users.h"
#include "services/gateway/handlers/account.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/user_body.h"
#include "services/gateway/json_out.h"

/* --- the state -------------------------------------------------------------------- */

struct users_state {
    struct account account;
    struct user_body body;
    char id[USER_ID + 1];
    char key[USER_KEY];
    uint32_t page, per_page;
    struct user user; /* that changed, in the arena */
};

/* The user that the path names. False: answered. */
static bool read_id(struct exchange *x, struct users_state *state)
{
    char id[2 * USER_ID];

    if (!exchange_param(x, "id", id, sizeof id))
        return false;
    if (!user_id_valid(sh_bytes_of(id))) {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such user");
        return false;
    }
    for (size_t i = 0; i <= USER_ID; i++) /* as PostgreSQL writes it */
        state->id[i] = (char)tolower((unsigned char)id[i]);
    return true;
}

static bool role_good(struct exchange *x, struct sh_bytes name)
{
    const struct role_table *table = roles_now(x->edge->gateway->auth->roles);
    const struct role *role = role_find(table, name);

    if (role != NULL && role != role_anonymous(table))
        return true;
    exchange_invalid(x, "role", "role is none that a user can have");
    return false;
}

/* --- answers ---------------------------------------------------------------------- */

static void write_time(struct sh_buffer *out, const char *name, struct sh_bytes time)
{
    json_member(out, name);
    if (time.len > 0)
        json_text(out, time);
    else
        sh_buffer_text(out, "null");
}

static void write_user(struct sh_buffer *out, const struct user *user)
{
    json_member_text(out, "id", user->id);
    json_member_text(out, "username", user->username);
    json_member_text(out, "role", user->role);
    json_member_text(out, "department", user->department);
    json_member_text(out, "campus", user->campus);
    json_member(out, "active");
    json_bool(out, user->active);
    json_member(out, "locked");
    json_bool(out, user->locked_s > 0);
    write_time(out, "created_at", user->created_at);
    write_time(out, "updated_at", user->updated_at);
    write_time(out, "last_login_at", user->last_login_at);
}

static void answer_user(struct exchange *x, int status, const struct user *user)
{
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    write_user(out, user);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, status);
}

/* --- a page, and one -------------------------------------------------------------- */

static void on_page(struct exchange *x, const struct sh_pg_reply *reply)
{
    const struct users_state *state = x->state;
    const PGresult *rows = reply->results[0];
    uint64_t total = sh_pg_u64(reply->results[1], 0, 0);
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"users\":[");
    for (int i = 0; i < PQntuples(rows); i++) {
        struct user user;
        user_read(rows, i, &user);
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        write_user(out, &user);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, total);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

void user_list(struct exchange *x, void *unused)
{
    struct users_state *state = account_begin(x, sizeof *state);
    struct sh_bytes prefix;
    char limit[16], offset[24];

    (void)unused;
    if (state == NULL)
        return;
    state->page = 1;
    state->per_page = 20;
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 100, &state->per_page) ||
        !exchange_query_text(x, "q", 256, &prefix))
        return;
    if (prefix.len > 0 && !username_fold(prefix, state->key)) {
        exchange_invalid(x, "q", "q is no beginning of a name");
        return;
    }
    (void)snprintf(limit, sizeof limit, "%u", state->per_page);
    (void)snprintf(offset, sizeof offset, "%llu",
                   (unsigned long long)(state->page - 1) * state->per_page);
    const struct sh_pg_param params[] = {{.value = sh_bytes_of(state->key)},
                                         {.value = sh_bytes_of(limit)},
                                         {.value = sh_bytes_of(offset)}};
    const struct sh_pg_step steps[] = {{&users_page, params, 3, false},
                                       {&users_count, params, 1, false}};
    account_sql_all(x, steps, SH_COUNT(steps), on_page);
}

/* The row that there must be. False: answered. */
static bool read_row(struct exchange *x, const PGresult *result, struct user *user)
{
    if (PQntuples(result) == 0) {
        exchange_fail_err(x, SH_NOTFOUND, "there is no such user");
        return false;
    }
    user_read(result, 0, user);
    return true;
}

static void on_user(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct user user;

    if (read_row(x, reply->results[0], &user))
        answer_user(x, 200, &user);
}

void user_get(struct exchange *x, void *unused)
{
    struct users_state *state = account_begin(x, sizeof *state);

    (void)unused;
    if (state == NULL || !read_id(x, state))
        return;
    const struct sh_bytes params[] = {sh_bytes_of(state->id)};
    account_sql(x, &users_by_id, params, 1, on_user);
}

/* --- making ----------------------------------------------------------------------- */

static void on_created(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct user user;

    if (read_row(x, reply->results[0], &user))
        answer_user(x, 201, &user);
}

/* An absent text is not NULL in the table. */
static struct sh_bytes or_empty(struct sh_bytes text)
{
    return text.data != NULL ? text : sh_bytes_of("");
}

static void insert(struct exchange *x)
{
    struct users_state *state = x->state;
    const struct user_body *body = &state->body;
    const struct sh_bytes params[] = {body->username,
                                      sh_bytes_of(state->key),
                                      sh_bytes_of(state->account.hash),
                                      body->role,
                                      or_empty(body->department),
                                      or_empty(body->campus),
                                      sh_bytes_of(body->active ? "true" : "false")};

    account_write(x, &users_insert, params, SH_COUNT(params), on_created);
}

void user_post(struct exchange *x, void *body)
{
    struct users_state *state = account_begin(x, sizeof *state);

    if (state == NULL)
        return;
    state->body = *(const struct user_body *)body;
    x->audit.target = state->body.username;
    if (!username_valid(state->body.username) ||
        !username_fold(state->body.username, state->key)) {
        exchange_invalid(x, "username",
                         "username must be letters, digits and . _ - @ + only");
        return;
    }
    if (role_good(x, state->body.role) &&
        account_password_good(x, "password", state->body.password, state->body.username))
        account_hash(x, state->body.password, insert);
}

/* --- changing --------------------------------------------------------------------- */

static void answer_changed(struct exchange *x, bool ended)
{
    const struct users_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    write_user(out, &state->user);
    json_member(out, "sessions_ended");
    json_bool(out, ended);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

static void on_changed(struct exchange *x, const struct sh_pg_reply *reply)
{
    const PGresult *row = reply->results[reply->count - 1];
    struct users_state *state = x->state;
    struct user user;

    if (!read_row(x, row, &user))
        return;
    if (sh_pg_u64(row, 0, USER_COLUMN_COUNT) == 0)
        answer_user(x, 200, &user);
    else if (user_copy(&user, &x->arena, &state->user) == SH_OK)
        account_end_sessions(x, state->user.id, user.epoch, answer_changed);
    else
        exchange_fail_err(x, SH_NOMEM, NULL);
}

static struct sh_bytes if_given(bool given, struct sh_bytes text)
{
    return given ? or_empty(text) : (struct sh_bytes){0};
}

static void update(struct exchange *x)
{
    struct users_state *state = x->state;
    const struct user_body *body = &state->body;
    const char *active = body->active ? "true" : "false";
    const struct sh_pg_param params[] = {
        {.value = sh_bytes_of(state->id)},
        {.value = if_given(body->has_password, sh_bytes_of(state->account.hash))},
        {.value = if_given(body->has_role, body->role)},
        {.value = if_given(body->has_department, body->department)},
        {.value = if_given(body->has_campus, body->campus)},
        {.value = if_given(body->has_active, sh_bytes_of(active))}};
    const struct sh_pg_step steps[] = {{&users_unlock, params, 1, false},
                                       {&users_update, params, SH_COUNT(params), false}};
    size_t first = body->has_locked ? 0 : 1;

    account_write_all(x, steps + first, SH_COUNT(steps) - first, on_changed);
}

void user_put(struct exchange *x, void *given)
{
    struct users_state *state = account_begin(x, sizeof *state);
    const struct user_body *body = given;

    if (state == NULL || !read_id(x, state))
        return;
    state->body = *body;
    if (body->has_locked && body->locked)
        exchange_invalid(x, "locked",
                         "locked can only be ended: to keep somebody out "
                         "set active to false");
    else if (body->has_role && !role_good(x, body->role))
        return;
    else if (!body->has_password)
        update(x);
    else if (account_password_good(x, "password", body->password, (struct sh_bytes){0}))
        account_hash(x, body->password, update);
}

/* --- removing --------------------------------------------------------------------- */

static void answer_deleted(struct exchange *x, bool ended)
{
    const struct users_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member_text(out, "id", sh_bytes_of(state->id));
    json_member(out, "deleted");
    json_bool(out, true);
    json_member(out, "sessions_ended");
    json_bool(out, ended);
    sh_buffer_text(out, "}");
    exchange_answer(x, 200);
}

static void on_deleted(struct exchange *x, const struct sh_pg_reply *reply)
{
    const struct users_state *state = x->state;

    if (PQntuples(reply->results[0]) == 0)
        exchange_fail_err(x, SH_NOTFOUND, "there is no such user");
    else
        account_end_sessions(x, sh_bytes_of(state->id),
                             sh_pg_u64(reply->results[0], 0, 0), answer_deleted);
}

void user_delete(struct exchange *x, void *unused)
{
    struct users_state *state = account_begin(x, sizeof *state);

    (void)unused;
    if (state == NULL || !read_id(x, state))
        return;
    const struct sh_bytes params[] = {sh_bytes_of(state->id)};
    account_write(x, &users_delete, params, 1, on_deleted);
}
