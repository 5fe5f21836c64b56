/* A session is a hash in Redis: `user`, `epoch` and `ends` for the scripts, `data` for
 * us. Each script is one atomic step for all gateways. */
#include "services/gateway/auth/sessions.h"

#include <jansson.h>
#include <sodium.h>
#include <stdio.h>

#include "shared/clock.h"
#include "shared/log.h"

#define KEY   "cairn:session:"
#define EPOCH "cairn:session-epoch:"

enum { KEY_MAX = 96, USER_MAX = 128, NUMBER = 24, WORDS_MAX = 16 };

struct script {
    const char *keys; /* how many of the words are keys */
    const char *text;
};

/* KEYS: the session. ARGV: now, lifetime, prefix of epochs. */
static const struct script find_script = {
    "1", "local s=redis.call('HMGET',KEYS[1],'user','epoch','ends','data') "
         "if not s[4] then return false end "
         "local least=redis.call('GET',ARGV[3]..s[1]) "
         "local left=tonumber(s[3])-tonumber(ARGV[1]) "
         "if left<=0 or (least and tonumber(s[2])<tonumber(least)) then "
         "redis.call('DEL',KEYS[1]) return false end "
         "redis.call('EXPIRE',KEYS[1],math.min(left,tonumber(ARGV[2]))) "
         "return s[4]"};

/* KEYS: the session, the user's epoch, the former session. ARGV: user, epoch, ends, data,
 * lifetime, longest lifetime. The epoch is written down here, too: it may have been
 * raised while Redis was away. */
static const struct script create_script = {
    "3", "redis.call('DEL',KEYS[3]) "
         "local least=redis.call('GET',KEYS[2]) "
         "if least and tonumber(ARGV[2])<tonumber(least) then return 0 end "
         "redis.call('SET',KEYS[2],ARGV[2],'EX',ARGV[6]) "
         "redis.call('HSET',KEYS[1],'user',ARGV[1],'epoch',ARGV[2],'ends',ARGV[3],"
         "'data',ARGV[4]) "
         "redis.call('EXPIRE',KEYS[1],ARGV[5]) return 1"};

/* KEYS: the user's epoch. ARGV: epoch, longest lifetime. */
static const struct script end_all_script = {
    "1", "local least=redis.call('GET',KEYS[1]) "
         "if not least or tonumber(least)<tonumber(ARGV[1]) then "
         "redis.call('SET',KEYS[1],ARGV[1],'EX',ARGV[2]) end return 1"};

struct session_call {
    session_found_fn *found;
    session_made_fn *made;
    session_ended_fn *ended;
    void *arg;
    char id[SESSION_ID + 1]; /* of the one that is being made */
};

void session_cancel(struct session_call **call)
{
    struct session_call *self = *call;

    if (self == NULL)
        return;
    self->found = NULL; /* it goes when Redis has answered */
    self->made = NULL;
    self->ended = NULL;
    *call = NULL;
}

static bool is_id(struct sh_bytes cookie)
{
    const char *at = cookie.data;

    if (cookie.len != SESSION_ID)
        return false;
    for (size_t i = 0; i < cookie.len; i++)
        if (strchr("-_", at[i]) == NULL && !(at[i] >= '0' && at[i] <= '9') &&
            !(at[i] >= 'a' && at[i] <= 'z') && !(at[i] >= 'A' && at[i] <= 'Z'))
            return false;
    return true;
}

static void write_key(struct sh_bytes id, char key[KEY_MAX])
{
    unsigned char hash[crypto_hash_sha256_BYTES];
    char hex[2 * sizeof hash + 1];

    (void)crypto_hash_sha256(hash, id.data, id.len); /* cannot fail */
    sodium_bin2hex(hex, sizeof hex, hash, sizeof hash);
    (void)snprintf(key, KEY_MAX, KEY "%s", hex);
}

static void make_id(char id[SESSION_ID + 1])
{
    unsigned char bytes[32];

    randombytes_buf(bytes, sizeof bytes);
    sodium_bin2base64(id, SESSION_ID + 1, bytes, sizeof bytes,
                      sodium_base64_VARIANT_URLSAFE_NO_PADDING);
    sodium_memzero(bytes, sizeof bytes);
}

static const struct account_config *config_of(const struct edge *edge)
{
    return &edge->gateway->account_config;
}

struct words {
    const struct sh_bytes *items;
    size_t count;
};
#define WORDS(array) ((struct words){array, SH_COUNT(array)})

/* EVAL of a script; `words` are its keys and arguments. Frees the call when it fails. */
static enum sh_err run(struct edge *edge, const struct script *script, struct words words,
                       sh_redis_done_fn *done, struct session_call *call,
                       struct session_call **out)
{
    struct sh_bytes all[WORDS_MAX] = {sh_bytes_of("EVAL"), sh_bytes_of(script->text),
                                      sh_bytes_of(script->keys)};

