#include "services/gateway/auth/seen.h"

#include <sodium.h>
#include <xxhash.h>

#include "shared/mem.h"

/* XXH3 under a secret of the process. Whoever wants to be taken for somebody else must
 * meet the 128 bits of a credential that they do not know; a credential of their own that
 * is hashed alike gives them no more than that one does. So a hash that others cannot
 * foresee will do, at a quarter of the cost of SipHash. */
enum { WAYS = 8, SETS = SEEN_MAX / WAYS, SECRET = 192 };

struct slot {
    XXH128_hash_t hash;
    struct principal *principal; /* NULL: empty */
    uint64_t generation;
    uint64_t until_ms;
    uint64_t used;
};

struct seen {
    unsigned char secret[SECRET];
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
    randombytes_buf((*out)->secret, sizeof(*out)->secret);
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
    sodium_memzero((*self)->secret, sizeof(*self)->secret);
    sh_free(*self);
    *self = NULL;
}

static XXH128_hash_t hash_of(const struct seen *self, struct sh_bytes credential)
{
    return XXH3_128bits_withSecret(credential.data, credential.len, self->secret,
                                   sizeof self->secret);
}

/* The set where the credential belongs. */
static struct slot *set_of(struct seen *self, XXH128_hash_t hash)
{
    return self->slots[hash.low64 % SETS];
}

static struct slot *slot_of(struct slot *set, XXH128_hash_t hash)
{
    for (size_t i = 0; i < WAYS; i++)
        if (set[i].principal != NULL && XXH128_isEqual(set[i].hash, hash))
            return &set[i];
    return NULL;
}

struct principal *seen_find(struct seen *self, struct sh_bytes credential,
                            uint64_t generation, uint64_t now_ms)
{
    XXH128_hash_t hash = hash_of(self, credential);
    struct slot *set = set_of(self, hash);
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
    XXH128_hash_t hash = hash_of(self, credential);
    struct slot *set = set_of(self, hash);
    struct slot *slot = slot_of(set, hash);

    principal_hold(principal);
    if (slot == NULL)
        slot = oldest(set);
    empty(slot);
    slot->hash = hash;
    slot->principal = principal;
    slot->generation = generation;
    slot->until_ms = until_ms;
    slot->used = ++self->clock;
}

void seen_forget(struct seen *self, struct sh_bytes credential)
{
    XXH128_hash_t hash = hash_of(self, credential);
    struct slot *set = set_of(self, hash);
    struct slot *slot = slot_of(set, hash);

    if (slot != NULL)
        empty(slot);
}
