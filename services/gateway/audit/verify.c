#include "services/gateway/audit/verify.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "services/gateway/audit/seal.h"
#include "shared/mem.h"

enum { SENTENCE = 400, KEY = AUDIT_CHAIN + 24 };

struct seen { /* of a chain */
    char name[AUDIT_CHAIN + 1];
    int64_t first, last;
    char hash[AUDIT_HASH + 1]; /* of the last */
    char prev[AUDIT_HASH + 1]; /* of the first */
    bool ended;
    int64_t cut; /* the retention may have removed all up to here */
    char cut_hash[AUDIT_HASH + 1];
};

struct verify {
    struct verify_options options;
    struct audit_seal seals[3]; /* the key's, the old one's, without one */
    json_t *places;             /* chain → index */
    struct seen *chains;
    size_t count, room;
    json_t *claims; /* "chain/seq" → [hash, by whom, found] */
    struct verify_sum sum;
};

/* --- reporting -------------------------------------------------------------------- */

__attribute__((format(printf, 3, 0))) static void
report(struct verify *verify, bool fault, const char *format, va_list args)
{
    char sentence[SENTENCE];

    (void)vsnprintf(sentence, sizeof sentence, format, args);
    verify->sum.faults += fault;
    verify->options.report(verify->options.arg, fault, sentence);
}

void verify_fault(struct verify *verify, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(verify, true, format, args);
    va_end(args);
}

__attribute__((format(printf, 2, 3))) static void note(struct verify *verify,
                                                       const char *format, ...)
{
    va_list args;
    va_start(args, format);
    report(verify, false, format, args);
    va_end(args);
}

void verify_garbage(struct verify *verify, const char *where)
{
    verify_fault(verify, "%s: is no audit record, or was changed", where);
}

/* --- chains ----------------------------------------------------------------------- */

static void copy_text(char *out, size_t size, struct sh_bytes text)
{
    size_t len = text.len < size ? text.len : size - 1;
    if (len > 0)
        memcpy(out, text.data, len);
    out[len] = '\0';
}

static bool grow(struct verify *verify)
{
    if (verify->count < verify->room)
        return true;
    size_t room = verify->room > 0 ? verify->room * 2 : 16;
    struct seen *chains = sh_realloc(verify->chains, room * sizeof *chains);
    if (chains == NULL)
        return false;
    verify->chains = chains;
    verify->room = room;
    return true;
}

static struct seen *find(const struct verify *verify, struct sh_bytes name)
{
    const json_t *place = json_object_getn(verify->places, name.data, name.len);
    return place != NULL && verify->chains != NULL
               ? &verify->chains[json_integer_value(place)]
               : NULL;
}

/* NULL when out of memory. */
static struct seen *chain_of(struct verify *verify, struct sh_bytes name)
{
    struct seen *found = find(verify, name);

    if (found != NULL)
        return found;
    if (!grow(verify) ||
        json_object_setn_new(verify->places, name.data, name.len,
                             json_integer((json_int_t)verify->count)) != 0) {
        verify_fault(verify, "out of memory: the check is not complete");
        return NULL;
    }
    struct seen *chain = &verify->chains[verify->count++];
    *chain = (struct seen){.first = 0};
    copy_text(chain->name, sizeof chain->name, name);
    return chain;
}

/* --- seals ------------------------------------------------------------------------ */

/* By the id of its key; NULL: a key that is not known. */
static const struct audit_seal *seal_of(const struct verify *verify,
                                        const struct audit_record *record)
{
    for (size_t i = 0; i < SH_COUNT(verify->seals); i++)
        if (sh_bytes_is(record->key_id, verify->seals[i].key_id))
            return &verify->seals[i];
    return NULL;
}

static bool is_unsealed(const struct verify *verify, const struct audit_record *record)
{
    return record->key_id.len == 0 && verify->seals[0].key.len > 0 &&
           !verify->options.accept_unsealed;
}

static bool is_good(const struct verify *verify, const struct audit_record *record)
{
    const struct audit_seal *seal = seal_of(verify, record);
    return seal != NULL && audit_seal_holds(seal, record) && !is_unsealed(verify, record);
}

