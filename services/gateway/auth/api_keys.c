#include "services/gateway/auth/api_keys.h"

#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <sodium.h>
#include <stdio.h>

#include "services/gateway/edge.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { SECRET_BYTES = 32, SECRET_TEXT = 43, START = 6 };

static const char start[] = "cairn_";

/* --- the text of a key ------------------------------------------------------------ */

enum sh_err api_key_make(struct api_key *out)
{
    unsigned char id[KEY_ID / 2];
    unsigned char secret[SECRET_BYTES];
    char secret_text[SECRET_TEXT + 1];

    if (sodium_init() < 0)
        return SH_INTERNAL;
    randombytes_buf(id, sizeof id);
    randombytes_buf(secret, sizeof secret);
    sodium_bin2hex(out->id, sizeof out->id, id, sizeof id);
    sodium_bin2base64(secret_text, sizeof secret_text, secret, sizeof secret,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    (void)snprintf(out->text, sizeof out->text, "%s%s_%s", start, out->id, secret_text);
    SHA256((const unsigned char *)out->text, KEY_TEXT, out->hash);
    sodium_memzero(secret, sizeof secret);
    sodium_memzero(secret_text, sizeof secret_text);
    return SH_OK;
}

bool api_key_looks_like_one(struct sh_bytes text)
{
    return text.len >= START && memcmp(text.data, start, START) == 0;
}

static bool has_only(const char *text, size_t len, const char *accepted)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] == '\0' || strchr(accepted, text[i]) == NULL)
            return false;
    return true;
}

bool api_key_parse(struct sh_bytes text, struct api_key *out)
{
    const char *data = text.data;

    *out = (struct api_key){0};
    if (text.len != KEY_TEXT || !api_key_looks_like_one(text) ||
        data[START + KEY_ID] != '_' ||
        !has_only(data + START, KEY_ID, "0123456789abcdef") ||
        !has_only(data + START + KEY_ID + 1, SECRET_TEXT,
                  "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"))
        return false;
    memcpy(out->id, data + START, KEY_ID);
    SHA256(text.data, text.len, out->hash);
    return true;
}

/* --- finding it ------------------------------------------------------------------- */

struct api_key_call {
    struct edge *edge;
    api_key_found_fn *done; /* NULL: cancelled */
    void *arg;
    struct api_key_call **slot; /* where the caller keeps it */
    uint64_t epoch;             /* when it was asked for */
    unsigned char hash[KEY_HASH];
    char id[KEY_ID];
    char text[KEY_TEXT];
};

/* The hash is compared here: SQL would compare it byte by byte. */
static const struct sh_pg_statement find_key = {
    "api_key_find",
    "SELECT encode(secret_hash, 'hex'), user_id, username, role, department, campus, "
    "array_to_string(scopes, ','), "
    "coalesce(floor(extract(epoch FROM expires_at)), 0)::bigint "
    "FROM api_keys WHERE id = $1 AND revoked_at IS NULL "
    "AND (expires_at IS NULL OR expires_at > now())"};

static uint64_t epoch_of(const struct edge *edge)
{
    return atomic_load_explicit(&edge->gateway->auth->key_epoch, memory_order_acquire);
}

/* Scopes that no longer mean anything give nothing. */
static uint64_t read_scopes(struct sh_bytes list)
{
    uint64_t scopes = 0;
    const char *at = list.data, *end = at + list.len;

    while (at < end) {
        const char *comma = memchr(at, ',', (size_t)(end - at));
        const char *stop = comma != NULL ? comma : end;
        enum permission permission;
        if (permission_parse((struct sh_bytes){at, (size_t)(stop - at)}, &permission))
            scopes |= permission_bit(permission);
        at = stop + 1;
    }
    return scopes;
}

static bool is_its_hash(const struct api_key_call *call, const PGresult *result)
{
    char hex[2 * KEY_HASH + 1];
    struct sh_bytes stored = sh_pg_text(result, 0, 0);

    sodium_bin2hex(hex, sizeof hex, call->hash, KEY_HASH);
    return stored.len == sizeof hex - 1 &&
           CRYPTO_memcmp(stored.data, hex, sizeof hex - 1) == 0;
}

