/* embed: passages to vectors by the embedder, in batches, a few at a time. A passage that
 * gets no vector is no error: the caller keeps it for later. Loop thread only. */
#ifndef SEARCH_EMBED_H
#define SEARCH_EMBED_H

#include "services/search/ingest/model.h"

enum { EMBED_BATCH = 64, EMBED_BATCH_BYTES = 512 * 1024, EMBED_IN_FLIGHT = 2 };
enum embed_purpose { EMBED_PLAIN, EMBED_QUERY, EMBED_DOCUMENT };

struct embed_job;

struct embed_result {
    size_t missing;   /* texts that still have no vector */
    enum sh_err err;  /* why a batch failed as a whole; SH_OK: none did */
    bool other_model; /* the embedder has this one no more */
};

/* Exactly once per job, never from inside embed_start(). The job is then gone. */
typedef void embed_done_fn(void *arg, const struct embed_result *result);

struct embed_order {
    struct sh_rpc_client *client;
    const struct sh_bytes *texts; /* borrowed until `done`, as are the next two */
    bool *have;                   /* of each text: it has its vector; kept up to date */
    float *vectors;               /* count × dimension */
    size_t count;
    const struct model *model; /* copied; vectors of another one are not taken */
    uint64_t deadline_ms;
    const struct sh_trace *trace; /* copied; NULL: a new one */
};

/* Errors: SH_NOTFOUND (no text lacks a vector), SH_NOMEM, and what sh_rpc_send() says
 * when nothing could be sent; `done` is then never called. */
SH_CHECK enum sh_err embed_start(const struct embed_order *order, embed_done_fn *done,
                                 void *arg, struct embed_job **job);
/* `done` is not called any more; *job becomes NULL. NULL is fine. */
void embed_cancel(struct embed_job **job);

/* An embed_request for this model and no other. Errors: as msg_encode(). */
SH_CHECK enum sh_err embed_encode(const struct model *model, const struct sh_bytes *texts,
                                  size_t count, enum embed_purpose purpose,
                                  struct sh_buffer *out);
/* What an error of the embedder tells: it has this model no more, or another of its name.
 */
bool embed_lost_model(enum sh_err err);
/* The answer to `count` texts, checked: one vector each, of the dimension that it says,
 * no NaN or infinity. *vectors is little-endian float32 and borrows from the response.
 * Errors: SH_UPSTREAM, SH_NOMEM. */
SH_CHECK enum sh_err embed_decode(const struct sh_rpc_response *response, size_t count,
                                  struct sh_arena *arena, struct embed_reply *reply,
                                  const uint8_t **vectors);

#endif
