/* view_snapshot_format: how the file `view` of a snapshot is laid out: sections
 * (shared/sections.h). */
#ifndef SEARCH_VIEW_SNAPSHOT_FORMAT_H
#define SEARCH_VIEW_SNAPSHOT_FORMAT_H

#include <stdio.h>

#include "services/search/view/view_internal.h"
#include "services/search/view/view_snapshot.h"
#include "shared/sections.h"

enum { KEPT_TAG = 32 };

enum kept_section_id {
    KEPT_DOCUMENTS, /* struct kept_document */
    KEPT_CHUNKS,    /* struct kept_chunk, in the order of documents */
    KEPT_TEXTS,     /* bytes, in the order of documents: id, collection, department,
                       campus, title, metadata, then of each passage: heading, id, text */
    KEPT_SECTIONS
};

struct kept_document {
    uint32_t id; /* lengths */
    uint32_t collection;
    uint32_t department;
    uint32_t campus;
    uint32_t title;
    uint32_t metadata;
    uint32_t priority;
    uint32_t clearance_level;
    uint32_t chunk_count;
    uint32_t has_file; /* 0, 1 */
};

#define KEPT_SAME UINT32_MAX /* heading: that of the passage before */

struct kept_chunk {
    uint32_t slot;
    uint32_t page_number;
    uint32_t ordinal;
    uint32_t heading; /* lengths */
    uint32_t id;
    uint32_t text;
};

struct kept_foot {
    struct sh_sections_mark mark;
    char tag[KEPT_TAG]; /* random hex: the other files of the snapshot know it, too */
    char fingerprint[VIEW_FINGERPRINT + 1];
    char note[VIEW_SNAPSHOT_NOTE + 1];
    char zero[6];
    uint32_t dimension;
    uint32_t slot_count;
    uint32_t vectors;
    uint32_t spare;
    struct sh_section sections[KEPT_SECTIONS];
    uint64_t sum; /* of the foot up to here */
};

_Static_assert(offsetof(struct kept_foot, dimension) ==
                   16 + KEPT_TAG + VIEW_FINGERPRINT + 1 + VIEW_SNAPSHOT_NOTE + 1 + 6,
               "no padding: it would be summed up unset");
_Static_assert(offsetof(struct kept_foot, sum) % 8 == 0, "aligned");

extern const struct sh_sections_kind kept_kind;

/* What a chunk count allows: slots are given out from 0 on, far more is nonsense. */
static inline bool kept_slots_fit(uint64_t slots, uint64_t chunks)
{
    return slots <= 64 * (chunks + 1024) && slots < UINT32_MAX / 4;
}

/* The file alone, from its beginning. Errors: SH_IO, SH_TOOBIG. */
SH_CHECK enum sh_err kept_write(const struct view *view, const char *note,
                                const char tag[KEPT_TAG], FILE *file);
/* The foot alone. Errors: SH_MALFORMED. */
SH_CHECK enum sh_err kept_read_foot(struct sh_bytes bytes, struct kept_foot *foot);
/* Documents and slots into an empty view; `bytes` (at an address divisible by 8) are
 * borrowed as long as it is there. Errors: SH_MALFORMED, SH_NOMEM. */
SH_CHECK enum sh_err kept_read(struct sh_bytes bytes, struct view *view);

#endif
