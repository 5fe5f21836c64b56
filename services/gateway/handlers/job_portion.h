/* job_portion: the documents that go to a job at a time: as many lines as one message
 * holds. */
#ifndef GATEWAY_JOB_PORTION_H
#define GATEWAY_JOB_PORTION_H

#include "services/gateway/handlers/batch.h"

enum {
    PORTION_ITEMS = 256,
    PORTION_BYTES = 1 << 20, /* of lines; one longer line is taken alone */
};

struct job_portion { /* {0} is empty; texts live in `parsed` and `arena` */
    struct sh_arena arena;
    struct job_input items[PORTION_ITEMS];
    struct document_put puts[PORTION_ITEMS];
    json_t *parsed[PORTION_ITEMS];
    size_t count;
    size_t bytes;
};

bool job_portion_is_full(const struct job_portion *self);
/* It must not be full. A bad line becomes an item that has failed. */
void job_portion_add(struct job_portion *self, const struct sh_line *line);
/* Its items as `append`, whose other members are set. Errors: SH_NOMEM, SH_TOOBIG,
 * SH_MALFORMED. */
SH_CHECK enum sh_err job_portion_encode(struct job_portion *self,
                                        struct job_append *append,
                                        struct sh_buffer *frame);
void job_portion_clear(struct job_portion *self);

#endif
