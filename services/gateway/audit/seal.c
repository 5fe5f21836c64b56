#include "services/gateway/audit/seal.h"

#include <openssl/evp.h>
#include <sodium.h>
#include <stdio.h>

#include "shared/trace.h"

#define KEY_PURPOSE "cairn-audit-key-id"

static void hex_of(const uint8_t *bytes, size_t count, char *out, size_t size)
{
    (void)sodium_bin2hex(out, size, bytes, count); /* aborts when there is no room */
}

/* OpenSSL's, which uses the processor's own instructions where there are any. */
static enum sh_err digest(struct sh_bytes data, uint8_t out[static 32])
{
    unsigned size = 32;
    return EVP_Digest(data.data, data.len, out, &size, EVP_sha256(), NULL) == 1
               ? SH_OK
               : SH_NOMEM;
}

static void mac(struct sh_bytes key, struct sh_bytes data, uint8_t out[static 32])
{
    crypto_auth_hmacsha256_state state;
    (void)crypto_auth_hmacsha256_init(&state, key.data, key.len); /* none of them fails */
    (void)crypto_auth_hmacsha256_update(&state, data.data, data.len);
    (void)crypto_auth_hmacsha256_final(&state, out);
}

void audit_seal_open(struct audit_seal *seal, const char *key)
{
    uint8_t bytes[32];

    *seal = (struct audit_seal){.key = sh_bytes_of(key)};
    if (seal->key.len == 0)
        return;
    mac(seal->key, sh_bytes_of(KEY_PURPOSE), bytes);
    hex_of(bytes, AUDIT_QUERY_HASH / 2, seal->key_id, sizeof seal->key_id);
}

enum sh_err audit_seal_hash(const struct audit_seal *seal,
                            const struct audit_record *record,
                            char out[static AUDIT_HASH + 1])
{
    struct sh_buffer canonical = {0};
    uint8_t bytes[32];

    audit_canonical(record, &canonical);
    enum sh_err err = canonical.err;
    if (err == SH_OK && seal->key.len > 0)
        mac(seal->key, sh_buffer_bytes(&canonical), bytes);
    else if (err == SH_OK)
        err = digest(sh_buffer_bytes(&canonical), bytes);
    if (err == SH_OK)
        hex_of(bytes, sizeof bytes, out, AUDIT_HASH + 1);
    sh_buffer_free(&canonical);
    return err;
}

void audit_query_hash(struct sh_bytes query, char out[static AUDIT_QUERY_HASH + 1])
{
    uint8_t bytes[32];

    (void)crypto_hash_sha256(bytes, query.data, query.len);
    hex_of(bytes, AUDIT_QUERY_HASH / 2, out, AUDIT_QUERY_HASH + 1);
}

/* --- chains ------------------------------------------------------------------------- */

const char *audit_chain_start(void)
{
    return "0000000000000000000000000000000000000000000000000000000000000000";
}

static void new_id(char out[static AUDIT_CHAIN + 1])
{
    uint8_t r[16];
    sh_random(r, sizeof r);
    (void)snprintf(
        out, AUDIT_CHAIN + 1,
        "%02x%02x%02x%02x-%02x%02x-4%01x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", r[0],
        r[1], r[2], r[3], r[4], r[5], r[6] & 15, r[7], (r[8] & 0x3f) | 0x80, r[9], r[10],
        r[11], r[12], r[13], r[14], r[15]);
}

void audit_chain_open(struct audit_chain *chain, const char *id, const char *key)
{
    *chain = (struct audit_chain){.seq = 0};
    audit_seal_open(&chain->seal, key);
    if (id[0] != '\0')
        (void)snprintf(chain->id, sizeof chain->id, "%s", id);
    else
        new_id(chain->id);
    (void)snprintf(chain->head, sizeof chain->head, "%s", audit_chain_start());
}

enum sh_err audit_chain_add(struct audit_chain *chain, struct audit_record *record)
{
    char prev[AUDIT_HASH + 1];

    memcpy(prev, chain->head, sizeof prev);
    record->chain = sh_bytes_of(chain->id);
    record->seq = chain->seq + 1;
    record->key_id = sh_bytes_of(chain->seal.key_id);
    record->prev = sh_bytes_of(prev);
    enum sh_err err = audit_seal_hash(&chain->seal, record, chain->head);
    if (err != SH_OK)
        return err;
    memcpy(chain->before, prev, sizeof prev);
    record->prev = sh_bytes_of(chain->before);
    record->hash = sh_bytes_of(chain->head);
    chain->seq++;
    return SH_OK;
}
