#include "services/gateway/auth/keyring.h"

#include <pthread.h>
#include <stdatomic.h>

#include "shared/mem.h"

struct keyring {
    const struct auth_config *config;
    pthread_mutex_t lock; /* of what follows */
    struct keyset *now;
    char *jwks; /* the text of the last set */
    size_t jwks_len;
    _Atomic uint64_t generation;
};

static void free_set(struct keyset *set)
{
    jwt_keys_free(&set->keys);
    sh_free(set);
}

static enum sh_err add_own(const struct auth_config *config, struct jwt_keys *keys)
{
    enum sh_err err = SH_OK;

    if (config->secret[0] != '\0')
        err = jwt_keys_add_secret(keys, sh_bytes_of(config->secret));
    if (err == SH_OK && config->pem[0] != '\0')
        err = jwt_keys_add_pem(keys, sh_bytes_of(config->pem), NULL);
    return err;
}

static enum sh_err add_fetched(struct sh_bytes jwks, struct jwt_keys *keys)
{
    size_t added = 0;
    enum sh_err err = SH_OK;

    if (jwks.len > 0)
        err = jwt_keys_add_set(keys, jwks, &added);
    return err == SH_OK && jwks.len > 0 && added == 0 ? SH_MALFORMED : err;
}

static enum sh_err make_set(const struct auth_config *config, struct sh_bytes jwks,
                            struct keyset **out)
{
    struct keyset *set = sh_alloc(sizeof *set);

    *out = NULL;
    if (set == NULL)
        return SH_NOMEM;
    set->references = 1;
    enum sh_err err = jwt_keys_create(&set->keys);
    if (err == SH_OK)
        err = add_own(config, set->keys);
    if (err == SH_OK)
        err = add_fetched(jwks, set->keys);
    if (err == SH_OK)
        *out = set;
    else
        free_set(set);
    return err;
}

enum sh_err keyring_create(const struct auth_config *config, struct keyring **out)
{
    struct keyring *self = sh_alloc(sizeof *self);

    *out = NULL;
    if (self == NULL)
        return SH_NOMEM;
    self->config = config;
    enum sh_err err = make_set(config, (struct sh_bytes){0}, &self->now);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    pthread_mutex_init(&self->lock, NULL);
    *out = self;
    return SH_OK;
}

void keyring_free(struct keyring **self)
{
    if (*self == NULL)
        return;
    free_set((*self)->now);
    sh_free((*self)->jwks);
    pthread_mutex_destroy(&(*self)->lock);
    sh_free(*self);
    *self = NULL;
}

struct keyset *keyring_take(struct keyring *self)
{
    pthread_mutex_lock(&self->lock);
    struct keyset *set = self->now;
    set->references++;
    pthread_mutex_unlock(&self->lock);
    return set;
}

void keyring_drop(struct keyring *self, struct keyset *set)
{
    pthread_mutex_lock(&self->lock);
    bool last = --set->references == 0;
    pthread_mutex_unlock(&self->lock);
    if (last)
        free_set(set);
}

uint64_t keyring_generation(const struct keyring *self)
{
    return atomic_load_explicit(&self->generation, memory_order_acquire);
}

/* Takes the set and the text. */
static void swap(struct keyring *self, struct keyset *set, char *jwks, size_t len)
{
    char *text = self->jwks;

    pthread_mutex_lock(&self->lock);
    struct keyset *old = self->now;
    set->generation = old->generation + 1;
    self->now = set;
    self->jwks = jwks;
    self->jwks_len = len;
    atomic_store_explicit(&self->generation, set->generation, memory_order_release);
    pthread_mutex_unlock(&self->lock);
    keyring_drop(self, old);
    sh_free(text);
}

/* One thread publishes: only it changes the text. */
enum sh_err keyring_publish(struct keyring *self, struct sh_bytes jwks)
{
    struct keyset *set;

    if (sh_bytes_equal(jwks, (struct sh_bytes){self->jwks, self->jwks_len}))
        return SH_OK;
    enum sh_err err = make_set(self->config, jwks, &set);
    if (err != SH_OK)
        return err;
    char *text = sh_strndup(jwks.len > 0 ? jwks.data : "", jwks.len);
    if (text == NULL) {
        free_set(set);
        return SH_NOMEM;
    }
    swap(self, set, text, jwks.len);
    return SH_OK;
}
