#include "services/gateway/limits/ledger_internal.h"

/* --- leases that end -------------------------------------------------------------- */

static struct ledger_return describe(const struct entry *entry, uint64_t owed_us,
                                     uint64_t now_us)
{
    struct ledger_return out = {.key_len = entry->key_len,
                                .rule = entry->rule,
                                .owed_us = (int64_t)owed_us,
                                .least_us = bucket_less(entry->said_us, now_us)};

    memcpy(out.key, entry->key, entry->key_len);
    return out;
}

static bool collect_one(struct stripe *stripe, uint64_t now_us, struct ledger_return *out)
{
    struct entry *entry = TAILQ_FIRST(&stripe->leases);

    while (entry != NULL && entry->lease_until_us <= now_us) {
        uint32_t tokens = entry->tokens;
        ledger_end_lease(stripe, entry);
        entry->tokens = 0;
        if (tokens > 0) {
            *out = describe(entry, 0, now_us);
            out->owed_us = -(int64_t)(tokens * entry->rule.interval_us);
            out->least_us = 0;
            return true;
        }
        entry = TAILQ_FIRST(&stripe->leases);
    }
    return false;
}

size_t ledger_collect(struct ledger *self, uint64_t now_us, struct ledger_return *out,
                      size_t max)
{
    size_t count = 0;

    for (size_t i = 0; i < LEDGER_STRIPES && count < max; i++) {
        struct stripe *stripe = &self->stripes[self->collected++ % LEDGER_STRIPES];
        pthread_mutex_lock(&stripe->lock);
        while (count < max && collect_one(stripe, now_us, &out[count]))
            count++;
        pthread_mutex_unlock(&stripe->lock);
    }
    return count;
}

/* --- what is owed ----------------------------------------------------------------- */

static bool is_owed(const struct ledger *self, struct entry *entry, uint64_t now_us,
                    struct ledger_return *out)
{
    (void)self;
    if (entry->owed_until_us <= now_us)
        return false;
    *out = describe(entry, entry->owed_until_us - now_us, now_us);
    entry->owed_until_us = 0;
    return true;
}

static bool is_known(const struct ledger *self, struct entry *entry, uint64_t now_us,
                     struct ledger_return *out)
{
    unsigned doubts = atomic_load(&self->doubts);

    if (entry->said_us <= now_us || entry->told == doubts)
        return false;
    entry->told = doubts;
    *out = describe(entry, 0, now_us);
    return true;
}

static size_t collect_all(struct ledger *self, uint64_t now_us, struct ledger_return *out,
                          size_t max,
                          bool (*matches)(const struct ledger *, struct entry *, uint64_t,
                                          struct ledger_return *))
{
    size_t count = 0;

    for (size_t i = 0; i < LEDGER_STRIPES && count < max; i++) {
        struct stripe *stripe = &self->stripes[i];
        struct entry *entry;
        pthread_mutex_lock(&stripe->lock);
        TAILQ_FOREACH(entry, &stripe->used, used)
        {
            if (count == max)
                break;
            count += matches(self, entry, now_us, &out[count]);
        }
        pthread_mutex_unlock(&stripe->lock);
    }
    return count;
}

size_t ledger_collect_owed(struct ledger *self, uint64_t now_us,
                           struct ledger_return *out, size_t max)
{
    return collect_all(self, now_us, out, max, is_owed);
}

size_t ledger_collect_known(struct ledger *self, uint64_t now_us,
                            struct ledger_return *out, size_t max)
{
    return collect_all(self, now_us, out, max, is_known);
}
