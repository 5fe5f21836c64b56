#include "services/gateway/audit/seal.h"

#include <openssl/core_names.h>
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

/* --- chains ----------------------------------------------------------------------- */

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

void audit_chain_close(struct audit_chain *chain)
{
    EVP_MD_CTX_free(chain->digest);
    EVP_MAC_CTX_free(chain->mac);
    sh_buffer_free(&chain->canonical);
    chain->digest = NULL;
    chain->mac = NULL;
}

/* As audit_seal_hash(), which looks its algorithm up by name each time. */
static EVP_MD_CTX *new_digest(void)
{
    EVP_MD_CTX *digest = EVP_MD_CTX_new();
    if (digest != NULL && EVP_DigestInit_ex(digest, EVP_sha256(), NULL) == 1)
        return digest;
    EVP_MD_CTX_free(digest);
    return NULL;
}

static EVP_MAC_CTX *new_mac(struct sh_bytes key)
{
    char name[] = "SHA256";
    const OSSL_PARAM params[] = {OSSL_PARAM_utf8_string("digest", name, sizeof name - 1),
                                 OSSL_PARAM_END};
    EVP_MAC *algorithm = EVP_MAC_fetch(NULL, "HMAC", NULL);
    EVP_MAC_CTX *mac = EVP_MAC_CTX_new(algorithm);
    EVP_MAC_free(algorithm); /* the context holds it */
    if (mac != NULL && EVP_MAC_init(mac, key.data, key.len, params) == 1)
        return mac;
    EVP_MAC_CTX_free(mac);
    return NULL;
}

static bool chain_digest(struct audit_chain *chain, struct sh_bytes bytes,
                         uint8_t out[static 32])
{
    if (chain->digest == NULL)
        chain->digest = new_digest();
    return chain->digest != NULL && EVP_DigestInit_ex(chain->digest, NULL, NULL) == 1 &&
           EVP_DigestUpdate(chain->digest, bytes.data, bytes.len) == 1 &&
           EVP_DigestFinal_ex(chain->digest, out, NULL) == 1;
}

static bool chain_mac(struct audit_chain *chain, struct sh_bytes bytes,
                      uint8_t out[static 32])
{
    size_t len = 0;

    if (chain->mac == NULL)
        chain->mac = new_mac(chain->seal.key);
    return chain->mac != NULL && EVP_MAC_init(chain->mac, NULL, 0, NULL) == 1 &&
           EVP_MAC_update(chain->mac, bytes.data, bytes.len) == 1 &&
           EVP_MAC_final(chain->mac, out, &len, 32) == 1;
}

static enum sh_err chain_hash(struct audit_chain *chain,
                              const struct audit_record *record)
{
    uint8_t bytes[32];

    sh_buffer_clear(&chain->canonical);
    audit_canonical(record, &chain->canonical);
    if (chain->canonical.err != SH_OK)
        return chain->canonical.err;
    struct sh_bytes canonical = sh_buffer_bytes(&chain->canonical);
    if (!(chain->seal.key.len > 0 ? chain_mac(chain, canonical, bytes)
                                  : chain_digest(chain, canonical, bytes)))
        return SH_NOMEM;
    hex_of(bytes, sizeof bytes, chain->head);
    return SH_OK;
}

void audit_chain_query_hash(struct audit_chain *chain, struct sh_bytes query,
                            char out[static AUDIT_QUERY_HASH + 1])
{
    uint8_t bytes[32];

    if (chain_digest(chain, query, bytes))
        hex_of(bytes, AUDIT_QUERY_HASH / 2, out);
    else
        audit_query_hash(query, out);
}

enum sh_err audit_chain_add(struct audit_chain *chain, struct audit_record *record)
{
    char prev[AUDIT_HASH + 1];

    memcpy(prev, chain->head, sizeof prev);
    record->chain = sh_bytes_of(chain->id);
    record->seq = chain->seq + 1;
    record->key_id = sh_bytes_of(chain->seal.key_id);
    record->prev = sh_bytes_of(prev);
    enum sh_err err = chain_hash(chain, record);
    if (err != SH_OK)
        return err;
    memcpy(chain->before, prev, sizeof prev);
    record->prev = sh_bytes_of(chain->before);
    record->hash = sh_bytes_of(chain->head);
    chain->seq++;
    return SH_OK;
}