    for (size_t i = 0; i < words.count; i++)
        all[i + 3] = words.items[i];
    enum sh_err err = sh_redis_command(edge->redis, words.count + 3, all, done, call);
    if (err != SH_OK)
        sh_free(call);
    else
        *out = call;
    return err;
}

/* A reply that says that Redis could not do it. */
static enum sh_err check(enum sh_err err, const redisReply *reply)
{
    if (err != SH_OK)
        return err;
    if (reply->type != REDIS_REPLY_ERROR)
        return SH_OK;
    sh_warning(NULL, "Redis refused a command of a session: %.120s", reply->str);
    return SH_UNAVAILABLE;
}

/* --- finding ---------------------------------------------------------------------- */

static struct sh_bytes text_of(const json_t *json, const char *name)
{
    const json_t *text = json_object_get(json, name);
    return (struct sh_bytes){json_string_value(text), json_string_length(text)};
}

static void read_session(const json_t *json, struct session *session)
{
    *session = (struct session){
        .user_id = text_of(json, "user_id"),
        .username = text_of(json, "username"),
        .role = text_of(json, "role"),
        .department = text_of(json, "department"),
        .campus = text_of(json, "campus"),
        .epoch = (uint64_t)json_integer_value(json_object_get(json, "epoch")),
        .ends_s = (uint64_t)json_integer_value(json_object_get(json, "ends")),
        .local = json_is_true(json_object_get(json, "local")),
        .lasting = json_is_true(json_object_get(json, "lasting")),
    };
}

static void tell_found(struct session_call *call, const redisReply *reply)
{
    struct session session;
    json_t *json = json_loadb(reply->str, reply->len, JSON_REJECT_DUPLICATES, NULL);

    read_session(json, &session);
    if (session.user_id.len > 0 && session.role.len > 0)
        call->found(call->arg, SH_OK, &session);
    else
        call->found(call->arg, SH_NOTFOUND, NULL); /* not written by us */
    json_decref(json);
}

static void on_found(void *arg, enum sh_err err, const redisReply *reply)
{
    struct session_call *call = arg;

    err = check(err, reply);
    if (call->found != NULL && err == SH_OK && reply->type == REDIS_REPLY_STRING)
        tell_found(call, reply);
    else if (call->found != NULL)
        call->found(call->arg, err == SH_OK ? SH_NOTFOUND : err, NULL);
    sh_free(call);
}

enum sh_err session_find(struct edge *edge, struct sh_bytes cookie,
                         session_found_fn *done, void *arg, struct session_call **out)
{
    char key[KEY_MAX], now[NUMBER], lifetime[NUMBER];

    *out = NULL;
    if (!is_id(cookie))
        return SH_NOTFOUND;
    struct session_call *call = sh_alloc(sizeof *call);
    if (call == NULL)
        return SH_NOMEM;
    call->found = done;
    call->arg = arg;
    write_key(cookie, key);
    (void)snprintf(now, sizeof now, "%llu", (unsigned long long)sh_wall_time());
    (void)snprintf(lifetime, sizeof lifetime, "%u", config_of(edge)->session_lifetime_s);
    const struct sh_bytes words[] = {sh_bytes_of(key), sh_bytes_of(now),
                                     sh_bytes_of(lifetime), sh_bytes_of(EPOCH)};
    return run(edge, &find_script, WORDS(words), on_found, call, out);
}

/* --- making ----------------------------------------------------------------------- */

static void on_made(void *arg, enum sh_err err, const redisReply *reply)
{
    struct session_call *call = arg;

    err = check(err, reply);
    if (err == SH_OK && (reply->type != REDIS_REPLY_INTEGER || reply->integer != 1))
        err = SH_CONFLICT;
    if (call->made != NULL)
        call->made(call->arg, err, err == SH_OK ? call->id : NULL);
    sodium_memzero(call->id, sizeof call->id);
    sh_free(call);
}

static json_t *text_json(struct sh_bytes text)
{
    return json_stringn(text.len > 0 ? text.data : "", text.len);
}

