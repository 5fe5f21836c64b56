/* fit_internal: a fit in hand, as the files of it see it: what goes to the embedder
 * (fit_send), what comes back (fit_fetch), and what comes after what (fit_run). */
#ifndef SEARCH_FIT_INTERNAL_H
#define SEARCH_FIT_INTERNAL_H

#include <libpq-fe.h>

#include "proto/msg.h"
#include "services/search/fit/fit_run.h"
#include "shared/buffer.h"

enum { FIT_PAUSE_MS = 500, FIT_ID_MAX = 320 };

/* From the top; back to FIT_BEGIN when the embedder lost what it had. */
enum fit_phase {
    FIT_COUNT,
    FIT_BEGIN,
    FIT_READ,
    FIT_ADD,
    FIT_END,
    FIT_LOOK,
    FIT_STORE,
    FIT_FETCH,
    FIT_FETCHED,
    FIT_FINISH,
    FIT_SAVE
};

struct fit {
    struct runner runner;
    struct reindex_options options;
    enum fit_phase phase;
    char session[64];
    uint64_t replica;
    size_t choice; /* of the replicas, by turns */
    unsigned beginnings;
    uint64_t corpus;
    uint64_t share; /* of a million passages */
    char after[FIT_ID_MAX + 1];
    uint64_t sent;
    unsigned pages;
    PGresult *page;
    /* what came of it */
    char fingerprint[MODEL_FINGERPRINT_MAX + 1];
    uint64_t dimension;
    uint64_t terms;
    uint64_t bytes;
    uint64_t fetched;
    uint64_t progress; /* of the fitting, in passages */
    struct sh_buffer piece;
    char cursor[256];
};

static inline struct fit *fit_of(struct runner *runner)
{
    return SH_CONTAINER_OF(runner, struct fit, runner);
}

void fit_go(struct fit *self, enum fit_phase phase);
/* The same when the progress is written down. */
void fit_tell(struct fit *self, enum fit_phase phase);
/* The embedder, or its memory of the fit, is gone: from the beginning. */
void fit_restart(struct fit *self, const char *why);
void fit_drop_page(struct fit *self);
/* The next replica in turn; false: there is none. */
bool fit_choose(struct fit *self);
void fit_call(struct fit *self, uint32_t method, const struct msg_desc *desc,
              const void *message, sh_rpc_done_fn *done);
/* Of the session alone. */
void fit_ask(struct fit *self, uint32_t method, sh_rpc_done_fn *done);
/* True when the answer is a state; otherwise what follows has been begun. */
bool fit_is_state(struct fit *self, const struct sh_rpc_response *response,
                  struct sh_arena *arena, struct fit_state *state);

/* One thing each, of the phase that it is in. */
void fit_count_passages(struct fit *self);
void fit_begin_session(struct fit *self);
void fit_read_page(struct fit *self);
void fit_add_page(struct fit *self);
void fit_on_ended(void *arg, const struct sh_rpc_response *response);
void fit_on_looked(void *arg, const struct sh_rpc_response *response);
void fit_store_model(struct fit *self);
void fit_fetch_piece(struct fit *self);
void fit_store_piece(struct fit *self);
void fit_finish_model(struct fit *self);

#endif
