#include "services/embedder/shelf.h"

#include <stdio.h>

#include "services/embedder/lsa/lsa_card.h"
#include "services/embedder/provider/builtin.h"
#include "services/embedder/provider/fitted.h"
#include "services/embedder/provider/ollama.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

enum { IDLE_MS = 60000 }; /* one that was not asked for so long may make room */

/* --- providers -------------------------------------------------------------------- */

static enum sh_err open_ollama(const struct embedder_config *config, uv_loop_t *loop,
                               const char *name, struct provider **out)
{
    return ollama_create(loop,
                         &(struct ollama_options){
                             .url = config->url,
                             .model = name,
                             .query_prefix = config->query_prefix,
                             .document_prefix = config->document_prefix,
                             .timeout_ms = (uint64_t)(config->timeout_s * 1000),
                             .batch_texts = config->batch_size,
                             .batch_bytes = config->batch_chars,
                             .concurrency = config->concurrency,
                             .retries = config->retries,
                             .breaker_failures = config->breaker_failures,
                         },
                         out);
}

static enum sh_err open_builtin(const struct embedder_config *config, uv_loop_t *loop,
                                const char *name, struct provider **out)
{
    return builtin_create(loop,
                          &(struct builtin_options){
                              .model = name,
                              .model_dir = config->model_dir,
                              .kernel = config->kernel,
                              .threads = config->threads,
                          },
                          out);
}

/* --- which one is meant ----------------------------------------------------------- */

struct meant {
    bool builtin;
    bool any_provider;
    bool fitted; /* then the fingerprint is its name: there may be several */
    char fingerprint[CARD_HASH_CHARS + 1];
    char name[257]; /* "": the default */
};

static bool skip(struct sh_bytes *text, const char *prefix)
{
    size_t len = strlen(prefix);
    if (text->len < len || memcmp(text->data, prefix, len) != 0)
        return false;
    text->data = (const char *)text->data + len;
    text->len -= len;
    return true;
}

/* A colon is part of an endpoint's names: only these two words are providers. */
static struct meant parse(const struct shelf *self, struct sh_bytes model)
{
    struct meant meant = {.builtin = strcmp(self->config->provider, "ollama") != 0};
    if (skip(&model, "builtin:"))
        meant.builtin = true;
    else if (skip(&model, "ollama:"))
        meant.builtin = false;
    else
        meant.any_provider = true;
    (void)snprintf(meant.name, sizeof(meant.name), "%.*s", (int)model.len,
                   model.len > 0 ? (const char *)model.data : "");
    return meant;
}

static void take_fingerprint(struct meant *meant, struct sh_bytes fingerprint)
{
    meant->fitted = true;
    if (fitted_is_fingerprint(fingerprint))
        memcpy(meant->fingerprint, fingerprint.data, CARD_HASH_CHARS);
}

/* "lsa" with a fingerprint beside it, or "lsa@" and the fingerprint. */
static void parse_fitted(struct meant *meant, struct sh_bytes fingerprint)
{
    struct sh_bytes name = sh_bytes_of(meant->name);
    if (!meant->builtin && !meant->any_provider)
        return;
    if (sh_bytes_is(name, LSA_NAME))
        take_fingerprint(meant, fingerprint);
    else if (skip(&name, LSA_NAME "@"))
        take_fingerprint(meant, name);
}

static bool is_meant(const struct shelf_model *model, const struct meant *meant)
{
    const struct card *card = &model->provider->card;
    bool builtin = strcmp(card->provider, "builtin") == 0;
    return card_is(card, sh_bytes_of(meant->name)) &&
           (meant->any_provider || builtin == meant->builtin);
}

static struct shelf_model *by_fingerprint(const struct shelf *self,
                                          struct sh_bytes fingerprint)
{
    for (size_t i = 0; fingerprint.len > 0 && i < self->count; i++) {
        const struct provider *provider = self->models[i]->provider;
        if (provider->known && sh_bytes_is(fingerprint, provider->card.fingerprint))
            return self->models[i];
    }
    return NULL;
}

static struct shelf_model *by_wish(const struct shelf *self, const struct meant *meant)
{
    for (size_t i = 0; i < self->count; i++)
        if (strcmp(self->models[i]->wanted, meant->fingerprint) == 0)
            return self->models[i];
    return NULL;
}

static struct shelf_model *by_name(const struct shelf *self, const struct meant *meant)
{
    if (meant->fitted && meant->fingerprint[0] != '\0')
        return by_wish(self, meant);
    if (meant->name[0] == '\0')
        return self->models[0];
    for (size_t i = 0; i < self->count; i++)
        if (is_meant(self->models[i], meant))
            return self->models[i];
    return NULL;
}

/* --- putting on, taking off ------------------------------------------------------- */

static void on_changed(void *arg)
{
    struct shelf_model *model = arg;
    struct shelf *self = model->shelf;
    const char *fingerprint = model->provider->card.fingerprint;
    if (strcmp(model->fingerprint, fingerprint) != 0) {
        (void)snprintf(model->fingerprint, sizeof(model->fingerprint), "%s", fingerprint);
        desk_forget(model->desk);
    }
    if (self->changed && model == self->models[0])
        self->changed(self->arg);
    if (!model->provider->opening)
        shelf_wake(model);
}

static void close_model(struct shelf_model *model)
{
    shelf_wake(model);
    if (model->provider) {
        model->provider->changed = NULL;
        model->provider->close(model->provider);
    }
    desk_close(&model->desk);
    sh_free(model);
}

