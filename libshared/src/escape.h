/* escape: hostile text made fit to stand inside a JSON string, or on a line of its own.
 * Control characters, C1 and the invisible ones that turn text around are written as
 * \uXXXX, bytes that are no UTF-8 become U+FFFD. Any thread. */
#ifndef LIBSHARED_ESCAPE_H
#define LIBSHARED_ESCAPE_H

#include "shared/buffer.h"

enum { SH_ESCAPE_MAX = 6 };

/* How many bytes at the start of `text` stand for themselves. */
size_t sh_escape_plain(const char *text, const char *end);
/* Take one character from *at (which is before `end`) and write what stands for it;
 * returns its length, 1 to SH_ESCAPE_MAX. */
size_t sh_escape_next(const char **at, const char *end, char out[static SH_ESCAPE_MAX]);

/* `text` in quotes, appended. */
void sh_buffer_json_text(struct sh_buffer *out, const char *text);

#endif
