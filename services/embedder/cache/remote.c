#include "services/embedder/cache/remote.h"

#include <math.h>
#include <stdio.h>

#include "services/embedder/card.h"
#include "shared/mem.h"
#include "shared/metrics.h"

/* "cairn:embed:" fingerprint ":" key in hex */
enum { KEY_CHARS = 12 + CARD_HASH_CHARS + 1 + 2 * LRU_KEY_BYTES };

struct remote {
    struct sh_redis *redis;
    char ttl[16];
};

/* Under the name of the original. */
static struct sh_family operations = {
    .kind = SH_COUNTER,
    .name = "cache_operations_total",
    .help = "Values asked of Redis, and sent to it.",
    .labels = {"operation", "status"},
};

struct lookup {
    remote_done_fn *done;
    void *arg;
    size_t count;
    uint32_t dimension;
    struct remote_value *values;
    float *vectors;
};

enum sh_err remote_create(struct sh_redis *redis, unsigned ttl_s, struct remote **out)
{
    struct remote *self = sh_alloc(sizeof(*self));
    *out = self;
    if (!self)
        return SH_NOMEM;
    self->redis = redis;
    (void)snprintf(self->ttl, sizeof(self->ttl), "%u", ttl_s);
    return SH_OK;
}

void remote_free(struct remote **self)
{
    sh_free(*self);
    *self = NULL;
}

static void write_key(const char *fingerprint, const uint8_t *key, char *out)
{
    int len = snprintf(out, KEY_CHARS + 1, "cairn:embed:%.64s:", fingerprint);
    if (len > 0)
        card_hex(key, LRU_KEY_BYTES, out + len);
}

static void free_lookup(struct lookup *lookup)
{
    sh_free(lookup->values);
    sh_free(lookup->vectors);
    sh_free(lookup);
}

/* A value is the count of tokens (u32), then the vector; anything else, or one that is no
 * unit vector, is a miss. */
static bool read_value(const redisReply *reply, float *vector, uint32_t dimension,
                       uint32_t *tokens)
{
    size_t bytes = dimension * sizeof(float);
    if (reply->type != REDIS_REPLY_STRING || reply->len != sizeof(*tokens) + bytes)
        return false;
    memcpy(tokens, reply->str, sizeof(*tokens));
    memcpy(vector, reply->str + sizeof(*tokens), bytes);
    double squares = 0;
    for (uint32_t i = 0; i < dimension; i++)
        squares += (double)vector[i] * (double)vector[i];
    return fabs(squares - 1) < 1e-3; /* false for NaN */
}

static void on_reply(void *arg, enum sh_err err, const redisReply *reply)
{
    struct lookup *lookup = arg;
    bool usable = err == SH_OK && reply && reply->type == REDIS_REPLY_ARRAY &&
                  reply->elements == lookup->count;
    for (size_t i = 0; usable && i < lookup->count; i++) {
        float *vector = lookup->vectors + i * lookup->dimension;
        if (read_value(reply->element[i], vector, lookup->dimension,
                       &lookup->values[i].tokens))
            lookup->values[i].vector = vector;
    }
    for (size_t i = 0; i < lookup->count; i++)
        sh_count(&operations, "get",
                 err != SH_OK               ? "error"
                 : lookup->values[i].vector ? "hit"
                                            : "miss");
    lookup->done(lookup->arg, lookup->values, lookup->count);
    free_lookup(lookup);
}

static struct lookup *make_lookup(size_t count, uint32_t dimension)
{
    struct lookup *lookup = sh_alloc(sizeof(*lookup));
    if (!lookup)
        return NULL;
    lookup->count = count;
    lookup->dimension = dimension;
    lookup->values = sh_alloc_array(count, sizeof(*lookup->values));
    lookup->vectors = sh_alloc_array(count, dimension * sizeof(float));
    if (lookup->values && lookup->vectors)
        return lookup;
    free_lookup(lookup);
    return NULL;
}

static enum sh_err send_lookup(struct remote *self, const char *fingerprint,
                               const uint8_t *keys, struct lookup *lookup)
{
    size_t count = lookup->count;
    struct sh_bytes *words = sh_alloc_array(count + 1, sizeof(*words));
    char *names = sh_alloc_array(count, KEY_CHARS + 1);
    enum sh_err err = SH_NOMEM;
    if (words && names) {
        words[0] = sh_bytes_of("MGET");
        for (size_t i = 0; i < count; i++) {
            char *name = names + i * (KEY_CHARS + 1);
            write_key(fingerprint, keys + i * LRU_KEY_BYTES, name);
            words[i + 1] = (struct sh_bytes){name, KEY_CHARS};
        }
        err = sh_redis_command(self->redis, count + 1, words, on_reply, lookup);
    }
    sh_free(words);
    sh_free(names);
    return err;
}

enum sh_err remote_get(struct remote *self, const struct remote_question *question,
                       remote_done_fn *done, void *arg)
{
    if (!sh_redis_connected(self->redis))
        return SH_UNAVAILABLE;
    struct lookup *lookup = make_lookup(question->count, question->dimension);
    if (!lookup)
        return SH_NOMEM;
    lookup->done = done;
    lookup->arg = arg;
    enum sh_err err = send_lookup(self, question->fingerprint, question->keys, lookup);
    if (err != SH_OK)
        free_lookup(lookup);
    return err;
}

void remote_put(struct remote *self, const char *fingerprint,
                const uint8_t key[LRU_KEY_BYTES], const float *vector, uint32_t dimension,
                uint32_t tokens)
{
    if (!sh_redis_connected(self->redis))
        return;
    char name[KEY_CHARS + 1];
    size_t bytes = dimension * sizeof(float);
    uint8_t *value = sh_alloc(sizeof(tokens) + bytes);
    if (!value)
        return;
    write_key(fingerprint, key, name);
    memcpy(value, &tokens, sizeof(tokens));
    memcpy(value + sizeof(tokens), vector, bytes);
    const struct sh_bytes words[] = {
        sh_bytes_of("SET"), {name, KEY_CHARS},      {value, sizeof(tokens) + bytes},
        sh_bytes_of("EX"),  sh_bytes_of(self->ttl),
    };
    /* a value that is not stored is computed again */
    enum sh_err err = sh_redis_command(self->redis, SH_COUNT(words), words, NULL, NULL);
    sh_count(&operations, "set", err == SH_OK ? "sent" : "error");
    sh_free(value);
}
