/* snapshot_format: how a snapshot of the text index is laid out: sections
 * (shared/sections.h). */
#ifndef SEARCH_SNAPSHOT_FORMAT_H
#define SEARCH_SNAPSHOT_FORMAT_H

#include "shared/sections.h"

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

struct snapshot_foot {
    struct sh_sections_mark mark;
    struct sh_section sections[SNAPSHOT_SECTIONS];
    uint64_t sum; /* of the foot up to here */
};

struct snapshot_term {
    uint32_t passages;
    uint32_t count; /* of postings */
    uint32_t last;
    uint32_t bytes;
};

extern const struct sh_sections_kind snapshot_kind;

#endif
