#include "services/embedder/lsa/fitting.h"

#include <stdio.h>
#include <unistd.h>

#include "services/embedder/lsa/lsa_card.h"
#include "services/embedder/lsa/lsa_fit.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/sched.h"
#include "shared/workers.h"

enum { IDLE_MS = 300000, LOOK_MS = 1000, SESSION_MAX = 64 };

/* What one piece of work is given; the worker has the fit to itself until it is done. */
struct task {
    struct sh_work work;
    struct fitting *self;
    struct fitting_texts texts; /* of an addition */
    size_t skip;                /* of them are there already */
    bool running;               /* submitted, not yet done */
    bool computes;
    enum sh_err err;
};

struct fitting {
    struct fitting_options options;
    struct sh_workers *workers;
    uv_timer_t timer;
    char session[SESSION_MAX + 1];
    struct fitting_figures figures;
    bool dropped; /* as soon as the task is over */
    uint64_t heard_ms;
    struct lsa_fit *fit;
    struct lsa_fit_watch watch;
    struct sh_buffer file;
    struct task task;
};

/* --- the session ------------------------------------------------------------------ */

static bool is_it(const struct fitting *self, struct sh_bytes session)
{
    return self->figures.state != FITTING_NONE && !self->dropped &&
           sh_bytes_is(session, self->session);
}

static void forget(struct fitting *self)
{
    lsa_fit_free(&self->fit);
    sh_buffer_free(&self->file);
    self->figures = (struct fitting_figures){.steps = LSA_FIT_STEPS};
    self->dropped = false;
    uv_timer_stop(&self->timer);
}

static void drop(struct fitting *self)
{
    atomic_store(&self->watch.stop, true);
    if (self->task.running)
        self->dropped = true;
    else
        forget(self);
}

static void on_timer(uv_timer_t *timer)
{
    struct fitting *self = timer->data;
    uint64_t idle_ms = self->options.idle_ms > 0 ? self->options.idle_ms : IDLE_MS;
    if (self->figures.state == FITTING_NONE || self->dropped ||
        sh_now_ms() < self->heard_ms + idle_ms)
        return;
    sh_warning(NULL, "nobody asks for the fit any more: it is dropped");
    drop(self);
}

static void heard(struct fitting *self)
{
    self->heard_ms = sh_now_ms();
}

enum sh_err fitting_begin(struct fitting *self, struct sh_bytes session,
                          uint32_t dimension)
{
    if (session.len == 0 || session.len > SESSION_MAX)
        return SH_INVALID;
    if (self->figures.state != FITTING_NONE && !is_it(self, session))
        return SH_BUSY;
    drop(self);
    if (self->task.running)
        return SH_BUSY;
    struct lsa_fit_options options = {.rank = dimension,
                                      .bytes_max = self->options.bytes_max,
                                      .threads = self->options.threads};
    enum sh_err err = lsa_fit_create(&options, &self->fit);
    if (err != SH_OK)
        return err;
    (void)snprintf(self->session, sizeof(self->session), "%.*s", (int)session.len,
                   (const char *)session.data);
    atomic_store(&self->watch.stop, false);
    atomic_store(&self->watch.steps, 0);
    self->figures.state = FITTING_ADDING;
    heard(self);
    uv_timer_start(&self->timer, on_timer, LOOK_MS, LOOK_MS);
    return SH_OK;
}

static void fail(struct fitting *self, enum sh_err err)
{
    self->figures.state = FITTING_FAILED;
    self->figures.code = sh_err_code(err);
    self->figures.message = sh_err_text(err);
    if (err == SH_TOOBIG) {
        self->figures.code = "fit_too_large";
        self->figures.message = "the fit takes more memory than EMBEDDER_FIT_MB allows";
    } else if (err == SH_INVALID) {
        self->figures.code = "too_little_text";
        self->figures.message = "there is too little text to fit a model to";
    }
    lsa_fit_free(&self->fit);
    sh_buffer_free(&self->file);
}

/* --- on the worker ---------------------------------------------------------------- */

static void add_texts(struct task *task)
{
    struct fitting *self = task->self;
    for (size_t i = task->skip; task->err == SH_OK && i < task->texts.count; i++) {
        if (atomic_load_explicit(&self->watch.stop, memory_order_relaxed))
            task->err = SH_CANCELED;
        else
            task->err = lsa_fit_add(self->fit, task->texts.texts[i]);
        if (task->err == SH_MALFORMED)
            task->err = SH_OK; /* left out */
    }
}

static void on_worker(struct sh_work *work)
{
    struct task *task = SH_CONTAINER_OF(work, struct task, work);
    struct fitting *self = task->self;
    sh_sched_background();
    if (task->computes)
        task->err = lsa_fit_finish(self->fit, &self->watch, &self->file);
    else
        add_texts(task);
}

/* --- back on the loop ------------------------------------------------------------- */

