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

/* Of the bytes, which end here. */
static enum sh_err hash_of(const struct audit_seal *seal, struct sh_buffer *made,
                           char out[static AUDIT_HASH + 1])
{
    uint8_t bytes[32];
    enum sh_err err = made->err;

    if (err == SH_OK && !(seal->key.len > 0 ? mac(seal->key, sh_buffer_bytes(made), bytes)
                                            : digest(sh_buffer_bytes(made), bytes)))
        err = SH_NOMEM;
    if (err == SH_OK)
        hex_of(bytes, sizeof bytes, out);
    sh_buffer_free(made);
    return err;
}

enum sh_err audit_seal_hash(const struct audit_seal *seal,
                            const struct audit_record *record,
                            char out[static AUDIT_HASH + 1])
{
    struct sh_buffer row = {0};

    audit_row(record, false, &row);
    return hash_of(seal, &row, out);
}

bool audit_seal_holds(const struct audit_seal *seal, const struct audit_record *record)
{
    struct sh_buffer canonical = {0};
    char hash[AUDIT_HASH + 1];

    if (audit_seal_hash(seal, record, hash) == SH_OK && sh_bytes_is(record->hash, hash))
        return true;
    audit_canonical(record, &canonical);
    return hash_of(seal, &canonical, hash) == SH_OK && sh_bytes_is(record->hash, hash);
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

/* Of what `rows` has from `from` on; it becomes the head. */
static enum sh_err chain_hash(struct audit_chain *chain, const struct sh_buffer *rows,
                              size_t from)
{
    uint8_t bytes[32];
    struct sh_bytes row = {rows->data + from, rows->len - from};

    if (!(chain->seal.key.len > 0 ? chain_mac(chain, row, bytes)
                                  : chain_digest(chain, row, bytes)))
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

static enum sh_err end_row(struct audit_chain *chain, struct sh_buffer *rows, size_t from)
{
    if (rows->err != SH_OK)
        return rows->err;
    char *end = sh_buffer_reserve(rows, 1 + AUDIT_HASH + 1);
    enum sh_err err = end != NULL ? chain_hash(chain, rows, from) : SH_NOMEM;
    if (err != SH_OK)
        return err;
    end[0] = '\t';
    memcpy(end + 1, chain->head, AUDIT_HASH);
    end[1 + AUDIT_HASH] = '\n';
    rows->len += 1 + AUDIT_HASH + 1;
    return SH_OK;
}

enum sh_err audit_chain_add(struct audit_chain *chain, struct audit_record *record,
                            bool plain, struct sh_buffer *rows)
{
    size_t from = rows->len;

    memcpy(chain->before, chain->head, sizeof chain->before);
    record->chain = sh_bytes_of(chain->id);
    record->seq = chain->seq + 1;
    record->key_id = sh_bytes_of(chain->seal.key_id);
    record->prev = (struct sh_bytes){chain->before, AUDIT_HASH};
    audit_row(record, plain, rows);
    enum sh_err err = end_row(chain, rows, from);
    if (err != SH_OK) {
        rows->len = from;
        rows->err = SH_OK;
        return err;
    }
    record->hash = (struct sh_bytes){chain->head, AUDIT_HASH};
    chain->seq++;
    return SH_OK;
}

void audit_chain_undo(struct audit_chain *chain)
{
    memcpy(chain->head, chain->before, sizeof chain->head);
    chain->seq--;
}
