/* desk_sql: what the desk reads. $1 and $2 behind the first parameters are whether the
 * caller sees all, and as whom. */
#ifndef SEARCH_DESK_SQL_H
#define SEARCH_DESK_SQL_H

#include "shared/pg.h"

enum desk_column {
    DESK_ID,
    DESK_KIND,
    DESK_STATE,
    DESK_DONE,
    DESK_FAILED,
    DESK_TOTAL,
    DESK_CODE,
    DESK_ERROR,
    DESK_RESULT,
    DESK_CREATED_BY,
    DESK_CREATED,
    DESK_STARTED,
    DESK_FINISHED,
    DESK_VERSION,
    DESK_FILE_NAME,
    DESK_COUNT, /* of all pages; list only */
};

extern const struct sh_pg_statement desk_job, /* id, all, as whom */
    desk_errors,                              /* id → item, code, error */
    desk_page; /* state, kind, all, as whom, offset, limit */

#endif
