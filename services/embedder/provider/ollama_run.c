#include "services/embedder/provider/ollama_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

/* A batch is a stack of slices, first one slice of all texts. The slice on top is sent;
 * an answer settles its texts, a fault halves it. One call is under way per batch. */

enum { SLICES_MAX = 64, BACK_OFF_MS = 100, BACK_OFF_MAX_MS = 5000, BUDGET_MAX = 10 };

struct slice {
    size_t first;
    size_t count;
};

struct ollama_run {
    struct ollama *owner;
    struct ollama_run *next;
    struct ollama_run *prev;
    struct provider_batch *batch; /* NULL once it was answered */
    struct slice slices[SLICES_MAX];
    size_t depth;
    unsigned epoch;
    unsigned attempts; /* of the slice on top */
    unsigned faults;   /* in a row, without an answer that was of use */
    uint64_t sent_us;
    uv_timer_t pause;
    struct sh_http_call *call;
};

static struct sh_family inference = {
    .kind = SH_HISTOGRAM,
    .name = "cairn_embedder_endpoint_seconds",
    .help = "Time of one call of the embedding endpoint, by outcome.",
    .labels = {"outcome"},
};

static void step(struct ollama_run *run);

/* --- ending ----------------------------------------------------------------------- */

static void on_pause_closed(uv_handle_t *handle)
{
    struct ollama_run *run = handle->data;
    struct ollama *owner = run->owner;
    sh_free(run);
    ollama_handle_closed(owner);
}

/* What is still on the stack failed with `err`. */
static void end(struct ollama_run *run, enum sh_err err)
{
    struct provider_batch *batch = run->batch;
    while (run->depth > 0) {
        const struct slice *slice = &run->slices[--run->depth];
        provider_fail(batch, slice->first, slice->count, err);
    }
    *(run->prev ? &run->prev->next : &run->owner->runs) = run->next;
    if (run->next)
        run->next->prev = run->prev;
    run->batch = NULL;
    uv_close((uv_handle_t *)&run->pause, on_pause_closed);
    batch->done(batch);
}

/* --- one call --------------------------------------------------------------------- */

static struct slice *top(struct ollama_run *run)
{
    return &run->slices[run->depth - 1];
}

static void settle(struct ollama_run *run, enum sh_err err)
{
    struct slice *slice = top(run);
    if (err != SH_OK)
        provider_fail(run->batch, slice->first, slice->count, err);
    run->depth--;
    run->attempts = 0;
}

/* The left half goes first. Enough halves fit: a batch has at most 1,024 texts. */
static void halve(struct ollama_run *run)
{
    struct slice *slice = top(run);
    struct slice left = {slice->first, slice->count / 2};
    slice->first += left.count;
    slice->count -= left.count;
    run->slices[run->depth++] = left;
    run->attempts = 0;
}

/* More faults in a row than finding one bad text takes: it is not the text. */
static bool hopeless(const struct ollama_run *run)
{
    unsigned needed = 3;
    for (size_t n = run->batch->count; n > 1; n = (n + 1) / 2)
        needed++;
    return run->faults > needed;
}

/* The endpoint answered, but not with vectors for these texts. */
static void on_fault(struct ollama_run *run, enum sh_err err)
{
    run->faults++;
    if (hopeless(run)) {
        end(run, err);
        return;
    }
    if (top(run)->count > 1)
        halve(run);
    else
        settle(run, err);
    step(run);
}

static void on_pause(uv_timer_t *timer)
{
    step(timer->data);
}

/* False when there may be no further attempt. */
static bool try_again(struct ollama_run *run, unsigned retry_after_s)
{
    struct ollama *owner = run->owner;
    uint64_t pause = (uint64_t)BACK_OFF_MS << run->attempts;
    if (retry_after_s > 0)
        pause = (uint64_t)retry_after_s * 1000;
    else if (pause > BACK_OFF_MAX_MS)
        pause = BACK_OFF_MAX_MS;
    bool late = pause >= sh_left_ms(run->batch->deadline_ms);
    if (run->attempts >= owner->options.retries || owner->budget < 1 || late)
        return false;
    run->attempts++;
    owner->budget -= 1;
    uv_timer_start(&run->pause, on_pause, pause, 0);
    return true;
}

/* True when the breaker is open now. */
static bool count_failure(struct ollama *owner)
{
    sh_breaker_failure(&owner->breaker, sh_now_ms());
    if (!sh_breaker_open(&owner->breaker))
        return false;
    ollama_state(owner, false, "the endpoint fails; one call a second probes it");
    return true;
}

/* No connection, 429, or a 5xx that says "not now". */
static void on_trouble(struct ollama_run *run, enum sh_err err, unsigned retry_after_s)
{
    if (count_failure(run->owner) || !try_again(run, retry_after_s))
        end(run, err);
}

static void on_vectors(struct ollama_run *run, struct sh_bytes body)
{
    struct ollama *owner = run->owner;
    struct slice *slice = top(run);
    if (run->epoch != owner->epoch) {
        end(run, SH_UNAVAILABLE); /* these are another model's */
        return;
    }
    /* a NaN or a wrong length would poison what is stored */
    enum sh_err err = ollama_vectors(body, run->batch->texts + slice->first, slice->count,
                                     run->batch->dimension);
    if (err != SH_OK) {
        sh_warning(NULL,
                   "embedding endpoint: an answer for %zu texts is not %zu vectors of "
                   "%u finite numbers",
                   slice->count, slice->count, run->batch->dimension);
        on_fault(run, err);
        return;
    }
    sh_breaker_success(&owner->breaker);
    run->faults = 0;
    settle(run, SH_OK);
    step(run);
}

