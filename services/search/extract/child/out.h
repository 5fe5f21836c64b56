/* out: what is found in a file, in reading order: text goes in, sections come out as soon
 * as they are whole. Everything is cleaned here: valid UTF-8, no control characters but
 * tab and line feed, no more than one blank line. The first refusal sticks; what comes
 * after it does nothing, so readers look at `code` only where they would work on. */
#ifndef EXTRACT_OUT_H
#define EXTRACT_OUT_H

#include "proto/msg.h"
#include "shared/buffer.h"

struct extract_limits {
    uint32_t pages;
    uint64_t characters;
    uint32_t nesting; /* of elements and lists */
    uint32_t ratio;   /* expanded bytes to those of the file */
};

/* Why a file is refused, as a client sees it. */
#define OUT_ENCRYPTED "encrypted"
#define OUT_DAMAGED   "damaged"
#define OUT_TYPE      "type_refused"
#define OUT_LIMIT     "limit_exceeded"
#define OUT_NO_TEXT   "no_text"
#define OUT_FAILED    "extraction_failed"

/* False: it cannot be taken, nothing more is wanted. The section is borrowed. */
typedef bool out_section_fn(void *arg, const struct section *section);

struct out {
    struct extract_limits limits;
    out_section_fn *emit;
    void *arg;
    const char *code; /* NULL: not refused */
    char message[256];
    const char *type;          /* MIME */
    struct sh_buffer title;    /* of the file; the first one given stays */
    struct sh_buffer language; /* BCP 47, as the file has it */
    struct sh_buffer created;  /* RFC 3339 */
    uint32_t pages;            /* 0: there are none */
    struct sh_buffer heading;  /* of the section under way */
    struct sh_buffer text;
    uint32_t page;
    uint32_t sections;
    uint64_t characters;
    bool any; /* a character that shows was found */
};

/* `code` is one of the above. */
__attribute__((format(printf, 3, 4))) void out_refuse(struct out *out, const char *code,
                                                      const char *format, ...);
/* A piece of text, cut between characters. */
void out_text(struct out *out, struct sh_bytes text);
/* The next text begins a new line, or a new paragraph, unless nothing stands before it.
 */
void out_line(struct out *out);
void out_paragraph(struct out *out);
/* A new section of this heading begins, on the page of the last one. */
void out_heading(struct out *out, struct sh_bytes heading);
/* What follows is on this page, under the same heading; a new section. */
void out_page(struct out *out, uint32_t page);
/* One of the three above: the first that is not blank stays, cut to `most` bytes. */
void out_set(struct out *out, struct sh_buffer *which, struct sh_bytes text, size_t most);
/* The last section; refuses a file without text, or when memory ran out. */
void out_end(struct out *out);
void out_free(struct out *out);

/* White space at both ends goes. */
struct sh_bytes out_trim(struct sh_bytes text);

#endif
