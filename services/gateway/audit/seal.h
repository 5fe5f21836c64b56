/* seal: what makes a record hard to change: SHA-256 over its bytes, or HMAC-SHA-256 (RFC
 * 2104) where AUDIT_KEY is set, so that whoever can write the table but has no key cannot
 * make a record that holds. OpenSSL does the hashing. Any thread. */
#ifndef GATEWAY_AUDIT_SEAL_H
#define GATEWAY_AUDIT_SEAL_H

#include <openssl/evp.h>

#include "services/gateway/audit/record.h"

struct audit_seal {
    struct sh_bytes key;               /* borrowed; empty: not keyed */
    char key_id[AUDIT_QUERY_HASH + 1]; /* tells keys apart, tells nothing of them */
};

/* `key` must outlive the seal. */
void audit_seal_open(struct audit_seal *seal, const char *key);
/* The record's hash in hex, over audit_row(). Errors: SH_NOMEM. */
SH_CHECK enum sh_err audit_seal_hash(const struct audit_seal *seal,
                                     const struct audit_record *record,
                                     char out[static AUDIT_HASH + 1]);
/* Whether the record has that hash, or one over audit_canonical(), as older records have:
 * either binds all fields. */
SH_CHECK bool audit_seal_holds(const struct audit_seal *seal,
                               const struct audit_record *record);
/* The first 16 hex digits of SHA-256. */
void audit_query_hash(struct sh_bytes query, char out[static AUDIT_QUERY_HASH + 1]);

/* A chain being written: each record holds the hash of the one before it. */
struct audit_chain {
    struct audit_seal seal;
    EVP_MD_CTX *digest; /* kept from record to record, for it is made slowly */
    EVP_MAC_CTX *mac;
    char id[AUDIT_CHAIN + 1];
    char head[AUDIT_HASH + 1];   /* the last record's hash; zeros before the first */
    char before[AUDIT_HASH + 1]; /* that of the one before it */
    int64_t seq;                 /* the last record's */
};

/* `id` "": a new one is made. audit_chain_close() ends it. */
void audit_chain_open(struct audit_chain *chain, const char *id, const char *key);
void audit_chain_close(struct audit_chain *chain);
/* Fill in chain, seq, key_id, prev and hash, which borrow from the chain until the next
 * call, and add the whole row, with its hash and a newline, to `rows`. `plain`: all texts
 * of the record are. Errors: SH_NOMEM; chain and rows are as they were. */
SH_CHECK enum sh_err audit_chain_add(struct audit_chain *chain,
                                     struct audit_record *record, bool plain,
                                     struct sh_buffer *rows);
/* Undo it, once. */
void audit_chain_undo(struct audit_chain *chain);
/* audit_query_hash() by what the chain keeps ready. */
void audit_chain_query_hash(struct audit_chain *chain, struct sh_bytes query,
                            char out[static AUDIT_QUERY_HASH + 1]);
/* What the first record of a chain has in front. */
const char *audit_chain_start(void);

#endif
