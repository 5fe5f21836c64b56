/* verify: whether a set of records is whole. Each record must have the hash that its
 * bytes have under the key, follow the one before it, and agree with what other records
 * say about its chain (anchors and statements of the retention). Two passes over the same
 * records: verify_learn() takes in what records say about chains, verify_record() judges.
 * Records of one chain come in their order; chains may be mixed. One thread. */
#ifndef GATEWAY_AUDIT_VERIFY_H
#define GATEWAY_AUDIT_VERIFY_H

#include "services/gateway/audit/record.h"

struct verify_options {
    const char *key;
    const char *old_key;
    bool accept_unsealed; /* records without a key although there is one */
    /* All records there are, not just some of them: then a chain must begin at its
     * beginning or where the retention cut it, and chains that are spoken of be there. */
    bool complete;
    /* A sentence about a fault, or (not a fault) something worth knowing. */
    void (*report)(void *arg, bool fault, const char *sentence);
    void *arg;
};

struct verify;
struct verify_sum {
    uint64_t records, chains, faults;
};

SH_CHECK enum sh_err verify_open(const struct verify_options *options,
                                 struct verify **out);
void verify_close(struct verify **verify);
void verify_learn(struct verify *verify, const struct audit_record *record);
void verify_record(struct verify *verify, const struct audit_record *record);
/* What a table of heads says. */
void verify_head(struct verify *verify, struct sh_bytes name, int64_t seq,
                 struct sh_bytes hash);
/* Something that is no record; `where` names it. */
void verify_garbage(struct verify *verify, const char *where);
/* The retention may have removed this record. */
bool verify_was_cut(const struct verify *verify, struct sh_bytes chain, int64_t seq);
/* A fault that somebody else found. */
__attribute__((format(printf, 2, 3))) void verify_fault(struct verify *verify,
                                                        const char *format, ...);
/* What only shows at the end. */
struct verify_sum verify_end(struct verify *verify);

#endif
