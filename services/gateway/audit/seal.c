#include "services/gateway/audit/seal.h"

#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "shared/trace.h"

#define KEY_PURPOSE "cairn-audit-key-id"

static void hex_of(const uint8_t *bytes, size_t count, char *out)
{
    static const char digits[] = "0123456789abcdef";

    for (size_t i = 0; i < count; i++) {
        out[2 * i] = digits[bytes[i] >> 4];
        out[2 * i + 1] = digits[bytes[i] & 15];
    }
    out[2 * count] = '\0';
}

static bool mac(struct sh_bytes key, struct sh_bytes data, uint8_t out[static 32])
{
    unsigned len = 32;
    return HMAC(EVP_sha256(), key.data, (int)key.len, data.data, data.len, out, &len) !=
           NULL;
}

static bool digest(struct sh_bytes data, uint8_t out[static 32])
{
    return SHA256(data.data, data.len, out) != NULL;
}

void audit_seal_open(struct audit_seal *seal, const char *key)
{
    uint8_t bytes[32];

    *seal = (struct audit_seal){.key = sh_bytes_of(key)};
    if (seal->key.len == 0)
        return;
    if (!mac(seal->key, sh_bytes_of(KEY_PURPOSE), bytes))
        memset(bytes, 0, sizeof bytes); /* out of memory: only the name of the key */
    hex_of(bytes, AUDIT_QUERY_HASH / 2, seal->key_id);
}

enum sh_err audit_seal_hash(const struct audit_seal *seal,
                            const struct audit_record *record,
                            char out[static AUDIT_HASH + 1])
{
    struct sh_buffer canonical = {0};
    uint8_t bytes[32];

    audit_canonical(record, &canonical);
    enum sh_err err = canonical.err;
    if (err == SH_OK &&
        !(seal->key.len > 0 ? mac(seal->key, sh_buffer_bytes(&canonical), bytes)
                            : digest(sh_buffer_bytes(&canonical), bytes)))
        err = SH_NOMEM;
    if (err == SH_OK)
        hex_of(bytes, sizeof bytes, out);
    sh_buffer_free(&canonical);
    return err;
}

void audit_query_hash(struct sh_bytes query, char out[static AUDIT_QUERY_HASH + 1])
{
    uint8_t bytes[32];

    if (!digest(query, bytes))
        memset(bytes, 0,
               sizeof bytes); /* as good as never: one-shot, and no allocation */
    hex_of(bytes, AUDIT_QUERY_HASH / 2, out);
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
