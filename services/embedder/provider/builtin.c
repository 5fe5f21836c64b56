#include "services/embedder/provider/builtin.h"

#include <pthread.h>
#include <stdio.h>
#include <sys/stat.h>

#include "services/embedder/lsa/lsa_card.h"
#include "services/embedder/model/hashing.h"
#include "services/embedder/model/use_lite.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/workers.h"

/* A document is about 350 pieces, three windows: a few fill the kernels well, and a query
 * that comes meanwhile waits for no more than these. */
enum { BATCH_TEXTS = 8, BATCH_BYTES = 16 << 10, QUEUE = 64, IDLE_MS = 1000 };

/* What one thread needs to embed; idle ones are kept in a stack. */
struct area {
    struct area *next;
    struct use_lite_work *work;
    struct hashing *hashing;
    struct lsa_area *lsa;
};

struct builtin {
    struct provider base;
    struct sh_workers *workers;
    struct use_lite *model;
    struct lsa *fitted; /* neither: hashing */
    uv_timer_t idle;
    unsigned running;
    pthread_mutex_t lock; /* of areas */
    struct area *areas;
};

struct run {
    struct sh_work work;
    struct builtin *self;
    struct provider_batch *batch;
    uint64_t started_us;
    enum sh_err err; /* of all */
};

static struct sh_family inference = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_embedder_inference_seconds",
    .help = "Time to compute or fetch the vectors of one batch.",
    .labels = {"provider"},
};

/* --- areas ------------------------------------------------------------------------ */

static void free_area(struct area *area)
{
    use_lite_work_free(area->work);
    hashing_free(&area->hashing);
    lsa_area_free(&area->lsa);
    sh_free(area);
}

static struct area *make_area(const struct builtin *self)
{
    struct area *area = sh_alloc(sizeof(*area));
    if (!area)
        return NULL;
    bool ok = false;
    if (self->model)
        ok = (area->work = use_lite_work_create()) != NULL;
    else if (self->fitted)
        ok = lsa_area_create(&area->lsa) == SH_OK;
    else
        ok = hashing_create(&area->hashing) == SH_OK;
    if (ok)
        return area;
    free_area(area);
    return NULL;
}

static struct area *take_area(struct builtin *self)
{
    pthread_mutex_lock(&self->lock);
    struct area *area = self->areas;
    if (area)
        self->areas = area->next;
    pthread_mutex_unlock(&self->lock);
    return area ? area : make_area(self);
}

static void give_back(struct builtin *self, struct area *area)
{
    pthread_mutex_lock(&self->lock);
    area->next = self->areas;
    self->areas = area;
    pthread_mutex_unlock(&self->lock);
}

static void free_areas(struct builtin *self)
{
    while (self->areas) {
        struct area *area = self->areas;
        self->areas = area->next;
        free_area(area);
    }
}

/* An idle embedder holds neither work areas nor the model's pages. */
static void on_idle(uv_timer_t *timer)
{
    struct builtin *self = timer->data;
    free_areas(self);
    if (self->model)
        pack_rest(use_lite_pack(self->model));
    if (self->fitted)
        pack_rest(lsa_pack(self->fitted));
}

/* --- on a worker ------------------------------------------------------------------ */

static bool is_wanted(void *arg)
{
    struct provider_batch *batch = arg;
    return !atomic_load_explicit(&batch->stop, memory_order_relaxed) &&
           sh_now_ms() <= batch->deadline_ms;
}

static enum sh_err run_use_lite(const struct builtin *self, struct area *area,
                                struct provider_batch *batch)
{
    struct use_lite_text texts[BATCH_TEXTS];
    for (size_t i = 0; i < batch->count; i++) {
        texts[i] = (struct use_lite_text){
            .text = batch->texts[i].text,
            .refuse_long = batch->refuse_long,
            .vector = batch->texts[i].vector,
        };
    }
    struct use_lite_stop stop = {is_wanted, batch};
    enum sh_err err = use_lite_texts(self->model, area->work, texts, batch->count, &stop);
    for (size_t i = 0; i < batch->count; i++) {
        batch->texts[i].err = texts[i].err;
        batch->texts[i].tokens = (uint32_t)texts[i].tokens;
    }
    return err;
}

