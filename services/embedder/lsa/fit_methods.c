#include "services/embedder/lsa/fit_methods.h"

#include "shared/mem.h"

enum { TEXTS_MAX_BYTES = 16 << 20, PIECE = 512 << 10 };

static const char *const states[] = {[FITTING_NONE] = "none",
                                     [FITTING_ADDING] = "adding",
                                     [FITTING_RUNNING] = "fitting",
                                     [FITTING_DONE] = "done",
                                     [FITTING_FAILED] = "failed"};

static void refuse(struct sh_rpc_call *call, enum sh_err err)
{
    if (err == SH_NOTFOUND)
        sh_rpc_fail(call, err, "fit_not_found", "session", "there is no such fit");
    else if (err == SH_BUSY)
        sh_rpc_fail(call, err, "fit_busy", NULL, "a fit is under way");
    else if (err == SH_CONFLICT)
        sh_rpc_fail(call, err, "fit_out_of_order", "first",
                    "texts are missing before these, or no more can be added");
    else
        sh_rpc_fail(call, err, NULL, NULL, "fitting: %s", sh_err_text(err));
}

static void reply_state(struct fitting *self, struct sh_rpc_call *call,
                        struct sh_bytes session)
{
    struct fitting_figures figures;
    enum sh_err err = fitting_look(self, session, &figures);
    if (err != SH_OK) {
        refuse(call, err);
        return;
    }
    struct fit_state state = {.state = sh_bytes_of(states[figures.state]),
                              .texts = figures.texts,
                              .step = figures.step,
                              .steps = figures.steps,
                              .fingerprint = sh_bytes_of(figures.fingerprint),
                              .dimension = figures.dimension,
                              .terms = figures.terms,
                              .bytes = figures.bytes,
                              .code = sh_bytes_of(figures.code),
                              .message = sh_bytes_of(figures.message)};
    sh_rpc_reply(call, fit_state_desc(), &state);
}

static void on_begin(void *arg, struct sh_rpc_call *call)
{
    struct fit_session request;
    if (sh_rpc_call_decode(call, fit_session_desc(), &request) != SH_OK)
        return; /* answered */
    enum sh_err err = fitting_begin(arg, request.session, request.dimension);
    if (err != SH_OK)
        refuse(call, err);
    else
        reply_state(arg, call, request.session);
}

/* --- texts ------------------------------------------------------------------------ */

struct addition {
    struct fitting *fitting;
    struct sh_rpc_call *call;
    struct sh_bytes session; /* in the call's payload */
};

static void on_added(void *arg, enum sh_err err)
{
    struct addition *self = arg;
    if (err != SH_OK)
        refuse(self->call, err);
    else
        reply_state(self->fitting, self->call, self->session);
    sh_free(self);
}

static void on_add(void *arg, struct sh_rpc_call *call)
{
    struct fit_texts request;
    if (sh_rpc_call_decode(call, fit_texts_desc(), &request) != SH_OK)
        return; /* answered */
    struct addition *self = sh_alloc(sizeof(*self));
    enum sh_err err = self ? SH_OK : SH_NOMEM;
    if (self) {
        *self = (struct addition){arg, call, request.session};
        err = fitting_add(arg, request.session,
                          &(struct fitting_texts){.first = request.first,
                                                  .texts = request.texts,
                                                  .count = request.texts_count,
                                                  .done = on_added,
                                                  .arg = self});
    }
    if (err == SH_OK)
        return;
    sh_free(self);
    refuse(call, err);
}

static void on_end(void *arg, struct sh_rpc_call *call)
{
    struct fit_session request;
    if (sh_rpc_call_decode(call, fit_session_desc(), &request) != SH_OK)
        return; /* answered */
    enum sh_err err = fitting_end(arg, request.session);
    if (err != SH_OK)
        refuse(call, err);
    else
        reply_state(arg, call, request.session);
}

static void on_state(void *arg, struct sh_rpc_call *call)
{
    struct fit_session request;
    if (sh_rpc_call_decode(call, fit_session_desc(), &request) == SH_OK)
        reply_state(arg, call, request.session);
}

/* --- the file --------------------------------------------------------------------- */

static void on_file(void *arg, struct sh_rpc_call *call)
{
    struct model_piece_ref request;
    struct sh_bytes file;
    if (sh_rpc_call_decode(call, model_piece_ref_desc(), &request) != SH_OK)
        return; /* answered */
    enum sh_err err = fitting_file(arg, request.model, &file);
    if (err != SH_OK) {
        refuse(call, err);
        return;
    }
    size_t at = request.offset < file.len ? (size_t)request.offset : file.len;
    size_t len = file.len - at < PIECE ? file.len - at : PIECE;
    struct model_piece piece = {.offset = at, .bytes = file.len};
    sh_rpc_reply_raw(call, model_piece_desc(), &piece,
                     (struct sh_bytes){(const uint8_t *)file.data + at, len});
}

static void on_drop(void *arg, struct sh_rpc_call *call)
{
    struct fit_session request;
    if (sh_rpc_call_decode(call, fit_session_desc(), &request) != SH_OK)
        return; /* answered */
    fitting_drop(arg, request.session);
    struct fit_state state = {.state = sh_bytes_of(states[FITTING_NONE])};
    sh_rpc_reply(call, fit_state_desc(), &state);
}

enum sh_err fit_methods_add(struct fitting *fitting, struct sh_rpc_server *rpc)
{
    static const struct {
        uint32_t method;
        const char *name;
        size_t bytes_max;
        sh_rpc_handler_fn *handler;
    } all[] = {
        {METHOD_FIT_BEGIN, "embedder.fit_begin", 0, on_begin},
        {METHOD_FIT_ADD, "embedder.fit_add", TEXTS_MAX_BYTES, on_add},
        {METHOD_FIT_END, "embedder.fit_end", 0, on_end},
        {METHOD_FIT_STATE, "embedder.fit_state", 0, on_state},
        {METHOD_FIT_FILE, "embedder.fit_file", 0, on_file},
        {METHOD_FIT_DROP, "embedder.fit_drop", 0, on_drop},
    };
    enum sh_err err = SH_OK;
    for (size_t i = 0; err == SH_OK && i < SH_COUNT(all); i++)
        err = sh_rpc_server_add(rpc, all[i].method, all[i].name, all[i].bytes_max,
                                all[i].handler, fitting);
    return err;
}
