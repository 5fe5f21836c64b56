/* fitting: the fit that goes on in this process; there is one at a time. Texts are added
 * and the model is computed on a thread of its own, of low priority. A session that
 * nobody asks about for a while is dropped. Loop thread only. */
#ifndef EMBEDDER_FITTING_H
#define EMBEDDER_FITTING_H

#include <uv.h>

#include "services/embedder/card.h"
#include "shared/bytes.h"

struct fitting;

struct fitting_options {
    size_t bytes_max; /* that a fit may take */
    unsigned threads; /* of the products; 0: one per core */
    uint64_t idle_ms; /* a session is dropped after so long without a call; 0: 300,000 */
};

enum fitting_state {
    FITTING_NONE,
    FITTING_ADDING,
    FITTING_RUNNING,
    FITTING_DONE,
    FITTING_FAILED
};

struct fitting_figures {
    enum fitting_state state;
    uint64_t texts; /* taken in, or left out since they are not UTF-8 */
    uint32_t step;
    uint32_t steps;
    uint32_t dimension;
    uint32_t terms;
    size_t bytes;                          /* of the file, when it is done */
    char fingerprint[CARD_HASH_CHARS + 1]; /* likewise */
    const char *code;                      /* when it failed; static */
    const char *message;
};

SH_CHECK enum sh_err fitting_create(uv_loop_t *loop,
                                    const struct fitting_options *options,
                                    struct fitting **out);
/* Ends what is under way. Texts under way are answered with SH_CANCELED before this
 * returns. *self becomes NULL. NULL is fine. */
void fitting_close(struct fitting **fitting);

/* Begin, or begin anew. Errors: SH_BUSY (another session's fit, or this one's is just
 * being stopped), SH_INVALID, SH_NOMEM. */
SH_CHECK enum sh_err fitting_begin(struct fitting *self, struct sh_bytes session,
                                   uint32_t dimension);

typedef void fitting_added_fn(void *arg, enum sh_err err);
struct fitting_texts {
    uint64_t first; /* so many went before; what came already is not added again */
    const struct sh_bytes *texts; /* borrowed until `done` */
    size_t count;
    fitting_added_fn *done; /* once, never from inside; a failed fit is no error here */
    void *arg;
};
/* Errors: SH_NOTFOUND (no such session), SH_CONFLICT (texts are missing before these, or
 * there can be no more), SH_BUSY (others are under way), SH_NOMEM; `done` is then never
 * called. */
SH_CHECK enum sh_err fitting_add(struct fitting *self, struct sh_bytes session,
                                 const struct fitting_texts *texts);
/* Compute; again it changes nothing. Errors: SH_NOTFOUND, SH_BUSY (texts are under way).
 */
SH_CHECK enum sh_err fitting_end(struct fitting *self, struct sh_bytes session);
/* Errors: SH_NOTFOUND. */
SH_CHECK enum sh_err fitting_look(struct fitting *self, struct sh_bytes session,
                                  struct fitting_figures *out);
/* The file; borrowed until the loop goes on. Errors: SH_NOTFOUND (none, or not done). */
SH_CHECK enum sh_err fitting_file(struct fitting *self, struct sh_bytes session,
                                  struct sh_bytes *file);
/* A session that is not there is fine. */
void fitting_drop(struct fitting *self, struct sh_bytes session);

#endif
