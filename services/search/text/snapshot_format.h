/* snapshot_format: how a snapshot of the text index is laid out: sections, each at a
 * multiple of 8, then the foot. Numbers are in the order of the machine that wrote them;
 * on another one the foot does not fit. */
#ifndef SEARCH_SNAPSHOT_FORMAT_H
#define SEARCH_SNAPSHOT_FORMAT_H

#include "shared/bytes.h"

#define SNAPSHOT_MAGIC "CairnTxt"
enum { SNAPSHOT_ORDER = 0x01020304 };

enum snapshot_section_id {
    SNAPSHOT_NOTE,
    SNAPSHOT_BODIES,   /* uint32_t a passage */
    SNAPSHOT_SLOTS,    /* uint32_t a passage */
    SNAPSHOT_TERMS,    /* struct snapshot_term, in the order of the dictionary */
    SNAPSHOT_POOL,     /* texts of the terms, in this order, each behind a byte with its
                          length */
    SNAPSHOT_POSTINGS, /* bytes of the terms' lists, in this order */
    SNAPSHOT_BLOCKS,   /* struct postings_block, in this order */
    SNAPSHOT_LEXICON,  /* uint32_t a term */
    SNAPSHOT_SECTIONS
};

struct snapshot_section {
    uint64_t start;
    uint64_t len;
    uint64_t sum; /* XXH3, 64 bits */
};

struct snapshot_foot {
    char magic[8];
    uint32_t version;
    uint32_t order;
    struct snapshot_section sections[SNAPSHOT_SECTIONS];
    uint64_t sum; /* of the foot up to here */
};

struct snapshot_term {
    uint32_t passages;
    uint32_t count; /* of postings */
    uint32_t last;
    uint32_t bytes;
};

#endif
