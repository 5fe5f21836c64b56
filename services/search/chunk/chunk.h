/* chunk: cuts a document into passages of about 400 tokens along its structure (sections,
 * then paragraphs, then sentences), neighbours in one section overlapping by 15 %. Pure:
 * no I/O, any thread. */
#ifndef SEARCH_CHUNK_H
#define SEARCH_CHUNK_H

#include "shared/bytes.h"
#include "shared/err.h"
#include "shared/mem.h"

struct chunk_section {
    struct sh_bytes title;
    struct sh_bytes text;
    uint32_t page_number;
};

struct chunk {
    struct sh_bytes section_title; /* heading path, "Part > Section" */
    struct sh_bytes text;          /* the passage, exactly as in the section */
    struct sh_bytes embed_text;    /* title and headings in front: what is embedded */
    uint32_t page_number;
    uint32_t ordinal; /* from 0 in the document */
    uint32_t tokens;  /* estimated */
};

struct chunk_options {
    uint32_t tokens;          /* aim; 0: 400 */
    uint32_t overlap_percent; /* of the aim; UINT32_MAX: 15 */
};

/* *chunks lives in `arena`, its texts there or in the sections. A document without text
 * has none. Errors: SH_NOMEM. */
SH_CHECK enum sh_err chunk_document(struct sh_bytes title,
                                    const struct chunk_section *sections, size_t count,
                                    const struct chunk_options *options,
                                    struct sh_arena *arena, struct chunk **chunks,
                                    size_t *chunk_count);

#endif
