/* API keys: made, listed, revoked. A key is shown when it is made and never again; nobody
 * can make one that may or sees more than they do. */
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/auth/api_keys.h"
#include "services/gateway/auth/authorise.h"
#include "services/gateway/handlers/account.h"
#include "services/gateway/handlers/handlers.h"
#include "services/gateway/handlers/write_key.h"
#include "services/gateway/json_out.h"

enum { LIFETIME_MOST = 315360000 };

struct key_body {
    struct sh_bytes name, user_id, username, role, department, campus;
    struct schema_texts scopes;
    int64_t expires_in; /* 0: never */
};

struct keys_state {
    struct account account;
    struct api_key key;
    struct write_key once;
    uint32_t page, per_page;
};

/* clang-format off */
#define AT(member) offsetof(struct key_body, member)
static const struct schema_field key_fields[] = {
    {.name = "name", .type = SCHEMA_TEXT, .offset = AT(name), .required = true,
     .least = 1, .most = 128, .help = "what the key is for"},
    {.name = "role", .type = SCHEMA_TEXT, .offset = AT(role), .required = true,
     .least = 1, .most = 64, .bytes = 64, .help = "whose rights the key has at most"},
    {.name = "scopes", .type = SCHEMA_TEXTS, .offset = AT(scopes), .required = true,
     .least = 1, .most = PERMIT_COUNT,
     .help = "permissions of that role that the key is good for"},
    {.name = "user_id", .type = SCHEMA_TEXT, .offset = AT(user_id), .most = 64,
     .help = "in whose name; who makes the key when absent"},
    {.name = "username", .type = SCHEMA_TEXT, .offset = AT(username), .most = 64},
    {.name = "department", .type = SCHEMA_TEXT, .offset = AT(department), .most = 64},
    {.name = "campus", .type = SCHEMA_TEXT, .offset = AT(campus), .most = 64},
    {.name = "expires_in", .type = SCHEMA_INTEGER, .offset = AT(expires_in),
     .least = 0, .most = LIFETIME_MOST, .fallback = "0",
     .help = "seconds that the key is good for; 0: until it is revoked"},
};
#undef AT
/* clang-format on */

const struct schema key_schema = {"NewApiKey", "A key for a program.",
                                  sizeof(struct key_body), key_fields,
                                  SH_COUNT(key_fields)};

#define SHOWN                                                                            \
    "id, name, user_id, username, role, department, campus, "                            \
    "array_to_string(scopes, ','), created_by, extract(epoch FROM created_at), "         \
    "coalesce(extract(epoch FROM expires_at), 0), "                                      \
    "coalesce(extract(epoch FROM revoked_at), 0), "                                      \
    "coalesce(extract(epoch FROM last_used_at), 0)"
enum { COLUMN_TOTAL = 13 };

static const struct sh_pg_statement insert_key = {
    "api_key_insert",
    "INSERT INTO api_keys (id, secret_hash, name, user_id, username, role, department, "
    "campus, scopes, created_by, expires_at) VALUES ($1, decode($2, 'hex'), $3, $4, $5, "
    "$6, $7, $8, string_to_array($9, ','), $10, "
    "CASE WHEN $11::bigint > 0 THEN now() + $11::bigint * interval '1 second' END) "
    "RETURNING " SHOWN};

/* In the transaction that makes the key: a second one runs into it (0029). */
static const struct sh_pg_statement keep_write_key = {
    "api_key_once",
    "WITH old AS (DELETE FROM write_keys WHERE key IN (SELECT key FROM write_keys "
    "WHERE created_at < now() - interval '1 day' ORDER BY created_at LIMIT 20 "
    "FOR UPDATE SKIP LOCKED)) INSERT INTO write_keys (key, document_id, content_hash, "
    "chunks) VALUES ($1, $2, sha256(convert_to($3, 'UTF8')), 0)"};

static const struct sh_pg_statement list_keys = {
    "api_key_list", "SELECT " SHOWN ", count(*) OVER () FROM api_keys "
                    "ORDER BY created_at DESC, id LIMIT $1::int OFFSET $2::bigint"};

static const struct sh_pg_statement get_key = {
    "api_key_get", "SELECT " SHOWN " FROM api_keys WHERE id = $1"};

/* All gateways hear of it when it is committed. */
static const struct sh_pg_statement revoke_key = {
    "api_key_revoke",
    "WITH gone AS (UPDATE api_keys SET revoked_at = now() WHERE id = $1 "
    "AND revoked_at IS NULL RETURNING id) "
    "SELECT id, pg_notify('cairn_api_keys', id) FROM gone"};

/* --- writing ---------------------------------------------------------------------- */

