#include "services/gateway/limits/ledger_internal.h"

#include <uv.h>
#include <xxhash.h>

#include "shared/mem.h"

/* --- entries ---------------------------------------------------------------------- */

static uint64_t hash_of(const struct ledger *self, struct sh_bytes key)
{
    return XXH3_64bits_withSeed(key.data, key.len, self->seed);
}

static struct stripe *stripe_of(struct ledger *self, uint64_t hash)
{
    return &self->stripes[hash % LEDGER_STRIPES];
}

static struct entry **head_of(struct stripe *stripe, uint64_t hash)
{
    return &stripe->heads[hash / LEDGER_STRIPES % LEDGER_HEADS];
}

static struct entry *find(struct stripe *stripe, uint64_t hash, struct sh_bytes key)
{
    struct entry *entry = *head_of(stripe, hash);

    while (entry != NULL &&
           (entry->hash != hash ||
            !sh_bytes_equal((struct sh_bytes){entry->key, entry->key_len}, key)))
        entry = entry->next;
    if (entry != NULL) {
        TAILQ_REMOVE(&stripe->used, entry, used);
        TAILQ_INSERT_TAIL(&stripe->used, entry, used);
    }
    return entry;
}

void ledger_end_lease(struct stripe *stripe, struct entry *entry)
{
    if (entry->leasing)
        TAILQ_REMOVE(&stripe->leases, entry, lease);
    entry->leasing = false;
}

static void forget(struct stripe *stripe, struct entry *entry)
{
    struct entry **at = head_of(stripe, entry->hash);

    while (*at != entry)
        at = &(*at)->next;
    *at = entry->next;
    ledger_end_lease(stripe, entry);
    TAILQ_REMOVE(&stripe->used, entry, used);
    stripe->count--;
    sh_free(entry);
}

static struct entry *add(const struct ledger *self, struct stripe *stripe, uint64_t hash,
                         struct sh_bytes key)
{
    if (key.len > LEDGER_KEY)
        return NULL;
    if (stripe->count >= self->most)
        forget(stripe, TAILQ_FIRST(&stripe->used));
    struct entry *entry = sh_alloc(sizeof *entry + key.len);
    if (entry == NULL)
        return NULL;
    struct entry **head = head_of(stripe, hash);
    entry->hash = hash;
    entry->key_len = key.len;
    memcpy(entry->key, key.data, key.len);
    entry->next = *head;
    *head = entry;
    TAILQ_INSERT_TAIL(&stripe->used, entry, used);
    stripe->count++;
    return entry;
}

static struct entry *find_or_add(const struct ledger *self, struct stripe *stripe,
                                 uint64_t hash, struct sh_bytes key)
{
    struct entry *entry = find(stripe, hash, key);
    return entry != NULL ? entry : add(self, stripe, hash, key);
}

/* --- spending --------------------------------------------------------------------- */

static void describe(const struct entry *entry, const struct bucket_rule *rule,
                     uint64_t now_us, struct ledger_state *state)
{
    uint64_t remaining =
        (uint64_t)bucket_tokens(rule, entry->full_us, now_us) + entry->tokens;

    state->remaining = remaining < rule->capacity ? (uint32_t)remaining : rule->capacity;
    state->reset_us = bucket_less(entry->full_us, now_us);
    state->retry_us = bucket_later(bucket_wait_us(rule, entry->full_us, now_us),
                                   bucket_less(entry->blocked_us, now_us));
}

/* One token at first; twice as many when a lease did not last for its second, and as many
 * as were spent of it when it did. */
static uint32_t wanted(const struct entry *entry, uint64_t now_us)
{
    uint32_t want = 1;

    if (now_us < entry->lease_until_us)
        want = entry->want * 2;
    else if (now_us < entry->lease_until_us + LEDGER_LEASE_US)
        want = entry->spent + 1;
    return want < LEDGER_WANT_MOST ? want : LEDGER_WANT_MOST;
}

