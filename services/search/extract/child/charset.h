/* charset: text of any encoding as UTF-8. A byte order mark tells, else valid UTF-8 is
 * taken for what it is, else what the file says of itself, else what ICU thinks likely.
 */
#ifndef EXTRACT_CHARSET_H
#define EXTRACT_CHARSET_H

#include "shared/buffer.h"

/* `hint`: the name that the file gives, or empty. *out is the file itself, without its
 * mark, where that is UTF-8, else what is put into `room`, at most `most` bytes.
 * Errors: SH_TOOBIG, SH_NOMEM, SH_MALFORMED (no such encoding). */
SH_CHECK enum sh_err charset_read(struct sh_bytes file, struct sh_bytes hint, size_t most,
                                  struct sh_buffer *room, struct sh_bytes *out);

/* The encoding that a page names in its first kilobyte ("charset=…"); empty when none. */
struct sh_bytes charset_of_page(struct sh_bytes file);

#endif
