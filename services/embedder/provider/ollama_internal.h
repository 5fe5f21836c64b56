/* ollama_internal: shared by the parts of the provider: life and watching (ollama.c), the
 * batches under way (ollama_run.c). */
#ifndef EMBEDDER_OLLAMA_INTERNAL_H
#define EMBEDDER_OLLAMA_INTERNAL_H

#include "services/embedder/provider/ollama.h"
#include "services/embedder/provider/ollama_reply.h"
#include "shared/breaker.h"
#include "shared/http_client.h"

enum { OLLAMA_URL_MAX = 4096, OLLAMA_BODY_MAX = 64 << 20 };

struct ollama_run;

struct ollama {
    struct provider base;
    struct ollama_options options;
    uv_loop_t *loop;
    struct sh_http_client *http;
    struct sh_breaker breaker;
    double budget; /* further attempts that are allowed now */
    bool closing;
    unsigned epoch; /* counts the models seen */
    struct ollama_run *runs;
    size_t handles; /* that must be closed before the memory goes */
    /* watching the endpoint */
    uv_timer_t poll;
    struct sh_http_call *call;
    struct card next; /* being learned */
    bool verifying;   /* the model is known, it is only looked at again */
    float *probed; /* what the fixed text was, of `probed_dimension`; NULL: not known */
    uint32_t probed_dimension;
    uint64_t probed_ms;   /* when that was last seen */
    char distrusted[129]; /* a digest behind which vectors changed; "": none */
    char tags_url[OLLAMA_URL_MAX];
    char show_url[OLLAMA_URL_MAX];
};

struct ollama_question {
    const char *method;
    const char *url;
    struct sh_bytes body;
    uint64_t timeout_ms;
};

/* One call of the endpoint; `done` as of sh_http_client_send(). */
SH_CHECK enum sh_err ollama_send(struct ollama *self,
                                 const struct ollama_question *question,
                                 sh_http_incoming_fn *done, void *arg,
                                 struct sh_http_call **call);
/* Ready or not, and why; tells whoever listens when that changed. */
void ollama_state(struct ollama *self, bool ready, const char *why);
/* A handle was closed: the last one frees the provider. */
void ollama_handle_closed(struct ollama *self);

void ollama_submit(struct provider *base, struct provider_batch *batch);
/* Every batch under way ends with SH_CANCELED. */
void ollama_cancel_runs(struct ollama *self);

#endif
