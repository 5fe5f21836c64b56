#include "services/gateway/auth/seen.h"

#include <sodium.h>

#include "shared/mem.h"

/* SipHash-2-4 under a key of the process: as hard to meet as a MAC of 128 bits, and
 * several times as quick as a hash without key would have to be. */
enum { WAYS = 8, SETS = SEEN_MAX / WAYS, HASH_BYTES = crypto_shorthash_siphashx24_BYTES };

struct slot {
    unsigned char hash[HASH_BYTES];
    struct principal *principal; /* NULL: empty */
    uint64_t generation;
    uint64_t until_ms;
    uint64_t used;
};

struct seen {
    unsigned char key[crypto_shorthash_siphashx24_KEYBYTES];
    uint64_t clock; /* counts uses */
    struct slot slots[SETS][WAYS];
};

enum sh_err seen_create(struct seen **out)
{
    *out = NULL;
    if (sodium_init() < 0)
        return SH_INTERNAL;
    *out = sh_alloc(sizeof **out);
    if (*out == NULL)
        return SH_NOMEM;
    randombytes_buf((*out)->key, sizeof(*out)->key);
    return SH_OK;
}

static void empty(struct slot *slot)
{
    struct principal *principal = slot->principal;
    *slot = (struct slot){0};
    principal_drop(principal);
}

void seen_free(struct seen **self)
{
    if (*self == NULL)
        return;
    for (size_t i = 0; i < SETS; i++)
        for (size_t k = 0; k < WAYS; k++)
            empty(&(*self)->slots[i][k]);
    sodium_memzero((*self)->key, sizeof(*self)->key);
    sh_free(*self);
    *self = NULL;
}

/* The set where the credential belongs. */
static struct slot *set_of(struct seen *self, struct sh_bytes credential,
                           unsigned char hash[HASH_BYTES])
{
    uint32_t index;

    /* never fails */
    (void)crypto_shorthash_siphashx24(hash, credential.data, credential.len, self->key);
    memcpy(&index, hash, sizeof index);
    return self->slots[index % SETS];
}

static struct slot *slot_of(struct slot *set, const unsigned char hash[HASH_BYTES])
{
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].principal != NULL && memcmp(set[i].hash, hash, HASH_BYTES) == 0)
            return &set[i];
    return NULL;
}

struct principal *seen_find(struct seen *self, struct sh_bytes credential,
                            uint64_t generation, uint64_t now_ms)
{
    unsigned char hash[HASH_BYTES];
    struct slot *set = set_of(self, credential, hash);
    struct slot *slot = slot_of(set, hash);

    if (slot == NULL)
        return NULL;
    if (slot->generation != generation || slot->until_ms <= now_ms) {
        empty(slot);
        return NULL;
    }
    slot->used = ++self->clock;
    return slot->principal;
}

static struct slot *oldest(struct slot *set)
{
    struct slot *best = &set[0];

    for (size_t i = 1; i < WAYS; i++)
        if (set[i].used < best->used)
            best = &set[i];
    return best;
}

void seen_put(struct seen *self, struct sh_bytes credential, uint64_t generation,
              uint64_t until_ms, struct principal *principal)
{
    unsigned char hash[HASH_BYTES];
    struct slot *set = set_of(self, credential, hash);
    struct slot *slot = slot_of(set, hash);

    principal_hold(principal);
    if (slot == NULL)
        slot = oldest(set);
    empty(slot);
    memcpy(slot->hash, hash, HASH_BYTES);
    slot->principal = principal;
    slot->generation = generation;
    slot->until_ms = until_ms;
    slot->used = ++self->clock;
}

void seen_forget(struct seen *self, struct sh_bytes credential)
{
    unsigned char hash[HASH_BYTES];
    struct slot *set = set_of(self, credential, hash);
    struct slot *slot = slot_of(set, hash);

    if (slot != NULL)
        empty(slot);
}
