/* file_name: what an uploaded file is called from here on. Pure; any thread. */
#ifndef GATEWAY_FILE_NAME_H
#define GATEWAY_FILE_NAME_H

#include "shared/bytes.h"
#include "shared/err.h"

enum { FILE_NAME_MAX = 256 }; /* bytes, with the NUL */

/* The name as a person sees it: the last part of a path, NFC, without what cannot be seen
 * (control and format characters, such as those that write from right to left), white
 * space as single spaces, none at the ends. Too long a name keeps its extension. "file"
 * when nothing is left. `raw` is UTF-8; what is not is left out. Errors: SH_NOMEM. */
SH_CHECK enum sh_err file_name_clean(struct sh_bytes raw, char out[static FILE_NAME_MAX]);
/* Content-Disposition: attachment, with the name in ASCII and in UTF-8 (RFC 6266, RFC
 * 8187). Always terminated; the long form is left out where it does not fit. */
void file_name_disposition(const char *name, char *out, size_t size);

#endif