static void computed(struct fitting *self)
{
    struct card card = {0};
    struct fitting_figures *figures = &self->figures;
    enum sh_err err = lsa_card(&card, sh_buffer_bytes(&self->file));
    if (err != SH_OK) {
        fail(self, err);
        return;
    }
    figures->state = FITTING_DONE;
    figures->dimension = card.dimension;
    figures->terms = (uint32_t)lsa_fit_terms(self->fit);
    figures->bytes = self->file.len;
    memcpy(figures->fingerprint, card.fingerprint, sizeof(figures->fingerprint));
    lsa_fit_free(&self->fit);
    sh_info(NULL, "a model of %u dimensions was fitted to %llu texts, %u terms",
            card.dimension, (unsigned long long)figures->texts, figures->terms);
}

static void on_done(struct sh_work *work, enum sh_err err)
{
    struct task *task = SH_CONTAINER_OF(work, struct task, work);
    struct fitting *self = task->self;
    struct fitting_texts texts = task->texts;
    bool computes = task->computes;
    task->running = false;
    heard(self);
    if (err == SH_OK)
        err = task->err;
    if (self->dropped)
        forget(self);
    else if (err != SH_OK)
        fail(self, err);
    else if (computes)
        computed(self);
    else if (texts.first + texts.count > self->figures.texts)
        self->figures.texts = texts.first + texts.count;
    if (!computes)
        texts.done(texts.arg, err == SH_CANCELED ? err : SH_OK);
}

static enum sh_err submit(struct fitting *self, const struct task *task)
{
    self->task = *task;
    self->task.self = self;
    self->task.work = (struct sh_work){.run = on_worker, .done = on_done};
    enum sh_err err = sh_workers_submit(self->workers, &self->task.work);
    self->task.running = err == SH_OK;
    return err;
}

enum sh_err fitting_add(struct fitting *self, struct sh_bytes session,
                        const struct fitting_texts *texts)
{
    uint64_t have = self->figures.texts;
    if (!is_it(self, session))
        return SH_NOTFOUND;
    heard(self);
    if (self->figures.state == FITTING_ADDING && self->task.running)
        return SH_BUSY;
    if (self->figures.state != FITTING_ADDING || texts->first > have)
        return SH_CONFLICT;
    size_t skip =
        have - texts->first < texts->count ? (size_t)(have - texts->first) : texts->count;
    return submit(self, &(struct task){.texts = *texts, .skip = skip});
}

enum sh_err fitting_end(struct fitting *self, struct sh_bytes session)
{
    if (!is_it(self, session))
        return SH_NOTFOUND;
    heard(self);
    if (self->figures.state != FITTING_ADDING)
        return SH_OK;
    if (self->task.running)
        return SH_BUSY;
    enum sh_err err = submit(self, &(struct task){.computes = true});
    if (err == SH_OK)
        self->figures.state = FITTING_RUNNING;
    return err;
}

enum sh_err fitting_look(struct fitting *self, struct sh_bytes session,
                         struct fitting_figures *out)
{
    if (!is_it(self, session))
        return SH_NOTFOUND;
    heard(self);
    self->figures.step = atomic_load(&self->watch.steps);
    *out = self->figures;
    return SH_OK;
}

enum sh_err fitting_file(struct fitting *self, struct sh_bytes session,
                         struct sh_bytes *file)
{
    if (!is_it(self, session) || self->figures.state != FITTING_DONE)
        return SH_NOTFOUND;
    heard(self);
    *file = sh_buffer_bytes(&self->file);
    return SH_OK;
}

void fitting_drop(struct fitting *self, struct sh_bytes session)
{
    if (is_it(self, session))
        drop(self);
}

/* --- life ------------------------------------------------------------------------- */

enum sh_err fitting_create(uv_loop_t *loop, const struct fitting_options *options,
                           struct fitting **out)
{
    struct fitting *self = sh_alloc(sizeof(*self));
    *out = NULL;
    if (!self)
        return SH_NOMEM;
    self->options = *options;
    if (self->options.threads == 0)
        self->options.threads = uv_available_parallelism();
    self->figures.steps = LSA_FIT_STEPS;
    enum sh_err err = sh_workers_create(loop, "fit", 1, 2, &self->workers);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    (void)uv_timer_init(loop, &self->timer); /* cannot fail in libuv */
    self->timer.data = self;
    uv_unref((uv_handle_t *)&self->timer);
    *out = self;
    return SH_OK;
}

static void on_closed(uv_handle_t *handle)
{
    sh_free(handle->data);
}

void fitting_close(struct fitting **fitting)
{
    struct fitting *self = *fitting;
    if (!self)
        return;
    *fitting = NULL;
    drop(self);
    sh_workers_close(&self->workers);
    forget(self);
    uv_close((uv_handle_t *)&self->timer, on_closed);
}