static struct principal *read_row(const struct api_key_call *call, const PGresult *result)
{
    uint64_t expires_s = sh_pg_u64(result, 0, 7);
    const struct principal found = {
        .credential = CREDENTIAL_KEY,
        .user_id = sh_pg_text(result, 0, 1),
        .username = sh_pg_text(result, 0, 2),
        .role = sh_pg_text(result, 0, 3),
        .department = sh_pg_text(result, 0, 4),
        .campus = sh_pg_text(result, 0, 5),
        .id = {call->id, KEY_ID},
        .scopes = read_scopes(sh_pg_text(result, 0, 6)),
        .expires_s = expires_s > 0 ? expires_s : UINT64_MAX,
    };
    return principal_create(&found);
}

static void remember(const struct api_key_call *call, struct principal *principal)
{
    uint64_t now_ms = (uint64_t)(sh_wall_time() * 1000);
    uint64_t until_ms =
        now_ms + (uint64_t)call->edge->gateway->auth_config.key_cache_s * 1000;

    if (principal->expires_s < until_ms / 1000)
        until_ms = principal->expires_s * 1000;
    seen_put(call->edge->auth->keys, (struct sh_bytes){call->text, KEY_TEXT}, call->epoch,
             until_ms, principal);
}

static void finish(struct api_key_call *call, enum sh_err err,
                   struct principal *principal)
{
    if (call->done != NULL) {
        *call->slot = NULL;
        call->done(call->arg, err, principal);
    }
    OPENSSL_cleanse(call->text, sizeof call->text);
    sh_free(call);
}

static void on_row(void *arg, const struct sh_pg_reply *reply)
{
    struct api_key_call *call = arg;
    struct principal *principal = NULL;
    enum sh_err err = reply->err;

    if (err != SH_OK && err != SH_CANCELED)
        sh_warning(NULL, "an API key could not be looked up: %s", reply->message);
    if (err == SH_OK &&
        (PQntuples(reply->results[0]) != 1 || !is_its_hash(call, reply->results[0])))
        err = SH_NOTFOUND;
    if (err == SH_OK && call->done != NULL) {
        principal = read_row(call, reply->results[0]);
        err = principal != NULL ? SH_OK : SH_NOMEM;
    }
    if (principal != NULL) {
        remember(call, principal);
        key_use_note(call->edge->auth->use, call->id);
    }
    finish(call, err, principal);
    principal_drop(principal);
}

static enum sh_err look_up(struct edge *edge, struct api_key_call *call)
{
    const struct sh_pg_param param = {.value = {call->id, KEY_ID}};
    const struct sh_pg_step step = {&find_key, &param, 1, false};
    const struct sh_pg_call query = {
        .steps = &step,
        .count = 1,
        .deadline_ms = sh_now_ms() + edge->gateway->config.read_timeout_ms};

    return sh_pg_run(edge->pg, &query, on_row, call);
}

void api_key_find(struct edge *edge, struct sh_bytes text, api_key_found_fn *done,
                  void *arg, struct api_key_call **out)
{
    struct api_key key;
    uint64_t epoch = epoch_of(edge);

    *out = NULL;
    if (!api_key_parse(text, &key)) {
        done(arg, SH_NOTFOUND, NULL);
        return;
    }
    struct principal *known =
        seen_find(edge->auth->keys, text, epoch, (uint64_t)(sh_wall_time() * 1000));
    if (known != NULL) {
        key_use_note(edge->auth->use, key.id);
        done(arg, SH_OK, known);
        return;
    }
    struct api_key_call *call = sh_alloc(sizeof *call);
    enum sh_err err = SH_NOMEM;
    if (call != NULL) {
        *call = (struct api_key_call){
            .edge = edge, .done = done, .arg = arg, .slot = out, .epoch = epoch};
        memcpy(call->hash, key.hash, KEY_HASH);
        memcpy(call->id, key.id, KEY_ID);
        memcpy(call->text, text.data, KEY_TEXT);
        err = look_up(edge, call);
    }
    if (err == SH_OK) {
        *out = call;
        return;
    }
    sh_free(call);
    done(arg, err, NULL);
}

void api_key_cancel(struct api_key_call **call)
{
    if (*call != NULL)
        (*call)->done = NULL;
    *call = NULL;
}