static enum sh_err open_desk(struct shelf *self, struct shelf_model *model)
{
    const struct provider *provider = model->provider;
    bool everything = strcmp(self->config->cache_redis, "on") == 0;
    return desk_create(self->loop,
                       &(struct desk_options){
                           .provider = model->provider,
                           .lru = self->lru,
                           .remote = self->remote,
                           .remote_documents = everything || provider->remote,
                           .queue_max = self->config->queue_max,
                       },
                       &model->desk);
}

static enum sh_err open_fitted(const struct shelf *self, const char *fingerprint,
                               struct provider **out)
{
    struct fitted_options options = {.fingerprint = fingerprint,
                                     .dir = self->config->fitted_dir,
                                     .search = self->search,
                                     .threads = self->config->threads};
    return fitted_create(self->loop, &options, out);
}

/* Providers borrow the name: it is the model's. */
static enum sh_err open_provider(const struct shelf *self, const struct meant *meant,
                                 struct shelf_model *model)
{
    struct provider **out = &model->provider;
    if (meant->fitted)
        return open_fitted(self, model->wanted, out);
    return meant->builtin ? open_builtin(self->config, self->loop, model->name, out)
                          : open_ollama(self->config, self->loop, model->name, out);
}

static enum sh_err put_on(struct shelf *self, const struct meant *meant,
                          struct shelf_model **out)
{
    struct shelf_model *model = sh_alloc(sizeof(*model));
    if (!model)
        return SH_NOMEM;
    model->shelf = self;
    model->used_ms = sh_now_ms();
    (void)snprintf(model->name, sizeof(model->name), "%s", meant->name);
    memcpy(model->wanted, meant->fingerprint, sizeof(model->wanted));
    enum sh_err err = open_provider(self, meant, model);
    if (err == SH_OK)
        err = open_desk(self, model);
    if (err != SH_OK) {
        close_model(model);
        return err;
    }
    (void)snprintf(model->fingerprint, sizeof(model->fingerprint), "%s",
                   model->provider->card.fingerprint);
    model->provider->changed = on_changed;
    model->provider->changed_arg = model;
    self->models[self->count++] = model;
    *out = model;
    return SH_OK;
}

static void take_off(struct shelf *self, struct shelf_model *model)
{
    size_t at = 0;
    while (self->models[at] != model)
        at++;
    close_model(model);
    self->models[at] = self->models[--self->count];
}

/* The one that nobody asked for longest goes, if that is long enough; never the default.
 */
static bool make_room(struct shelf *self)
{
    size_t oldest = 0;
    if (self->count < SHELF_MAX)
        return true;
    for (size_t i = 1; i < self->count; i++)
        if (oldest == 0 || self->models[i]->used_ms < self->models[oldest]->used_ms)
            oldest = i;
    if (sh_now_ms() - self->models[oldest]->used_ms < IDLE_MS)
        return false;
    take_off(self, self->models[oldest]);
    return true;
}

void shelf_forget(struct shelf *self, struct sh_bytes fingerprint)
{
    struct shelf_model *model = by_fingerprint(self, fingerprint);

    if (model == NULL || model == self->models[0])
        return;
    sh_info(NULL, "model %s is not needed any more", model->provider->card.name);
    take_off(self, model);
}

/* Search did not have it, or could not be asked: that may be otherwise by now. */
static bool gave_up(const struct shelf_model *model)
{
    const struct provider *provider = model->provider;
    return model->wanted[0] != '\0' && !provider->known && !provider->opening;
}

static enum sh_err open_other(struct shelf *self, const struct meant *meant,
                              struct shelf_model **out)
{
    if (!make_room(self))
        return SH_BUSY;
    enum sh_err err = put_on(self, meant, out);
    if (err == SH_OK)
        sh_info(NULL, "model %s of %s is at hand as well", meant->name,
                (*out)->provider->card.provider);
    return err == SH_INVALID ? SH_NOTFOUND : err;
}

/* --- the rest --------------------------------------------------------------------- */

enum sh_err shelf_find(struct shelf *self, const struct shelf_wish *wish, bool open,
                       struct shelf_model **out)
{
    struct meant meant = parse(self, wish->model);
    struct shelf_model *model = by_fingerprint(self, wish->fingerprint);
    enum sh_err err = SH_OK;
    parse_fitted(&meant, wish->fingerprint);
    if (!model)
        model = by_name(self, &meant);
    if (model && gave_up(model)) {
        take_off(self, model);
        model = NULL;
    }
    if (!model && (open || wish->fingerprint.len > 0))
        err = open_other(self, &meant, &model);
    if (!model)
        return err != SH_OK ? err : SH_NOTFOUND;
    model->used_ms = sh_now_ms();
    *out = model;
    const struct provider *provider = model->provider;
    bool other = wish->fingerprint.len > 0 && provider->known &&
                 !sh_bytes_is(wish->fingerprint, provider->card.fingerprint);
    return other ? SH_CONFLICT : SH_OK;
}

size_t shelf_queued(const struct shelf *self)
{
    size_t queued = 0;
    for (size_t i = 0; i < self->count; i++)
        queued += desk_queued(self->models[i]->desk);
    return queued;
}

enum sh_err shelf_open(struct shelf *self)
{
    const struct embedder_config *config = self->config;
    struct meant meant = {.builtin = strcmp(config->provider, "ollama") != 0};
    struct shelf_model *model;
    (void)snprintf(meant.name, sizeof(meant.name), "%s", config->model);
    enum sh_err err = shelf_waiting_open(self);
    if (err == SH_OK)
        err = put_on(self, &meant, &model);
    if (err != SH_OK)
        sh_error(NULL, "EMBEDDING_PROVIDER=%s cannot start: %s", config->provider,
                 sh_err_text(err));
    return err;
}

void shelf_close(struct shelf *self)
{
    while (self->count > 0)
        close_model(self->models[--self->count]);
    shelf_waiting_close(self);
}
