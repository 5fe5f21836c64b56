#include "services/gateway/cache/remote.h"

#include <inttypes.h>
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>

#include "shared/mem.h"

#define EPOCH_NAME "cairn:search:epoch"
enum { NAME_MAX_LEN = 96, EPOCH_CHARS = 16 };
enum { SKEW_MS = 60000 }; /* between the clocks of two gateways */

struct remote_get {
    struct cache *cache;
    remote_done_fn *done; /* NULL: nobody waits any more */
    void *arg;
    struct kept_key key; /* its bytes stand behind */
    uint64_t epoch;
};

struct remote_clear {
    struct cache *cache;
    remote_cleared_fn *done;
    void *arg;
    uint64_t epoch;
};

static struct sh_bytes write_name(char out[NAME_MAX_LEN], uint64_t epoch,
                                  const struct kept_key *key)
{
    (void)snprintf(out, NAME_MAX_LEN,
                   "cairn:search:%016" PRIx64 ":%016" PRIx64 "%016" PRIx64, epoch,
                   key->hash[1], key->hash[0]);
    return sh_bytes_of(out);
}

/* --- answers ---------------------------------------------------------------------- */

/* Only what is this very answer, whole, and will go out of date as it should. */
static struct sh_bytes take_value(const struct remote_get *get, const redisReply *reply)
{
    const struct sh_bytes none = {0};
    struct sh_bytes bytes = {reply->str, reply->len};
    uint64_t now_ms = cache_now_ms();

    if (reply->type != REDIS_REPLY_STRING || !kept_check(bytes))
        return none;
    struct kept kept = kept_parts(bytes);
    if (!kept_key_equal(&get->key, kept.key) || kept.expires_ms <= now_ms ||
        kept.expires_ms > now_ms + (uint64_t)get->cache->ttl_s * 1000 + SKEW_MS)
        return none;
    return bytes;
}

static void on_got(void *arg, enum sh_err err, const redisReply *reply)
{
    struct remote_get *get = arg;
    struct sh_bytes bytes = {0};
    bool nothing = err == SH_OK && reply->type == REDIS_REPLY_NIL;

    if (err == SH_OK && !nothing)
        bytes = take_value(get, reply);
    if (err != SH_CANCELED)
        cache_count(CACHE_GET, nothing || bytes.len > 0);
    if (atomic_load(&get->cache->epoch) != get->epoch)
        bytes = (struct sh_bytes){0}; /* cleared meanwhile */
    if (get->done != NULL)
        get->done(get->arg, bytes);
    sh_free(get);
}

enum sh_err remote_get(struct cache *cache, struct sh_redis *redis,
                       const struct kept_key *key, remote_done_fn *done, void *arg,
                       struct remote_get **out)
{
    char name[NAME_MAX_LEN];
    uint64_t epoch = atomic_load(&cache->epoch);

    if (epoch == 0 || !sh_redis_connected(redis))
        return SH_UNAVAILABLE;
    struct remote_get *get = sh_alloc(sizeof *get + key->bytes.len);
    if (get == NULL)
        return SH_NOMEM;
    *get = (struct remote_get){cache, done, arg, *key, epoch};
    memcpy(get + 1, key->bytes.data, key->bytes.len);
    get->key.bytes.data = get + 1;
    const struct sh_bytes words[] = {sh_bytes_of("GET"), write_name(name, epoch, key)};
    enum sh_err err = sh_redis_command(redis, SH_COUNT(words), words, on_got, get);
    if (err != SH_OK)
        sh_free(get);
    else
        *out = get;
    return err;
}

void remote_forget(struct remote_get *get)
{
    get->done = NULL;
}

static void on_put(void *arg, enum sh_err err, const redisReply *reply)
{
    (void)arg;
    if (err != SH_CANCELED)
        cache_count(CACHE_SET, err == SH_OK && reply->type != REDIS_REPLY_ERROR);
}

void remote_put(const struct cache *cache, struct sh_redis *redis,
                const struct kept_key *key, struct sh_bytes bytes)
{
    char name[NAME_MAX_LEN], ttl[16];
    uint64_t epoch = atomic_load(&cache->epoch);

    if (epoch == 0 || !sh_redis_connected(redis))
        return;
    (void)snprintf(ttl, sizeof ttl, "%" PRIu32, cache->ttl_s);
    const struct sh_bytes words[] = {sh_bytes_of("SET"), write_name(name, epoch, key),
                                     bytes, sh_bytes_of("EX"), sh_bytes_of(ttl)};
    if (sh_redis_command(redis, SH_COUNT(words), words, on_put, NULL) != SH_OK)
        cache_count(CACHE_SET, false);
}

/* --- the epoch -------------------------------------------------------------------- */

/* Never one that was there before: what was kept under an epoch that is lost must not
 * come back to life. */
