/* range: which part of a file a GET wants (RFC 9110, sections 13 and 14). Pure. */
#ifndef GATEWAY_RANGE_H
#define GATEWAY_RANGE_H

#include "shared/bytes.h"

enum range_verdict {
    RANGE_WHOLE,   /* 200: none was asked for, or one that may be left out of account */
    RANGE_PART,    /* 206 */
    RANGE_NOTHING, /* 416 */
};

/* Several ranges at once are answered with the whole file, as they may be. first and last
 * are set for RANGE_PART. */
enum range_verdict range_read(struct sh_bytes header, uint64_t size, uint64_t *first,
                              uint64_t *last);
/* Whether a list as in If-None-Match names the tag, which comes with its quotes; weak
 * ones count where `weak`. */
bool range_names(struct sh_bytes list, const char *tag, bool weak);

#endif
