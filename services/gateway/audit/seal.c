/* A context that is copied is several times as quick as EVP, which makes a new one for
 * each hash; OpenSSL 3 still has these functions, but advises against them. */
#define OPENSSL_SUPPRESS_DEPRECATED

#include "services/gateway/audit/seal.h"

#include <openssl/crypto.h>
#include <openssl/hmac.h>
#include <openssl/sha.h>
#include <stdio.h>

#include "shared/trace.h"

#define KEY_PURPOSE "cairn-audit-key-id"

enum { INNER = 0x36, OUTER = 0x5c }; /* of HMAC */

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

/* Of what `begun` has hashed and then the data. */
static void hash_from(const SHA256_CTX *begun, struct sh_bytes data,
                      uint8_t out[static 32])
{
    SHA256_CTX hash = *begun;

    (void)SHA256_Update(&hash, data.data, data.len); /* neither can fail */
    (void)SHA256_Final(out, &hash);
}

static void digest(struct sh_bytes data, uint8_t out[static 32])
{
    SHA256_CTX empty;

    (void)SHA256_Init(&empty); /* cannot fail */
    hash_from(&empty, data, out);
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

    if (err == SH_OK && seal->key.len == 0)
        digest(sh_buffer_bytes(made), bytes);
    else if (err == SH_OK && !mac(seal->key, sh_buffer_bytes(made), bytes))
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

    digest(query, bytes);
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

/* HMAC (RFC 2104) hashes a block of the key first, twice: each is done once. */
static void begin_keyed(struct audit_chain *chain)
{
    struct sh_bytes key = chain->seal.key;
    uint8_t block[SHA256_CBLOCK] = {0};

    if (key.len > sizeof block)
        hash_from(&chain->begun, key, block);
    else
        memcpy(block, key.data, key.len);
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= INNER;
    (void)SHA256_Update(&chain->begun, block, sizeof block); /* cannot fail */
    for (size_t i = 0; i < sizeof block; i++)
        block[i] ^= INNER ^ OUTER;
    (void)SHA256_Update(&chain->outer, block, sizeof block);
    OPENSSL_cleanse(block, sizeof block);
}

static void begin_hashes(struct audit_chain *chain)
{
    (void)SHA256_Init(&chain->begun); /* cannot fail */
    chain->outer = chain->begun;
    if (chain->seal.key.len > 0)
        begin_keyed(chain);
}

void audit_chain_open(struct audit_chain *chain, const char *id, const char *key)
{
    *chain = (struct audit_chain){.seq = 0};
    audit_seal_open(&chain->seal, key);
    begin_hashes(chain);
    if (id[0] != '\0')
        (void)snprintf(chain->id, sizeof chain->id, "%s", id);
    else
        new_id(chain->id);
    (void)snprintf(chain->head, sizeof chain->head, "%s", audit_chain_start());
}

void audit_chain_close(struct audit_chain *chain)
{
    OPENSSL_cleanse(&chain->begun, sizeof chain->begun);
    OPENSSL_cleanse(&chain->outer, sizeof chain->outer);
}

/* Of what `rows` has from `from` on; it becomes the head. */
static void chain_hash(struct audit_chain *chain, const struct sh_buffer *rows,
                       size_t from)
{
    uint8_t bytes[SHA256_DIGEST_LENGTH];
    struct sh_bytes row = {rows->data + from, rows->len - from};

    hash_from(&chain->begun, row, bytes);
    if (chain->seal.key.len > 0)
        hash_from(&chain->outer, (struct sh_bytes){bytes, sizeof bytes}, bytes);
    hex_of(bytes, sizeof bytes, chain->head);
}

static enum sh_err end_row(struct audit_chain *chain, struct sh_buffer *rows, size_t from)
{
    if (rows->err != SH_OK)
        return rows->err;
    char *end = sh_buffer_reserve(rows, 1 + AUDIT_HASH + 1);
    if (end == NULL)
        return SH_NOMEM;
    chain_hash(chain, rows, from);
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
