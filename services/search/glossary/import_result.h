/* import_result: what became of the lines of a file so far: the cursor of the job while
 * it runs, its result at the end. Pure. */
#ifndef SEARCH_IMPORT_RESULT_H
#define SEARCH_IMPORT_RESULT_H

#include <jansson.h>
#include <libpq-fe.h>

#include "proto/msg.h"

enum { IMPORT_ERRORS_MAX = 100 }; /* that are told; all are counted */

struct import_result { /* {0} is empty */
    uint64_t batches;
    uint64_t rows;
    uint64_t created;
    uint64_t updated;
    uint64_t unchanged;
    uint64_t failed;
    uint64_t relations; /* new ones in the graph, each way of a pair for itself */
    uint64_t unrelated; /* that name an entry that is not there, or may not be seen */
    json_t *errors;
};

/* From a cursor; nonsense leaves it empty. */
void import_result_read(struct import_result *self, struct sh_bytes cursor);
/* A batch was stored: rows of line and outcome. */
void import_result_add(struct import_result *self, const struct glossary_batch *batch,
                       const PGresult *outcomes);
/* Relations were stored: a row of asked, missing and created. */
void import_result_related(struct import_result *self, const PGresult *figures);
/* JSON, by free(); NULL: out of memory. */
char *import_result_text(const struct import_result *self);
void import_result_free(struct import_result *self);

#endif