static void write_scopes(struct sh_buffer *out, struct sh_bytes list)
{
    const char *at = list.data, *end = at + list.len;

    json_member(out, "scopes");
    sh_buffer_text(out, "[");
    for (const char *first = at; at < end;) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        if (at != first)
            sh_buffer_text(out, ",");
        json_text(out, (struct sh_bytes){at, (size_t)(stop - at)});
        at = stop + 1;
    }
    sh_buffer_text(out, "]");
}

static void write_time(struct sh_buffer *out, const char *name, const PGresult *rows,
                       int row, int column)
{
    json_member(out, name);
    json_time(out, strtod(PQgetvalue(rows, row, column), NULL));
}

/* The members of a key; no braces. */
static void write_key(struct sh_buffer *out, const PGresult *rows, int row)
{
    static const char *const texts[] = {"id",   "name",       "user_id", "username",
                                        "role", "department", "campus"};

    for (int i = 0; i < (int)SH_COUNT(texts); i++)
        json_member_text(out, texts[i], sh_pg_text(rows, row, i));
    write_scopes(out, sh_pg_text(rows, row, 7));
    json_member_text(out, "created_by", sh_pg_text(rows, row, 8));
    write_time(out, "created_at", rows, row, 9);
    write_time(out, "expires_at", rows, row, 10);
    write_time(out, "revoked_at", rows, row, 11);
    write_time(out, "last_used_at", rows, row, 12);
}

static void answer_nothing(struct exchange *x)
{
    exchange_fail(x, &(struct sh_problem){.status = 404,
                                          .code = "not_found",
                                          .error = "there is no such key"});
}

/* --- making one ------------------------------------------------------------------- */

static void on_made(struct exchange *x, const struct sh_pg_reply *reply)
{
    struct keys_state *state = x->state;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{");
    json_member_text(out, "key", (struct sh_bytes){state->key.text, KEY_TEXT});
    write_key(out, reply->results[0], 0);
    sh_buffer_text(out, "}");
    account_private(x);
    explicit_bzero(state->key.text, sizeof state->key.text);
    exchange_answer(x, 201);
}

/* The scopes as a list, each of them a permission that the role has and the caller may
 * give away. False: answered. */
static bool read_scopes(struct exchange *x, const struct key_body *body,
                        const struct role *role, struct sh_buffer *list)
{
    const struct schema_texts *scopes = &body->scopes;

    for (size_t i = 0; i < scopes->count; i++) {
        enum permission permission;
        if (!permission_parse(scopes->items[i], &permission) ||
            !role_may(role, permission)) {
            exchange_invalid(x, "scopes", "the role %.*s has no permission %.*s",
                             (int)body->role.len, (const char *)body->role.data,
                             (int)scopes->items[i].len,
                             (const char *)scopes->items[i].data);
            return false;
        }
        if (!authorised(x, permission)) {
            exchange_fail(x, &(struct sh_problem){
                                 .status = 403,
                                 .code = "forbidden",
                                 .field = "scopes",
                                 .error = "a key may not do more than who makes it"});
            return false;
        }
        if (i > 0)
            sh_buffer_text(list, ",");
        sh_buffer_text(list, permission_name(permission));
    }
    if (scopes->count > 0 && scopes->count <= PERMIT_COUNT)
        return true;
    exchange_invalid(x, "scopes", "scopes must name 1 to %d permissions", PERMIT_COUNT);
    return false;
}

/* NULL: answered. */
static const struct role *find_role(struct exchange *x, const struct key_body *body)
{
    const struct role *role =
        role_find(roles_now(x->edge->gateway->auth->roles), body->role);

    if (role == NULL) {
        exchange_invalid(x, "role", "role must be the name of a role");
        return NULL;
    }
    if (!identity_is_wider(body->department, role, &x->caller, x->role))
        return role;
    exchange_fail(x,
                  &(struct sh_problem){.status = 403,
                                       .code = "forbidden",
                                       .field = "role",
                                       .error = "a key may not see more than who makes "
                                                "it"});
    return NULL;
}

static void to_hex(const unsigned char *bytes, char out[2 * KEY_HASH])
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < KEY_HASH; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
}

/* Not SQL's NULL. */
static struct sh_bytes text_or_empty(struct sh_bytes text)
{
    return text.len > 0 ? text : (struct sh_bytes){"", 0};
}

