/* text: what a server says, made harmless for a terminal: control characters, which could
 * move the cursor or retype what is shown, and marks that turn the reading direction
 * about become visible escapes. Any thread. */
#ifndef CAIRN_TEXT_H
#define CAIRN_TEXT_H

#include "shared/buffer.h"

enum text_lines {
    TEXT_ONE_LINE, /* line ends and tabs become spaces */
    TEXT_LINES     /* line ends stay */
};

/* Bytes that are no UTF-8 become U+FFFD. */
void text_clean(struct sh_buffer *out, struct sh_bytes text, enum text_lines lines);

/* Columns that clean text takes on a terminal. */
size_t text_width(struct sh_bytes text);

/* Cleaned, on one line, cut to `columns` with an ellipsis; `pad`: filled with spaces. */
void text_fit(struct sh_buffer *out, struct sh_bytes text, size_t columns, bool pad);

/* A highlight of search (`<em>`, and five entities) with the marks given. */
void text_marked(struct sh_buffer *out, struct sh_bytes highlight, const char *on,
                 const char *off);

/* Clean text broken at spaces into lines of at most `columns` (0: as long as it is), each
 * after `indent` spaces. Escape sequences of text_marked() take no columns. */
void text_wrap(struct sh_buffer *out, struct sh_bytes text, size_t columns,
               size_t indent);

#endif