static enum sh_err run_hashing(struct area *area, struct provider_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct provider_text *text = &batch->texts[i];
        if (!is_wanted(batch))
            return SH_CANCELED;
        size_t words = 0;
        text->err = hashing_embed(area->hashing, text->text, batch->refuse_long,
                                  text->vector, &words);
        text->tokens = (uint32_t)words;
    }
    return SH_OK;
}

static enum sh_err run_fitted(const struct builtin *self, struct area *area,
                              struct provider_batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct provider_text *text = &batch->texts[i];
        if (!is_wanted(batch))
            return SH_CANCELED;
        size_t words = 0;
        text->err = lsa_embed(self->fitted, area->lsa, text->text, batch->refuse_long,
                              text->vector, &words);
        text->tokens = (uint32_t)words;
    }
    return SH_OK;
}

static enum sh_err run_model(const struct builtin *self, struct area *area,
                             struct provider_batch *batch)
{
    if (self->model)
        return run_use_lite(self, area, batch);
    return self->fitted ? run_fitted(self, area, batch) : run_hashing(area, batch);
}

static void on_worker(struct sh_work *work)
{
    struct run *run = (struct run *)work;
    struct area *area = take_area(run->self);
    if (!area) {
        run->err = SH_NOMEM;
        return;
    }
    run->err = run_model(run->self, area, run->batch);
    give_back(run->self, area);
}

/* --- on the loop ------------------------------------------------------------------ */

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct run *run = (struct run *)work;
    struct builtin *self = run->self;
    struct provider_batch *batch = run->batch;
    double seconds = (double)(sh_now_us() - run->started_us) / 1e6;

    if (err == SH_OK)
        err = run->err;
    if (err == SH_CANCELED && sh_now_ms() > batch->deadline_ms)
        err = SH_TIMEOUT;
    if (err != SH_OK)
        provider_fail(batch, 0, batch->count, err);
    sh_free(run);
    self->base.response_time_s = seconds;
    sh_series_observe(sh_series(&inference, (const char *[]){"builtin"}), seconds);
    if (--self->running == 0 && self->workers)
        uv_timer_start(&self->idle, on_idle, IDLE_MS, 0);
    batch->done(batch);
}

static void submit(struct provider *base, struct provider_batch *batch)
{
    struct builtin *self = (struct builtin *)base;
    struct run *run = sh_alloc(sizeof(*run));
    enum sh_err err = run ? SH_OK : SH_NOMEM;
    if (run) {
        *run = (struct run){
            {.run = on_worker, .done = on_done}, self, batch, sh_now_us(), SH_OK};
        err = sh_workers_submit(self->workers, &run->work);
    }
    if (err == SH_OK) {
        self->running++;
        uv_timer_stop(&self->idle);
        return;
    }
    sh_free(run);
    provider_fail(batch, 0, batch->count, err);
    batch->done(batch);
}

static void on_closed(uv_handle_t *handle)
{
    struct builtin *self = handle->data;
    pthread_mutex_destroy(&self->lock);
    sh_free(self);
}

static void close_builtin(struct provider *base)
{
    struct builtin *self = (struct builtin *)base;
    sh_workers_close(&self->workers);
    free_areas(self);
    use_lite_close(&self->model);
    lsa_close(&self->fitted);
    uv_close((uv_handle_t *)&self->idle, on_closed);
}

/* --- opening ---------------------------------------------------------------------- */

static enum sh_err open_use_lite(struct builtin *self,
                                 const struct builtin_options *options)
{
    char path[4096];
    const char *why = "its path is too long";
    const struct kernel *kernel = kernel_find(options->kernel);
    if (!kernel) {
        sh_error(NULL, "EMBEDDER_KERNEL=%s: this processor has no such instructions",
                 options->kernel);
        return SH_INVALID;
    }
    int len = snprintf(path, sizeof(path), "%s/use-lite.pack", options->model_dir);
    enum sh_err err = SH_NOTFOUND;
    if (len > 0 && (size_t)len < sizeof(path))
        err = use_lite_open(path, kernel, &self->model, &why);
    if (err == SH_OK) {
        sh_info(NULL, "model use-lite from %s, kernel %s", path, kernel->name);
        return SH_OK;
    }
    sh_warning(NULL, "model use-lite: %s: %s; scripts/fetch-model.sh fetches it", path,
               why);
    return err == SH_NOMEM ? err : SH_NOTFOUND;
}