/* What is owed, and the tokens whose time is over, become part of the order. */
static void make_order(unsigned doubts, struct stripe *stripe, struct entry *entry,
                       uint64_t now_us, struct ledger_result *result)
{
    result->outcome = LEDGER_ASK;
    result->want = 1;
    result->owed_us = 0;
    result->least_us = 0;
    if (entry == NULL)
        return;
    if (entry->doubts != doubts)
        result->least_us = bucket_less(entry->said_us, now_us);
    result->want = wanted(entry, now_us);
    result->owed_us = (int64_t)bucket_less(entry->owed_until_us, now_us) -
                      (int64_t)(entry->tokens * entry->rule.interval_us);
    entry->owed_until_us = 0;
    entry->tokens = 0;
    ledger_end_lease(stripe, entry);
}

static void spend_share(struct entry *entry, const struct bucket_rule *rule,
                        uint32_t gateways, uint64_t now_us, struct ledger_result *result)
{
    struct bucket_rule share = bucket_share(rule, gateways);

    if (entry->tokens == 0) /* else it is that of the lease */
        entry->rule = *rule;
    result->outcome = LEDGER_EMPTY;
    if (bucket_take(&share, &entry->full_us, now_us)) {
        result->outcome = LEDGER_SPENT_SHARE;
        entry->owed_until_us =
            bucket_later(entry->owed_until_us, now_us) + rule->interval_us;
    }
    describe(entry, &share, now_us, &result->state);
}

/* False: nothing here decides. */
static bool spend_lease(struct entry *entry, const struct bucket_rule *rule,
                        uint64_t now_us, struct ledger_result *result)
{
    if (entry->tokens > 0 && now_us < entry->lease_until_us) {
        entry->tokens--;
        entry->spent++;
        result->outcome = LEDGER_SPENT_LEASE;
    } else if (now_us < entry->blocked_us) {
        result->outcome = LEDGER_EMPTY;
    } else {
        return false;
    }
    describe(entry, rule, now_us, &result->state);
    return true;
}

void ledger_spend(struct ledger *self, const struct ledger_bucket *bucket,
                  uint32_t gateways, uint64_t now_us, struct ledger_result *result)
{
    uint64_t hash = hash_of(self, bucket->key);
    struct stripe *stripe = stripe_of(self, hash);
    bool away = gateways > 0;

    /* what is true when there is no memory to count in */
    result->outcome = LEDGER_EMPTY;
    result->state = (struct ledger_state){.retry_us = bucket->rule.interval_us};
    pthread_mutex_lock(&stripe->lock);
    struct entry *entry = away ? find_or_add(self, stripe, hash, bucket->key)
                               : find(stripe, hash, bucket->key);
    if (entry == NULL || !spend_lease(entry, &bucket->rule, now_us, result)) {
        if (!away)
            make_order(atomic_load(&self->doubts), stripe, entry, now_us, result);
        else if (entry != NULL)
            spend_share(entry, &bucket->rule, gateways, now_us, result);
    }
    pthread_mutex_unlock(&stripe->lock);
}

void ledger_unspend(struct ledger *self, const struct ledger_bucket *bucket,
                    uint32_t gateways, const struct ledger_result *result)
{
    uint64_t hash = hash_of(self, bucket->key);
    struct stripe *stripe = stripe_of(self, hash);
    struct bucket_rule share = bucket_share(&bucket->rule, gateways);

    pthread_mutex_lock(&stripe->lock);
    struct entry *entry = find(stripe, hash, bucket->key);
    /* A token of a lease that was collected meanwhile is lost, not doubled. */
    if (entry != NULL && result->outcome == LEDGER_SPENT_LEASE && entry->leasing) {
        entry->tokens++;
        entry->spent -= entry->spent > 0;
    } else if (entry != NULL && result->outcome == LEDGER_SPENT_SHARE) {
        entry->full_us = bucket_less(entry->full_us, share.interval_us);
        entry->owed_until_us =
            bucket_less(entry->owed_until_us, bucket->rule.interval_us);
    }
    pthread_mutex_unlock(&stripe->lock);
}

/* --- what Redis says -------------------------------------------------------------- */

