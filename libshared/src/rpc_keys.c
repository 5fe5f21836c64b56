#include "libshared/src/rpc_keys.h"

#include <pthread.h>
#include <stdatomic.h>
#include <string.h>
#include <zmq.h>

#include "libshared/src/rpc_keys_internal.h"
#include "shared/mem.h"

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct rpc_keys *ring;
static atomic_uint generation;

/* --- reading ---------------------------------------------------------------------- */

static bool decode(const char *text, struct rpc_key *out)
{
    return strlen(text) == RPC_KEY_TEXT && zmq_z85_decode(out->bytes, text) != NULL;
}

static void read_own(struct rpc_keys *keys, const char *secret, struct sh_buffer *faults)
{
    char open[RPC_KEY_TEXT + 1];
    if (!decode(secret, &keys->secret) || zmq_curve_public(open, secret) != 0 ||
        !decode(open, &keys->open))
        sh_buffer_text(faults, "RPC_KEY: not a secret key (40 characters of Z85, as "
                               "cairn-keys writes it)\n");
}

/* A key that nobody knows would only show in others' logs. */
static void check_own(const struct rpc_keys *keys, const char *service,
                      struct sh_buffer *faults)
{
    for (size_t i = 0; i < keys->count; i++) {
        if (strcmp(keys->list[i].name, service) == 0 &&
            memcmp(&keys->list[i].key, &keys->open, sizeof(keys->open)) == 0)
            return;
    }
    sh_buffer_printf(faults,
                     "RPC_KEY: its public key is not in RPC_KEYS_DIR/%s.pub: it is "
                     "another service's, or was taken out\n",
                     service);
}

static size_t admit_name(struct rpc_keys *keys, const char *name, size_t len)
{
    size_t found = 0;
    for (size_t i = 0; i < keys->count; i++) {
        if (strlen(keys->list[i].name) == len &&
            memcmp(keys->list[i].name, name, len) == 0) {
            keys->list[i].caller = true;
            found++;
        }
    }
    return found;
}

static void read_callers(struct rpc_keys *keys, const char *list,
                         struct sh_buffer *faults)
{
    for (const char *at = list + strspn(list, ", "); *at; at += strspn(at, ", ")) {
        size_t len = strcspn(at, ", ");
        if (admit_name(keys, at, len) == 0)
            sh_buffer_printf(faults, "RPC_CALLERS: RPC_KEYS_DIR has no key in %.*s.pub\n",
                             (int)len, at);
        at += len;
    }
}

static void read_all(struct rpc_keys *keys, const struct rpc_keys_options *options,
                     struct sh_buffer *faults)
{
    size_t before = faults->len;
    keys->on = true;
    read_own(keys, options->secret, faults);
    rpc_keys_read_directory(keys, options->directory, faults);
    if (faults->len > before)
        return; /* what follows would only repeat it */
    check_own(keys, options->service, faults);
    read_callers(keys, options->callers, faults);
}

enum sh_err rpc_keys_read(const struct rpc_keys_options *options, struct rpc_keys **out,
                          struct sh_buffer *faults)
{
    size_t before = faults->len;
    struct rpc_keys *keys = sh_alloc(sizeof(*keys));
    if (!keys)
        return SH_NOMEM;
    keys->no_plain = !options->remote;
    if (*options->secret)
        read_all(keys, options, faults);
    else if (*options->directory)
        sh_buffer_text(faults, "RPC_KEYS_DIR: needs RPC_KEY (or RPC_KEY_FILE)\n");
    if (faults->err == SH_OK && faults->len == before) {
        *out = keys;
        return SH_OK;
    }
    rpc_keys_free(&keys);
    return faults->err == SH_OK ? SH_INVALID : faults->err;
}

void rpc_keys_free(struct rpc_keys **keys_p)
{
    struct rpc_keys *keys = *keys_p;
    if (!keys)
        return;
    *keys_p = NULL;
    explicit_bzero(&keys->secret, sizeof(keys->secret));
    sh_free(keys);
}

/* --- the ring in use -------------------------------------------------------------- */

void rpc_keys_install(struct rpc_keys *keys)
{
    pthread_mutex_lock(&lock);
    struct rpc_keys *old = ring;
    ring = keys;
    atomic_fetch_add(&generation, 1);
    pthread_mutex_unlock(&lock);
    rpc_keys_free(&old);
}

unsigned rpc_keys_generation(void)
{
    return atomic_load(&generation);
}

bool rpc_keys_on(void)
{
    pthread_mutex_lock(&lock);
    bool on = ring && ring->on;
    pthread_mutex_unlock(&lock);
    return on;
}

bool rpc_keys_no_plain(void)
{
    pthread_mutex_lock(&lock);
    bool refused = ring && ring->no_plain;
    pthread_mutex_unlock(&lock);
    return refused;
}

bool rpc_keys_own(struct rpc_key *secret, struct rpc_key *open)
{
    pthread_mutex_lock(&lock);
    bool on = ring && ring->on;
    if (on) {
        *secret = ring->secret;
        *open = ring->open;
    }
    pthread_mutex_unlock(&lock);
    return on;
}

size_t rpc_keys_of(const char *service, size_t index, struct rpc_key *out)
{
    const struct named_key *found[RPC_KEYS_MAX];
    size_t count = 0;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; ring && i < ring->count; i++) {
        if (strcmp(ring->list[i].name, service) == 0)
            found[count++] = &ring->list[i];
    }
    if (count > 0)
        *out = found[index % count]->key;
    pthread_mutex_unlock(&lock);
    return count;
}

bool rpc_keys_admit(const struct rpc_key *key, char name[static RPC_KEY_NAME + 1])
{
    bool admitted = false;
    pthread_mutex_lock(&lock);
    for (size_t i = 0; ring && i < ring->count && !admitted; i++) {
        const struct named_key *known = &ring->list[i];
        if (!known->caller || memcmp(&known->key, key, sizeof(*key)) != 0)
            continue;
        memcpy(name, known->name, sizeof(known->name));
        admitted = true;
    }
    pthread_mutex_unlock(&lock);
    return admitted;
}