/* When the file was last written; 0 when it cannot be told. */
static double modified_at(const char *path)
{
    struct stat about;
    if (stat(path, &about) != 0)
        return 0;
    return (double)about.st_mtim.tv_sec + (double)about.st_mtim.tv_nsec / 1e9;
}

static void describe_use_lite(struct builtin *self, const char *model_dir)
{
    char path[4096];
    struct card *card = &self->base.card;
    (void)snprintf(card->name, sizeof(card->name), "use-lite");
    card->dimension = USE_LITE_DIMENSION;
    card->context_length = USE_LITE_PIECES_MAX;
    card->alpha = 0.3;
    card->size_bytes = pack_file_bytes(use_lite_pack(self->model));
    card_hex(pack_source(use_lite_pack(self->model)), PACK_DIGEST_BYTES, card->digest);
    (void)snprintf(card->format, sizeof(card->format), "cairn-pack");
    (void)snprintf(card->family, sizeof(card->family), "universal-sentence-encoder");
    (void)snprintf(card->quantization, sizeof(card->quantization), "Q16");
    (void)snprintf(path, sizeof(path), "%s/use-lite.pack", model_dir); /* it was opened */
    card->modified_at = modified_at(path);
}

static void describe_hashing(struct builtin *self)
{
    struct card *card = &self->base.card;
    (void)snprintf(card->name, sizeof(card->name), "hashing");
    card->dimension = HASHING_DIMENSION;
    card->context_length = HASHING_TEXT_MAX / 4;
    card->alpha = 0.1;
    /* to be changed with the algorithm: it stands for the weights */
    (void)snprintf(card->digest, sizeof(card->digest), "hashing-1");
    (void)snprintf(card->family, sizeof(card->family), "hashing");
    card->modified_at =
        modified_at("/proc/self/exe"); /* it has no file but the program */
}

static enum sh_err open_model(struct builtin *self, const struct builtin_options *options)
{
    bool any = *options->model == '\0';
    if (any || strcmp(options->model, "use-lite") == 0) {
        enum sh_err err = open_use_lite(self, options);
        if (err == SH_OK)
            describe_use_lite(self, options->model_dir);
        if (err != SH_NOTFOUND || !any)
            return err;
        sh_warning(NULL,
                   "the hashing model serves instead: it matches words, not meaning");
    } else if (strcmp(options->model, "hashing") != 0) {
        sh_error(NULL, "EMBEDDING_MODEL=%s: the built-in models are use-lite and hashing",
                 options->model);
        return SH_NOTFOUND;
    }
    describe_hashing(self);
    return SH_OK;
}

static unsigned threads_of(const struct builtin_options *options)
{
    return options->threads > 0 ? options->threads : uv_available_parallelism();
}

enum sh_err builtin_create(uv_loop_t *loop, const struct builtin_options *options,
                           struct provider **out)
{
    *out = NULL;
    struct builtin *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->fitted = options->fitted;
    enum sh_err err = self->fitted ? lsa_card_of(&self->base.card, self->fitted)
                                   : open_model(self, options);
    (void)snprintf(self->base.card.provider, sizeof(self->base.card.provider), "builtin");
    if (err == SH_OK)
        err = card_seal(&self->base.card);
    unsigned threads = threads_of(options);
    if (err == SH_OK)
        err = sh_workers_create(loop, "embed", threads, QUEUE + threads, &self->workers);
    if (err != SH_OK) {
        use_lite_close(&self->model);
        sh_free(self);
        return err;
    }
    pthread_mutex_init(&self->lock, NULL);
    (void)uv_timer_init(loop, &self->idle); /* cannot fail in libuv */
    self->idle.data = self;
    uv_unref((uv_handle_t *)&self->idle); /* resting is no reason to live on */
    self->base.known = true;
    self->base.ready = true;
    self->base.response_time_s = -1;
    self->base.slots = threads;
    self->base.batch_texts = BATCH_TEXTS;
    self->base.batch_bytes = BATCH_BYTES;
    self->base.submit = submit;
    self->base.close = close_builtin;
    *out = &self->base;
    return SH_OK;
}
