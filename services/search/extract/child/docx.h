/* docx: the parts of a Word file, each read by a file of its own. */
#ifndef EXTRACT_DOCX_H
#define EXTRACT_DOCX_H

#include "services/search/extract/child/xml.h"
#include "shared/mem.h"

enum { DOCX_STYLES_MAX = 4096 };

struct docx_style {
    struct sh_bytes id;
    struct sh_bytes based_on;
    uint32_t level; /* of a heading, from 1; 0: none of its own */
    bool title;
};

/* word/styles.xml: which paragraph styles are headings. */
struct docx_styles {
    struct sh_arena arena;
    struct docx_style all[DOCX_STYLES_MAX];
    size_t count;
    struct docx_style *open; /* inside its element */
};

extern const struct xml_events docx_styles_events; /* arg: struct docx_styles */
/* The level that a style has, by itself or from what it is based on; 0: no heading. */
uint32_t docx_style_level(const struct docx_styles *styles, struct sh_bytes id,
                          bool *title);

/* The body: paragraphs, headings, tables. */
struct docx_body {
    struct out *out;
    const struct docx_styles *styles;
    struct sh_buffer paragraph;
    uint32_t level; /* of the paragraph */
    bool title;
    bool in_text;
    bool cell;        /* one of this row was written */
    uint32_t tables;  /* open */
    uint32_t skipped; /* open elements that do not count */
};

extern const struct xml_events docx_body_events; /* arg: struct docx_body */

#endif