static void on_status(struct ollama_run *run, const struct sh_http_incoming *incoming)
{
    char words[128];
    int status = incoming->status;
    if (status == 200) {
        on_vectors(run, incoming->body);
        return;
    }
    ollama_error(incoming->body, words, sizeof(words));
    sh_warning(NULL, "embedding endpoint: status %d %s", status, words);
    if (status == 404) {
        ollama_state(run->owner, false,
                     "the model is not on the endpoint: pull it there");
        end(run, SH_UNAVAILABLE);
    } else if (status == 429 || (status >= 502 && status <= 504)) {
        on_trouble(run, status == 429 ? SH_BUSY : SH_UNAVAILABLE,
                   incoming->retry_after_s);
    } else if (status >= 500 && run->batch->count == 1 && try_again(run, 0)) {
        return; /* no other text to blame */
    } else if (status == 400 && run->batch->refuse_long && top(run)->count == 1) {
        run->faults = 0;
        settle(run, SH_TOOBIG);
        step(run);
    } else {
        on_fault(run, SH_UPSTREAM);
    }
}

/* A caller in a hurry says nothing about the endpoint; a second of silence does. */
static void on_silence(struct ollama_run *run, enum sh_err err, double seconds)
{
    struct ollama *owner = run->owner;
    double patience = (double)owner->options.timeout_ms / 1000;
    if (err == SH_TIMEOUT && seconds >= (patience < 1 ? patience : 1) * 0.9)
        count_failure(owner);
    end(run, err);
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct ollama_run *run = arg;
    struct ollama *owner = run->owner;
    double seconds = (double)(sh_now_us() - run->sent_us) / 1e6;
    run->call = NULL;
    if (!run->batch)
        return; /* ended meanwhile */
    bool good = err == SH_OK && incoming->status == 200;
    sh_series_observe(
        sh_series(&inference, (const char *[]){good ? "success" : "failure"}), seconds);
    owner->base.response_time_s = seconds;
    if (err == SH_OK) {
        on_status(run, incoming);
    } else if (err == SH_UNAVAILABLE) {
        on_trouble(run, err, 0);
    } else if (err == SH_UPSTREAM || err == SH_TOOBIG) {
        on_fault(run, SH_UPSTREAM); /* cut off, or not HTTP */
    } else {
        on_silence(run, err, seconds);
    }
}

static uint64_t timeout_of(const struct ollama_run *run)
{
    uint64_t left = sh_left_ms(run->batch->deadline_ms);
    uint64_t most = run->owner->options.timeout_ms;
    return left < most ? left : most;
}

static enum sh_err send_slice(struct ollama_run *run)
{
    struct ollama *owner = run->owner;
    const struct slice *slice = top(run);
    struct sh_buffer body = {0};
    enum sh_err err =
        ollama_request(owner->options.model, run->batch->texts + slice->first,
                       slice->count, !run->batch->refuse_long, &body);
    if (err == SH_OK)
        err = ollama_send(owner,
                          &(struct ollama_question){"POST", owner->options.url,
                                                    sh_buffer_bytes(&body),
                                                    timeout_of(run)},
                          on_answer, run, &run->call);
    sh_buffer_free(&body);
    run->sent_us = sh_now_us();
    owner->budget += owner->budget < BUDGET_MAX ? 0.2 : 0;
    return err;
}

/* Send the next slice, or end. */
static void step(struct ollama_run *run)
{
    while (run->depth > 0) {
        struct provider_batch *batch = run->batch;
        if (atomic_load_explicit(&batch->stop, memory_order_relaxed)) {
            end(run, SH_CANCELED);
            return;
        }
        if (sh_left_ms(batch->deadline_ms) == 0) {
            end(run, SH_TIMEOUT);
            return;
        }
        if (!sh_breaker_allow(&run->owner->breaker, sh_now_ms())) {
            end(run, SH_UNAVAILABLE);
            return;
        }
        enum sh_err err = send_slice(run);
        if (err == SH_OK)
            return;
        if (err != SH_MALFORMED) {
            end(run, err);
            return;
        }
        if (top(run)->count > 1)
            halve(run);
        else
            settle(run, err);
    }
    end(run, SH_OK);
}

/* --- batches ---------------------------------------------------------------------- */

static void start(struct ollama *self, struct ollama_run *run,
                  struct provider_batch *batch)
{
    run->owner = self;
    run->batch = batch;
    run->epoch = self->epoch;
    run->next = self->runs;
    if (run->next)
        run->next->prev = run;
    self->runs = run;
    (void)uv_timer_init(self->loop, &run->pause); /* cannot fail in libuv */
    run->pause.data = run;
    self->handles++;
    run->slices[run->depth++] = (struct slice){0, batch->count};
    step(run);
}

void ollama_submit(struct provider *base, struct provider_batch *batch)
{
    struct ollama *self = (struct ollama *)base;
    struct ollama_run *run = sh_alloc(sizeof(*run));
    if (run && !self->closing) {
        start(self, run, batch);
        return;
    }
    sh_free(run);
    provider_fail(batch, 0, batch->count, self->closing ? SH_CANCELED : SH_NOMEM);
    batch->done(batch);
}

void ollama_cancel_runs(struct ollama *self)
{
    while (self->runs) {
        struct ollama_run *run = self->runs;
        if (run->call)
            sh_http_client_cancel(run->call); /* on_answer sees that the batch is gone */
        end(run, SH_CANCELED);
    }
}
