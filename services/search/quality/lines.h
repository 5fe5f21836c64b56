/* lines: a section's text line by line, and which lines look alike on other pages. Pure.
 */
#ifndef SEARCH_QUALITY_LINES_H
#define SEARCH_QUALITY_LINES_H

#include "shared/bytes.h"

struct line {
    uint32_t start;
    uint32_t end;  /* without its end and white space around it */
    uint32_t next; /* where the line after it begins */
};

/* The line at `pos` < text.len. */
struct line line_at(struct sh_bytes text, uint32_t pos);
static inline struct sh_bytes line_text(struct sh_bytes text, struct line line)
{
    return (struct sh_bytes){(const char *)text.data + line.start, line.end - line.start};
}
/* The same for lines that differ in white space only, or in one or two numbers; and for
 * page numbers that are as far from the number of their page. */
uint64_t line_hash(struct sh_bytes line, uint32_t page);
/* A number with nothing beside it but marks, or the word for page: "- 17 -", "Page 3/12".
 */
bool line_is_page_number(struct sh_bytes line);
/* "Introduction ........ 3": the page that it ends in; 0: it is no line of contents. */
uint32_t line_contents_page(struct sh_bytes line);

#endif
