/* readers: one for each type of file. Each gives what it finds to `out` and refuses
 * there; none ends it. They are given the whole file, mapped, and open nothing. */
#ifndef EXTRACT_READERS_H
#define EXTRACT_READERS_H

#include "services/search/extract/child/out.h"
#include "services/search/extract/child/sniff.h"

/* Pages are sections, under the entry of the outline that they belong to. */
void read_pdf(struct sh_bytes file, struct out *out);
/* Paragraphs and tables; headings by style. Nothing is unpacked to disk. */
void read_docx(struct sh_bytes file, struct out *out);
/* UTF-8, as the next three. A form feed begins a page. */
void read_text(struct sh_bytes text, struct out *out);
/* CommonMark with tables; title, date and lang of the front matter. */
void read_markdown(struct sh_bytes text, struct out *out);
/* What a reader sees: no scripts, no styles. */
void read_html(struct sh_bytes text, struct out *out);
/* The first row has the names of the columns; each other row is a line "name: value; …",
 * a hundred are a section. */
void read_csv(struct sh_bytes text, struct out *out);

/* Whatever it is, by bytes and name: sniffed, decoded, read and ended. */
void read_file(struct sh_bytes file, struct sh_bytes name, struct sh_bytes declared,
               struct out *out);

#endif
