/* multipart_head: what header lines of multipart messages say. Views in, copies out;
 * nothing allocates. */
#ifndef SHARED_MULTIPART_HEAD_H
#define SHARED_MULTIPART_HEAD_H

#include "shared/multipart.h"

enum { MULTIPART_BOUNDARY_MAX = 70 }; /* RFC 2046 5.1.1 */

/* The boundary of a Content-Type header, NUL-terminated. False: not multipart/form-data,
 * or without exactly one good boundary. */
bool multipart_boundary(struct sh_bytes content_type,
                        char out[static MULTIPART_BOUNDARY_MAX + 1]);

/* Which headers a part has had; {0} at its start. */
struct multipart_seen {
    bool disposition;
    bool type;
    bool encoding;
};

/* One header line without its CR LF. NULL, or a sentence about what is wrong. */
const char *multipart_header(struct sh_bytes line, struct multipart_seen *seen,
                             struct sh_multipart_part *part);

#endif
