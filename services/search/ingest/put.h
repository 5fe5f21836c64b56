/* put: a document is stored. Checked and cut on a worker, looked up (the same content
 * again costs nothing), embedded as far as that works, written as one transaction, and
 * answered when the view of this process shows it, or at once if that is wanted. What
 * could not be embedded becomes pending. A bounded number at a time; the others wait in
 * order. Loop thread only. */
#ifndef SEARCH_PUT_H
#define SEARCH_PUT_H

#include "services/search/chunk/chunk.h"
#include "services/search/feed/feed.h"
#include "services/search/ingest/model.h"
#include "services/search/ingest/record.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"

struct putter;

enum {
    PUT_KEY_BYTES = 16,
    PUT_QUIET_TIMES = 64, /* so many times `at_once` quiet puts go together */
};

struct putter_options {
    struct sh_pg *pg;
    struct sh_rpc_client *embedder;
    struct sh_workers *workers;
    struct feed *feed; /* NULL: there is no view to wait for */
    struct model_binding *model;
    struct chunk_options chunk;
    size_t
        at_once; /* of those that somebody waits for; of quiet ones, while small, more */
    size_t bytes_max;           /* of documents under way and waiting */
    void (*pending)(void *arg); /* passages have become pending */
    void *arg;
};

SH_CHECK enum sh_err putter_create(const struct putter_options *options,
                                   struct putter **out);
struct put_order {
    struct sh_bytes payload;        /* an encoded document_put; borrowed until `done`, */
    const struct caller *caller;    /* as are whose rights hold, */
    const struct sh_trace *trace;   /* and this; may be NULL */
    const struct record_file *file; /* NULL, or what it was made of; borrowed too */
    const uint8_t *key;             /* PUT_KEY_BYTES, or NULL: stored once by it */
    uint64_t deadline_ms;
    bool quiet; /* one of many: nobody is notified; whoever counts them does it */
    bool (*canceled)(void *arg); /* nobody waits for it any more; NULL: somebody does */
};

struct put_outcome {
    enum sh_err err;
    const char *code;  /* NULL: the error's own */
    const char *field; /* NULL, or what of the document is wrong */
    const char *message;
    const struct document_put_reply *reply; /* SH_OK; borrowed until `done` returns */
};
/* Exactly once per accepted put; may come from inside putter_put(). */
typedef void put_done_fn(void *arg, const struct put_outcome *outcome);

/* Errors: SH_BUSY (too much waits), SH_NOMEM; `done` is then never called. */
SH_CHECK enum sh_err putter_put(struct putter *putter, const struct put_order *order,
                                put_done_fn *done, void *arg);
/* METHOD_DOCUMENT_PUT; `arg` is the putter. */
void putter_handle(void *arg, struct sh_rpc_call *call);
/* Documents of jobs, which nobody waits for one by one, are under way. */
bool putter_is_loading(const struct putter *putter);
/* What waits is refused; what is under way ends as its next step is cancelled, which the
 * close of pg, embedder and workers brings about. */
void putter_close(struct putter **putter);

#endif