static void take_lease(struct stripe *stripe, struct entry *entry, uint32_t tokens,
                       uint64_t now_us)
{
    if (entry->tokens > 0 && now_us < entry->lease_until_us) {
        entry->tokens += tokens; /* two loops asked: all ends with the older lease */
        return;
    }
    ledger_end_lease(stripe, entry);
    entry->tokens = tokens;
    entry->spent = 0;
    entry->lease_until_us = now_us + LEDGER_LEASE_US;
    if (entry->tokens > 0)
        TAILQ_INSERT_TAIL(&stripe->leases, entry, lease);
    entry->leasing = entry->tokens > 0;
}

void ledger_learn(struct ledger *self, const struct ledger_bucket *bucket,
                  const struct ledger_result *asked, uint32_t granted,
                  const struct ledger_state *said, uint64_t now_us)
{
    uint64_t hash = hash_of(self, bucket->key);
    struct stripe *stripe = stripe_of(self, hash);
    uint64_t wait_us =
        said->retry_us < LEDGER_BLOCK_US ? said->retry_us : LEDGER_BLOCK_US;

    pthread_mutex_lock(&stripe->lock);
    struct entry *entry = find_or_add(self, stripe, hash, bucket->key);
    if (entry != NULL) {
        entry->rule = bucket->rule;
        entry->full_us = entry->said_us = now_us + said->reset_us;
        entry->doubts = atomic_load(&self->doubts);
        entry->want = asked->want;
        entry->blocked_us = granted > 0 ? 0 : now_us + wait_us;
        if (granted > 0)
            take_lease(stripe, entry, granted - 1, now_us);
    }
    pthread_mutex_unlock(&stripe->lock);
}

void ledger_unasked(struct ledger *self, const struct ledger_bucket *bucket,
                    const struct ledger_result *asked, uint64_t now_us)
{
    uint64_t hash = hash_of(self, bucket->key);
    struct stripe *stripe = stripe_of(self, hash);

    if (asked->owed_us <= 0)
        return; /* tokens that were to be handed back are lost */
    pthread_mutex_lock(&stripe->lock);
    struct entry *entry = find_or_add(self, stripe, hash, bucket->key);
    if (entry != NULL)
        entry->owed_until_us =
            bucket_later(entry->owed_until_us, now_us) + (uint64_t)asked->owed_us;
    pthread_mutex_unlock(&stripe->lock);
}

void ledger_doubt(struct ledger *self)
{
    atomic_fetch_add(&self->doubts, 1);
}

void ledger_remind(struct ledger *self, const struct ledger_bucket *bucket,
                   uint64_t now_us, struct ledger_result *asked)
{
    uint64_t hash = hash_of(self, bucket->key);
    struct stripe *stripe = stripe_of(self, hash);

    pthread_mutex_lock(&stripe->lock);
    const struct entry *entry = find(stripe, hash, bucket->key);
    if (entry != NULL)
        asked->least_us = bucket_less(entry->said_us, now_us);
    pthread_mutex_unlock(&stripe->lock);
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err ledger_create(size_t entries, struct ledger **out)
{
    struct ledger *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    if (uv_random(NULL, NULL, &self->seed, sizeof self->seed, 0, NULL) != 0) {
        sh_free(self);
        return SH_IO;
    }
    self->most = entries / LEDGER_STRIPES > 0 ? entries / LEDGER_STRIPES : 1;
    for (size_t i = 0; i < LEDGER_STRIPES; i++) {
        struct stripe *stripe = &self->stripes[i];
        pthread_mutex_init(&stripe->lock, NULL); /* cannot fail for a plain one */
        TAILQ_INIT(&stripe->used);
        TAILQ_INIT(&stripe->leases);
    }
    *out = self;
    return SH_OK;
}

void ledger_free(struct ledger **self_p)
{
    struct ledger *self = *self_p;

    if (self == NULL)
        return;
    *self_p = NULL;
    for (size_t i = 0; i < LEDGER_STRIPES; i++) {
        struct stripe *stripe = &self->stripes[i];
        while (!TAILQ_EMPTY(&stripe->used))
            forget(stripe, TAILQ_FIRST(&stripe->used));
        pthread_mutex_destroy(&stripe->lock);
    }
    sh_free(self);
}