/* The caller frees it with free(). NULL when out of memory. */
static char *session_data(const struct session *session, uint64_t ends_s)
{
    json_t *json =
        json_pack("{s:o, s:o, s:o, s:o, s:o, s:I, s:I, s:b, s:b}", "user_id",
                  text_json(session->user_id), "username", text_json(session->username),
                  "role", text_json(session->role), "department",
                  text_json(session->department), "campus", text_json(session->campus),
                  "epoch", (json_int_t)session->epoch, "ends", (json_int_t)ends_s,
                  "local", (int)session->local, "lasting", (int)session->lasting);
    char *text = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

struct making {
    const struct session *session;
    const char *data;
    uint64_t ends_s;
    const char *former; /* key */
};

static enum sh_err send_new(struct edge *edge, const struct making *making,
                            session_made_fn *done, void *arg, struct session_call **out)
{
    const struct session *session = making->session;
    const struct account_config *config = config_of(edge);
    char key[KEY_MAX], epoch_key[KEY_MAX + USER_MAX];
    char epoch[NUMBER], ends[NUMBER], lifetime[NUMBER], most[NUMBER];
    struct session_call *call = sh_alloc(sizeof *call);

    if (call == NULL)
        return SH_NOMEM;
    call->made = done;
    call->arg = arg;
    make_id(call->id);
    write_key(sh_bytes_of(call->id), key);
    (void)snprintf(epoch_key, sizeof epoch_key, EPOCH "%.*s", (int)session->user_id.len,
                   (const char *)session->user_id.data);
    (void)snprintf(epoch, sizeof epoch, "%llu", (unsigned long long)session->epoch);
    (void)snprintf(ends, sizeof ends, "%llu", (unsigned long long)making->ends_s);
    (void)snprintf(lifetime, sizeof lifetime, "%u", config->session_lifetime_s);
    (void)snprintf(most, sizeof most, "%u", config->session_most_s);
    const struct sh_bytes words[] = {
        sh_bytes_of(key),          sh_bytes_of(epoch_key), sh_bytes_of(making->former),
        session->user_id,          sh_bytes_of(epoch),     sh_bytes_of(ends),
        sh_bytes_of(making->data), sh_bytes_of(lifetime),  sh_bytes_of(most)};
    return run(edge, &create_script, WORDS(words), on_made, call, out);
}

enum sh_err session_create(struct edge *edge, const struct session *session,
                           struct sh_bytes former, session_made_fn *done, void *arg,
                           struct session_call **out)
{
    char former_key[KEY_MAX] = KEY "none";
    uint64_t ends_s = session->ends_s;

    *out = NULL;
    if (ends_s == 0)
        ends_s = (uint64_t)sh_wall_time() + config_of(edge)->session_most_s;
    if (session->user_id.len == 0 || session->user_id.len > USER_MAX)
        return SH_INVALID;
    char *data = session_data(session, ends_s);
    if (data == NULL)
        return SH_NOMEM;
    if (is_id(former))
        write_key(former, former_key);
    const struct making making = {session, data, ends_s, former_key};
    enum sh_err err = send_new(edge, &making, done, arg, out);
    free(data); /* jansson's */
    return err;
}

/* --- ending ----------------------------------------------------------------------- */

static void on_ended(void *arg, enum sh_err err, const redisReply *reply)
{
    struct session_call *call = arg;

    err = check(err, reply);
    if (call->ended != NULL)
        call->ended(call->arg, err);
    sh_free(call);
}

static struct session_call *ending(session_ended_fn *done, void *arg)
{
    struct session_call *call = sh_alloc(sizeof *call);

    if (call != NULL) {
        call->ended = done;
        call->arg = arg;
    }
    return call;
}

enum sh_err session_end(struct edge *edge, struct sh_bytes cookie, session_ended_fn *done,
                        void *arg, struct session_call **out)
{
    char key[KEY_MAX];

    *out = NULL;
    if (!is_id(cookie))
        return SH_NOTFOUND;
    struct session_call *call = ending(done, arg);
    if (call == NULL)
        return SH_NOMEM;
    write_key(cookie, key);
    const struct sh_bytes words[] = {sh_bytes_of("DEL"), sh_bytes_of(key)};
    enum sh_err err = sh_redis_command(edge->redis, 2, words, on_ended, call);
    if (err != SH_OK)
        sh_free(call);
    else
        *out = call;
    return err;
}

enum sh_err session_end_all(struct edge *edge, struct sh_bytes user_id, uint64_t epoch,
                            session_ended_fn *done, void *arg, struct session_call **out)
{
    char key[KEY_MAX + USER_MAX], number[NUMBER], most[NUMBER];

    *out = NULL;
    if (user_id.len == 0 || user_id.len > USER_MAX)
        return SH_INVALID;
    struct session_call *call = ending(done, arg);
    if (call == NULL)
        return SH_NOMEM;
    (void)snprintf(key, sizeof key, EPOCH "%.*s", (int)user_id.len,
                   (const char *)user_id.data);
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)epoch);
    (void)snprintf(most, sizeof most, "%u", config_of(edge)->session_most_s);
    const struct sh_bytes words[] = {sh_bytes_of(key), sh_bytes_of(number),
                                     sh_bytes_of(most)};
    return run(edge, &end_all_script, WORDS(words), on_ended, call, out);
}
