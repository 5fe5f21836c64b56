/* pending: passages that were stored without a vector get theirs in the background. They
 * are claimed in batches by a lease in the record, so that replicas share the work and a
 * dead one loses nothing; one passage that fails is tried again later and later. Sleeps
 * while there is no embedder. One works for the live generation; another one for those
 * that are built beside it, in the time that the first leaves, and no faster than it is
 * told. Loop thread only. */
#ifndef SEARCH_PENDING_H
#define SEARCH_PENDING_H

#include "services/search/ingest/model.h"

struct pending;

struct pending_options {
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct model_binding *model;
    /* For the generations beside the live one; NULL: this works for the live one. */
    const struct pending *first; /* goes before this one; closed after it */
    uint32_t rate;               /* passages a second; 0: any number */
    double share;                /* of the time, 0 < share ≤ 1 */
};

SH_CHECK enum sh_err pending_create(uv_loop_t *loop,
                                    const struct pending_options *options,
                                    struct pending **out);
/* There may be work: something became pending, or the embedder came back. */
void pending_wake(struct pending *self);
/* No new batch; the service drains. */
void pending_pause(struct pending *self);
void pending_close(struct pending **pending);

#endif