static uint64_t new_epoch(void)
{
    uint64_t epoch;

    randombytes_buf(&epoch, sizeof epoch);
    return epoch | 1;
}

static void learn(struct cache *cache, uint64_t epoch)
{
    uint64_t last = atomic_exchange(&cache->last, epoch);

    if (last != 0 && last != epoch)
        (void)cache_clear(cache);
    atomic_store(&cache->epoch, epoch);
}

/* 0: it is none. hiredis ends texts by NUL. */
static uint64_t read_epoch(const redisReply *reply)
{
    if (reply->type != REDIS_REPLY_STRING || reply->len != EPOCH_CHARS ||
        strspn(reply->str, "0123456789abcdef") != EPOCH_CHARS)
        return 0;
    return strtoull(reply->str, NULL, 16);
}

static void want(struct cache *cache, uint64_t epoch)
{
    atomic_store(&cache->wanted, epoch);
    remote_look(cache, cache->looker);
}

/* What Redis holds in the place of an epoch and is none is replaced. */
static void on_look(void *arg, enum sh_err err, const redisReply *reply)
{
    struct cache *cache = arg;

    if (err == SH_CANCELED || atomic_load(&cache->wanted) != 0 ||
        atomic_load(&cache->clears) != cache->looked_at)
        return; /* what it says may be from before a clearing */
    if (err != SH_OK || reply->type == REDIS_REPLY_ERROR)
        atomic_store(&cache->epoch, 0);
    else if (read_epoch(reply) != 0)
        learn(cache, read_epoch(reply));
    else
        want(cache, new_epoch());
}

static enum sh_err set_epoch(struct sh_redis *redis, uint64_t epoch,
                             sh_redis_done_fn *done, void *arg)
{
    char text[EPOCH_CHARS + 1];

    (void)snprintf(text, sizeof text, "%016" PRIx64, epoch);
    const struct sh_bytes words[] = {sh_bytes_of("SET"), sh_bytes_of(EPOCH_NAME),
                                     sh_bytes_of(text)};
    return sh_redis_command(redis, SH_COUNT(words), words, done, arg);
}

static bool is_ok(enum sh_err err, const redisReply *reply)
{
    return err == SH_OK && reply->type == REDIS_REPLY_STATUS;
}

static void on_wanted(void *arg, enum sh_err err, const redisReply *reply)
{
    struct cache *cache = arg;

    if (!is_ok(err, reply))
        return;
    atomic_store(&cache->wanted, 0);
    remote_look(cache, cache->looker); /* it may be that of who came later */
}

void remote_look(struct cache *cache, struct sh_redis *redis)
{
    const struct sh_bytes words[] = {sh_bytes_of("GET"), sh_bytes_of(EPOCH_NAME)};
    uint64_t wanted = atomic_load(&cache->wanted);
    enum sh_err err;

    cache->looker = redis;
    cache->looked_at = atomic_load(&cache->clears);
    if (!sh_redis_connected(redis))
        err = SH_UNAVAILABLE;
    else if (wanted != 0)
        err = set_epoch(redis, wanted, on_wanted, cache);
    else
        err = sh_redis_command(redis, SH_COUNT(words), words, on_look, cache);
    if (err != SH_OK)
        atomic_store(&cache->epoch, 0);
}

/* --- clearing it ------------------------------------------------------------------ */

static void on_cleared(void *arg, enum sh_err err, const redisReply *reply)
{
    struct remote_clear *clear = arg;
    bool good = is_ok(err, reply);
    uint64_t wanted = clear->epoch;

    if (good && atomic_compare_exchange_strong(&clear->cache->wanted, &wanted, 0)) {
        atomic_store(&clear->cache->last, clear->epoch);
        atomic_store(&clear->cache->epoch, clear->epoch);
    }
    if (clear->done != NULL)
        clear->done(clear->arg, good);
    sh_free(clear);
}

void remote_clear(struct cache *cache, struct sh_redis *redis, remote_cleared_fn *done,
                  void *arg, struct remote_clear **out)
{
    struct remote_clear *clear = sh_alloc(sizeof *clear);
    uint64_t epoch = new_epoch();

    *out = NULL;
    atomic_store(&cache->epoch, 0); /* Redis is out until it has the new one */
    atomic_store(&cache->wanted, epoch);
    if (clear != NULL) {
        *clear = (struct remote_clear){cache, done, arg, epoch};
        if (sh_redis_connected(redis) &&
            set_epoch(redis, epoch, on_cleared, clear) == SH_OK) {
            *out = clear;
            return;
        }
    }
    sh_free(clear);
    done(arg, false);
}

void remote_clear_forget(struct remote_clear *clear)
{
    if (clear != NULL)
        clear->done = NULL;
}