static void check_seal(struct verify *verify, const struct seen *chain,
                       const struct audit_record *record)
{
    const struct audit_seal *seal = seal_of(verify, record);
    long long seq = record->seq;

    if (seal == NULL)
        verify_fault(verify,
                     "chain %s record %lld: sealed with a key that is not "
                     "AUDIT_KEY or AUDIT_KEY_PREVIOUS",
                     chain->name, seq);
    else if (!audit_seal_holds(seal, record))
        verify_fault(verify, "chain %s record %lld: changed", chain->name, seq);
    else if (is_unsealed(verify, record))
        verify_fault(verify, "chain %s record %lld: not sealed with a key", chain->name,
                     seq);
}

/* --- what records say about chains ------------------------------------------------ */

static void claim_key(char out[static KEY], struct sh_bytes chain, int64_t seq)
{
    (void)snprintf(out, KEY, "%.*s/%lld",
                   (int)(chain.len < AUDIT_CHAIN ? chain.len : AUDIT_CHAIN),
                   (const char *)chain.data, (long long)seq);
}

static void learn_cut(struct verify *verify, struct sh_bytes name, int64_t seq,
                      const char *hash)
{
    struct seen *chain = chain_of(verify, name);

    if (chain == NULL || chain->cut > seq)
        return;
    chain->cut = seq;
    copy_text(chain->cut_hash, sizeof chain->cut_hash, sh_bytes_of(hash));
}

static void learn_row(struct verify *verify, const struct audit_record *by,
                      const json_t *row, bool cut)
{
    char key[KEY], who[KEY];
    const json_t *name = json_array_get(row, 0);
    const json_t *seq = json_array_get(row, 1);
    const char *hash = json_string_value(json_array_get(row, 2));
    struct sh_bytes chain = {json_string_value(name), json_string_length(name)};

    if (chain.data == NULL || !json_is_integer(seq) || hash == NULL)
        return;
    claim_key(key, chain, json_integer_value(seq));
    claim_key(who, by->chain, by->seq);
    if (cut)
        learn_cut(verify, chain, json_integer_value(seq), hash);
    else if (json_object_set_new(verify->claims, key,
                                 json_pack("[s,s,b]", hash, who, 0)) != 0)
        verify_fault(verify, "out of memory: the check is not complete");
}

void verify_learn(struct verify *verify, const struct audit_record *record)
{
    bool cut = sh_bytes_is(record->action, "audit.retention");
    size_t i;
    json_t *row;

    if ((!cut && !sh_bytes_is(record->action, "audit.anchor")) ||
        !is_good(verify, record))
        return;
    json_t *detail = json_loadb(record->detail.data, record->detail.len, 0, NULL);
    json_t *rows = json_object_get(detail, cut ? "cuts" : "heads");
    json_array_foreach(rows, i, row) learn_row(verify, record, row, cut);
    json_decref(detail);
}

bool verify_was_cut(const struct verify *verify, struct sh_bytes chain, int64_t seq)
{
    const struct seen *seen = find(verify, chain);
    return seen != NULL && seq <= seen->cut;
}

static void check_claim(struct verify *verify, const struct seen *chain,
                        const struct audit_record *record)
{
    char key[KEY];

    claim_key(key, record->chain, record->seq);
    json_t *claim = json_object_get(verify->claims, key);
    if (claim == NULL)
        return;
    (void)json_array_set_new(claim, 2, json_true()); /* the place is there */
    if (!sh_bytes_is(record->hash, json_string_value(json_array_get(claim, 0))))
        verify_fault(verify, "chain %s record %lld: another one than record %s has seen",
                     chain->name, (long long)record->seq,
                     json_string_value(json_array_get(claim, 1)));
}

/* --- the order -------------------------------------------------------------------- */

static void begin_chain(struct verify *verify, struct seen *chain,
                        const struct audit_record *record)
{
    long long seq = record->seq;

    chain->first = record->seq;
    copy_text(chain->prev, sizeof chain->prev, record->prev);
    if (seq == 1 && !sh_bytes_is(record->prev, audit_chain_start()))
        verify_fault(verify, "chain %s record 1: something was in front of it",
                     chain->name);
    if (seq == 1 || !verify->options.complete)
        return;
    if (chain->cut < seq - 1)
        verify_fault(verify, "chain %s: records %lld to %lld are missing", chain->name,
                     (long long)chain->cut + 1, seq - 1);
    else if (chain->cut == seq - 1 && !sh_bytes_is(record->prev, chain->cut_hash))
        verify_fault(verify, "chain %s record %lld: does not follow what was removed",
                     chain->name, seq);
}

