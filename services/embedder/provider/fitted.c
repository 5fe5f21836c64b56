#include "services/embedder/provider/fitted.h"

#include <stdio.h>

#include "services/embedder/lsa/fetch.h"
#include "services/embedder/lsa/lsa_card.h"
#include "services/embedder/lsa/model_files.h"
#include "services/embedder/provider/builtin.h"
#include "shared/log.h"
#include "shared/mem.h"

struct fitted {
    struct provider base;
    uv_loop_t *loop;
    struct fitted_options options;
    char fingerprint[CARD_HASH_CHARS + 1];
    char path[MODEL_FILES_PATH];
    struct provider *inner; /* as soon as it is open */
    struct fetch *fetch;
    bool fetched;
    bool closing;
    bool working; /* the file is being opened */
    uv_work_t work;
    struct lsa *model; /* what came of it */
    const char *why;
    enum sh_err err;
};

bool fitted_is_fingerprint(struct sh_bytes text)
{
    const char *digits = text.data;
    if (text.len != CARD_HASH_CHARS)
        return false;
    for (size_t i = 0; i < text.len; i++)
        if (!((digits[i] >= '0' && digits[i] <= '9') ||
              (digits[i] >= 'a' && digits[i] <= 'f')))
            return false;
    return true;
}

/* --- opening the file ------------------------------------------------------------- */

/* Another model under this name would be as bad as a damaged one. */
static void on_worker(uv_work_t *work)
{
    struct fitted *self = work->data;
    struct card card = {0};
    self->why = "";
    self->err = lsa_open(self->path, &self->model, &self->why);
    if (self->err == SH_OK)
        self->err = lsa_card_of(&card, self->model);
    if (self->err == SH_OK && strcmp(card.fingerprint, self->fingerprint) != 0) {
        self->why = "it is another model";
        self->err = SH_MALFORMED;
    }
    if (self->err != SH_OK)
        lsa_close(&self->model);
}

static void give_up(struct fitted *self, const char *why)
{
    self->base.opening = false;
    (void)snprintf(self->base.why, sizeof(self->base.why), "%s", why);
    sh_warning(NULL, "fitted model %.16s: %s", self->fingerprint, why);
    provider_changed(&self->base);
}

static void on_fetched(void *arg, enum sh_err err);

static void fetch_it(struct fitted *self)
{
    struct fetch_order order = {.loop = self->loop,
                                .search = self->options.search,
                                .dir = self->options.dir,
                                .fingerprint = self->fingerprint,
                                .done = on_fetched,
                                .arg = self};
    enum sh_err err = SH_NOTFOUND;
    self->fetched = true;
    if (self->options.search)
        err = fetch_start(&order, &self->fetch);
    if (err != SH_OK)
        give_up(self, self->options.search
                          ? sh_err_text(err)
                          : "it is not at hand, and SEARCH_ENDPOINTS is not set");
}

static void adopt(struct fitted *self)
{
    struct provider *base = &self->base;
    struct builtin_options options = {.fitted = self->model,
                                      .threads = self->options.threads};
    enum sh_err err = builtin_create(self->loop, &options, &self->inner);
    if (err != SH_OK) {
        lsa_close(&self->model);
        give_up(self, sh_err_text(err));
        return;
    }
    self->model = NULL;
    base->card = self->inner->card;
    base->slots = self->inner->slots;
    base->batch_texts = self->inner->batch_texts;
    base->batch_bytes = self->inner->batch_bytes;
    base->opening = false;
    base->known = true;
    base->ready = true;
    base->why[0] = '\0';
    provider_changed(base);
}

static void on_opened(uv_work_t *work, int status)
{
    struct fitted *self = work->data;
    self->working = false;
    if (self->closing) {
        lsa_close(&self->model);
        sh_free(self);
    } else if (status == 0 && self->err == SH_OK) {
        adopt(self);
    } else if (!self->fetched && self->err != SH_NOMEM) {
        fetch_it(self);
    } else {
        give_up(self, *self->why ? self->why : sh_err_text(self->err));
    }
}

static void open_it(struct fitted *self)
{
    self->work.data = self;
    self->working = uv_queue_work(self->loop, &self->work, on_worker, on_opened) == 0;
    if (!self->working)
        give_up(self, sh_err_text(SH_NOMEM));
}

static void on_fetched(void *arg, enum sh_err err)
{
    struct fitted *self = arg;
    self->fetch = NULL;
    if (err == SH_OK)
        open_it(self);
    else
        give_up(self, err == SH_NOTFOUND ? "search has no such model" : sh_err_text(err));
}

/* --- as a provider ---------------------------------------------------------------- */

static void submit(struct provider *base, struct provider_batch *batch)
{
    struct fitted *self = (struct fitted *)base;
    if (self->inner) {
        self->inner->submit(self->inner, batch);
        base->response_time_s = self->inner->response_time_s;
        return;
    }
    provider_fail(batch, 0, batch->count, SH_UNAVAILABLE);
    batch->done(batch);
}

static void close_fitted(struct provider *base)
{
    struct fitted *self = (struct fitted *)base;
    self->closing = true;
    fetch_cancel(&self->fetch);
    if (self->inner)
        self->inner->close(self->inner);
    if (!self->working)
        sh_free(self);
}

enum sh_err fitted_create(uv_loop_t *loop, const struct fitted_options *options,
                          struct provider **out)
{
    *out = NULL;
    if (!fitted_is_fingerprint(sh_bytes_of(options->fingerprint)))
        return SH_NOTFOUND;
    struct fitted *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->loop = loop;
    self->options = *options;
    memcpy(self->fingerprint, options->fingerprint, sizeof(self->fingerprint));
    if (!model_files_path(options->dir, self->fingerprint, ".lsa", self->path)) {
        sh_free(self);
        return SH_INVALID;
    }
    (void)snprintf(self->base.card.name, sizeof(self->base.card.name), LSA_NAME);
    (void)snprintf(self->base.card.provider, sizeof(self->base.card.provider), "builtin");
    (void)snprintf(self->base.why, sizeof(self->base.why), "it is being opened");
    self->base.response_time_s = -1;
    self->base.opening = true;
    self->base.submit = submit;
    self->base.close = close_fitted;
    *out = &self->base;
    self->work.data = self;
    self->working = uv_queue_work(loop, &self->work, on_worker, on_opened) == 0;
    if (self->working)
        return SH_OK;
    sh_free(self);
    *out = NULL;
    return SH_NOMEM;
}