static void store(struct exchange *x, const struct key_body *body, struct sh_bytes scopes)
{
    struct keys_state *state = x->state;
    char hash[2 * KEY_HASH], lifetime[24];
    bool own = body->user_id.len == 0;

    if (api_key_make(&state->key) != SH_OK) {
        exchange_fail_err(x, SH_INTERNAL, NULL);
        return;
    }
    to_hex(state->key.hash, hash);
    (void)snprintf(lifetime, sizeof lifetime, "%lld", (long long)body->expires_in);
    const struct sh_bytes params[] = {
        {state->key.id, KEY_ID},
        {hash, sizeof hash},
        body->name,
        own ? x->caller.user_id : body->user_id,
        text_or_empty(own && body->username.len == 0 ? x->caller.username
                                                     : body->username),
        body->role,
        text_or_empty(body->department),
        text_or_empty(body->campus),
        scopes,
        text_or_empty(x->caller.user_id),
        sh_bytes_of(lifetime),
    };
    struct sh_pg_param all[SH_COUNT(params)];
    for (size_t i = 0; i < SH_COUNT(params); i++)
        all[i] = (struct sh_pg_param){params[i], false};
    const struct sh_pg_param once[] = {
        {{(const char *)state->once.bytes, WRITE_KEY_BYTES}, true},
        all[0],
        {body->name, false}};
    const struct sh_pg_step steps[] = {{&insert_key, all, SH_COUNT(all), false},
                                       {&keep_write_key, once, SH_COUNT(once), false}};
    state->account.once = state->once.given;
    account_write_all(x, steps, state->once.given ? 2 : 1, on_made);
}

void key_post(struct exchange *x, void *arg)
{
    const struct key_body *body = arg;
    const struct role *role = find_role(x, body);
    struct sh_buffer scopes = {0};

    if (role != NULL && read_scopes(x, body, role, &scopes) &&
        account_begin(x, sizeof(struct keys_state)) != NULL) {
        struct keys_state *state = x->state;
        if (scopes.err != SH_OK)
            exchange_fail_err(x, scopes.err, NULL);
        else if (write_key_read(x, &state->once))
            store(x, body, sh_buffer_bytes(&scopes));
    }
    sh_buffer_free(&scopes);
}

/* --- listing ---------------------------------------------------------------------- */

static void on_list(struct exchange *x, const struct sh_pg_reply *reply)
{
    const struct keys_state *state = x->state;
    const PGresult *rows = reply->results[0];
    uint64_t total = PQntuples(rows) > 0 ? sh_pg_u64(rows, 0, COLUMN_TOTAL) : 0;
    struct sh_buffer *out = exchange_out(x);

    sh_buffer_text(out, "{\"keys\":[");
    for (int i = 0; i < PQntuples(rows); i++) {
        sh_buffer_text(out, i > 0 ? ",{" : "{");
        write_key(out, rows, i);
        sh_buffer_text(out, "}");
    }
    sh_buffer_text(out, "]");
    json_pagination(out, state->page, state->per_page, total);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

void key_list(struct exchange *x, void *unused)
{
    struct keys_state *state = account_begin(x, sizeof *state);
    char limit[16], offset[24];

    (void)unused;
    if (state == NULL)
        return;
    state->page = 1;
    state->per_page = 20;
    if (!exchange_query_u32(x, "page", 1, 1000000, &state->page) ||
        !exchange_query_u32(x, "per_page", 1, 100, &state->per_page))
        return;
    (void)snprintf(limit, sizeof limit, "%u", state->per_page);
    (void)snprintf(offset, sizeof offset, "%llu",
                   (unsigned long long)(state->page - 1) * state->per_page);
    const struct sh_bytes params[] = {sh_bytes_of(limit), sh_bytes_of(offset)};
    account_sql(x, &list_keys, params, SH_COUNT(params), on_list);
}

static void on_one(struct exchange *x, const struct sh_pg_reply *reply)
{
    if (PQntuples(reply->results[0]) == 0) {
        answer_nothing(x);
        return;
    }
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    write_key(out, reply->results[0], 0);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

/* Ask about the key in the path. */
static void ask(struct exchange *x, const struct sh_pg_statement *statement, bool writes,
                account_reply_fn *done)
{
    char *id = sh_arena_alloc(&x->arena, 64);

    if (id == NULL)
        exchange_fail_err(x, SH_NOMEM, NULL);
    else if (exchange_param(x, "id", id, 64) &&
             account_begin(x, sizeof(struct keys_state)) != NULL)
        (writes ? account_write
                : account_sql)(x, statement, &(struct sh_bytes){id, strlen(id)}, 1, done);
}

void key_get(struct exchange *x, void *unused)
{
    (void)unused;
    ask(x, &get_key, false, on_one);
}

/* --- revoking --------------------------------------------------------------------- */

static void on_revoked(struct exchange *x, const struct sh_pg_reply *reply)
{
    if (PQntuples(reply->results[0]) == 0) {
        answer_nothing(x);
        return;
    }
    /* for this gateway now; the others hear of it from PostgreSQL */
    atomic_fetch_add(&x->edge->gateway->auth->key_epoch, 1);
    struct sh_buffer *out = exchange_out(x);
    sh_buffer_text(out, "{");
    json_member_text(out, "id", sh_pg_text(reply->results[0], 0, 0));
    json_member(out, "revoked");
    json_bool(out, true);
    sh_buffer_text(out, "}");
    account_private(x);
    exchange_answer(x, 200);
}

void key_delete(struct exchange *x, void *unused)
{
    (void)unused;
    ask(x, &revoke_key, true, on_revoked);
}
