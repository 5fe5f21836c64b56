/* rerank: asks a re-ranking endpoint over HTTP how well texts answer a query. One attempt
 * within its time; after five failures in a row nothing is sent but one probe a second.
 * Loop thread only. */
#ifndef SEARCH_RERANK_H
#define SEARCH_RERANK_H

#include <uv.h>

#include "services/search/rerank/rerank_shape.h"
#include "shared/http_client.h"
#include "shared/trace.h"

struct reranker;

struct reranker_options { /* texts are borrowed and must outlive it */
    const char *url;      /* the whole of it: "http://host:8080/rerank" */
    enum rerank_shape shape;
    const char *model;   /* for Cohere's shape; "": none is named */
    const char *api_key; /* sent as a bearer token; "": none */
    uint64_t timeout_ms;
    size_t top; /* so many results are re-ranked */
};

/* Whoever starts it owns it and keeps it, with what it points to, until `done`. */
struct rerank_job {
    struct rerank_question question;
    double *scores; /* room for as many as texts; filled when SH_OK: 0 to 1 */
    uint64_t deadline_ms;
    const struct sh_trace *trace;
    /* Exactly once for each start that returned SH_OK, never from inside it. Errors:
     * SH_UNAVAILABLE, SH_TIMEOUT, SH_UPSTREAM (status or answer), SH_TOOBIG, SH_CANCELED,
     * SH_NOMEM; they are logged. */
    void (*done)(struct rerank_job *job, enum sh_err err);
    /* its own */
    struct reranker *reranker;
    struct sh_http_call *call;
};

/* Errors: SH_NOMEM, SH_INVALID (an API key that cannot stand in a header). */
SH_CHECK enum sh_err reranker_create(uv_loop_t *loop,
                                     const struct reranker_options *options,
                                     struct reranker **out);
const struct reranker_options *reranker_options(const struct reranker *self);
/* Errors: SH_UNAVAILABLE (it failed too often, or there is no time), SH_NOMEM,
 * SH_MALFORMED; `done` is then never called. */
SH_CHECK enum sh_err reranker_start(struct reranker *self, struct rerank_job *job);
/* `done` gets SH_CANCELED on a later turn. */
void reranker_cancel(struct rerank_job *job);
/* What is under way gets SH_CANCELED before this returns. NULL is fine. */
void reranker_close(struct reranker **self);

#endif
