/* until: where a recovery is to end: "" or "set" (as soon as the set is consistent),
 * "latest" (all that is stored), a position ("16/B374D848") or a time (RFC 3339). Pure.
 */
#ifndef BACKUP_UNTIL_H
#define BACKUP_UNTIL_H

#include <stdint.h>

#include "shared/err.h"

enum until_kind { UNTIL_SET, UNTIL_LATEST, UNTIL_POSITION, UNTIL_TIME };

struct until {
    enum until_kind kind;
    char text[48]; /* as PostgreSQL takes it; "" where it takes none */
    uint64_t lsn;  /* of a position */
    double at;     /* of a time, Unix seconds */
};

/* Errors: SH_INVALID. */
SH_CHECK enum sh_err until_parse(const char *text, struct until *out);

#endif