static void check_order(struct verify *verify, struct seen *chain,
                        const struct audit_record *record)
{
    long long seq = record->seq, last = chain->last;

    if (last == 0)
        begin_chain(verify, chain, record);
    else if (seq > last + 1)
        verify_fault(verify, "chain %s: records %lld to %lld are missing", chain->name,
                     last + 1, seq - 1);
    else if (seq <= last)
        verify_fault(verify, "chain %s record %lld: comes after record %lld", chain->name,
                     seq, last);
    else if (!sh_bytes_is(record->prev, chain->hash))
        verify_fault(verify, "chain %s record %lld: does not follow record %lld",
                     chain->name, seq, last);
}

void verify_record(struct verify *verify, const struct audit_record *record)
{
    struct seen *chain = chain_of(verify, record->chain);

    verify->sum.records++;
    if (chain == NULL)
        return;
    check_seal(verify, chain, record);
    check_order(verify, chain, record);
    check_claim(verify, chain, record);
    if (record->seq < chain->last)
        return;
    chain->last = record->seq;
    chain->ended = sh_bytes_is(record->action, "audit.stop");
    copy_text(chain->hash, sizeof chain->hash, record->hash);
}

void verify_head(struct verify *verify, struct sh_bytes name, int64_t seq,
                 struct sh_bytes hash)
{
    const struct seen *chain = chain_of(verify, name);

    if (chain == NULL || (chain->last == 0 && chain->cut >= seq))
        return;
    if (chain->last < seq)
        verify_fault(verify,
                     "chain %s: ends at record %lld, the table of heads has %lld: its "
                     "end is missing",
                     chain->name, (long long)chain->last, (long long)seq);
    else if (chain->last > seq || !sh_bytes_is(hash, chain->hash))
        verify_fault(verify, "chain %s: the table of heads was changed", chain->name);
}

/* --- the end ---------------------------------------------------------------------- */

static void check_unfound(struct verify *verify, const char *key, const json_t *claim)
{
    const char *slash = strrchr(key, '/');
    struct sh_bytes name = {key, (size_t)(slash - key)};
    long long seq = strtoll(slash + 1, NULL, 10);
    const struct seen *chain = find(verify, name);
    const char *by = json_string_value(json_array_get(claim, 1));
    bool there = chain != NULL && chain->last > 0;

    if (verify_was_cut(verify, name, seq) || (!there && !verify->options.complete) ||
        (there && seq < chain->first && !verify->options.complete))
        return;
    if (!there)
        verify_fault(verify,
                     "chain %.*s: missing, but record %s has seen its record %lld",
                     (int)name.len, key, by, seq);
    else if (seq > chain->last)
        verify_fault(verify,
                     "chain %s: ends at record %lld, but record %s has seen its record "
                     "%lld: its end is missing",
                     chain->name, (long long)chain->last, by, seq);
}

struct verify_sum verify_end(struct verify *verify)
{
    const char *key;
    json_t *claim;

    json_object_foreach(verify->claims, key,
                        claim) if (!json_is_true(json_array_get(claim, 2)))
        check_unfound(verify, key, claim);
    for (size_t i = 0; i < verify->count; i++) {
        const struct seen *chain = &verify->chains[i];
        if (chain->last == 0)
            continue;
        verify->sum.chains++;
        if (chain->first > 1)
            note(verify, "chain %s begins at record %lld", chain->name,
                 (long long)chain->first);
        if (!chain->ended)
            note(verify,
                 "chain %s stands at record %lld and has no end: its gateway runs, or "
                 "was killed, or its last records were removed",
                 chain->name, (long long)chain->last);
    }
    return verify->sum;
}

enum sh_err verify_open(const struct verify_options *options, struct verify **out)
{
    struct verify *verify = sh_alloc(sizeof *verify);

    *out = verify;
    if (verify == NULL)
        return SH_NOMEM;
    verify->options = *options;
    audit_seal_open(&verify->seals[0], options->key);
    audit_seal_open(&verify->seals[1], options->old_key);
    verify->places = json_object();
    verify->claims = json_object();
    if (verify->places != NULL && verify->claims != NULL)
        return SH_OK;
    verify_close(out);
    return SH_NOMEM;
}

void verify_close(struct verify **verify)
{
    struct verify *self = *verify;

    if (self == NULL)
        return;
    *verify = NULL;
    json_decref(self->places);
    json_decref(self->claims);
    sh_free(self->chains);
    sh_free(self);
}
