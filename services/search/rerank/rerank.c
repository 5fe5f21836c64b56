#include "services/search/rerank/rerank.h"

#include <stdio.h>

#include "shared/breaker.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum { FAILURES = 5, ANSWER_MAX = 2 << 20, KEY_MAX = 1024, CONNECTIONS = 16 };

static struct sh_family rerank_total = {
    .kind = SH_COUNTER,
    .name = "cairn_search_rerank_total",
    .help = "Calls of the re-ranking endpoint, by outcome.",
    .labels = {"outcome"},
};

struct reranker {
    struct reranker_options options;
    struct sh_http_client *http;
    struct sh_breaker breaker;
    char authorization[KEY_MAX + 32];
    const char *headers[4];
};

/* --- the answer ------------------------------------------------------------------- */

static void end(struct rerank_job *job, enum sh_err err, const char *why)
{
    struct sh_breaker *breaker = &job->reranker->breaker;

    sh_count(&rerank_total, sh_err_code(err));
    if (err == SH_OK)
        sh_breaker_success(breaker);
    else if (err != SH_CANCELED)
        sh_breaker_failure(breaker, sh_now_ms());
    if (err != SH_OK && err != SH_CANCELED)
        sh_warning(job->trace, "re-ranking: %s; the order stands as it was%s", why,
                   sh_breaker_open(breaker) ? "; one call a second tries it from now on"
                                            : "");
    job->done(job, err);
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct rerank_job *job = arg;
    char why[64];

    job->call = NULL;
    if (err != SH_OK) {
        end(job, err, err == SH_TOOBIG ? "the answer is too great" : incoming->error);
        return;
    }
    if (incoming->status != 200) {
        (void)snprintf(why, sizeof(why), "status %d", incoming->status);
        end(job,
            incoming->status >= 500 || incoming->status == 429 ? SH_UNAVAILABLE
                                                               : SH_UPSTREAM,
            why);
        return;
    }
    err = rerank_scores(job->reranker->options.shape, incoming->body, job->question.count,
                        job->scores);
    end(job, err, "the answer is not one score for each text");
}

/* --- asking ----------------------------------------------------------------------- */

static enum sh_err post(struct reranker *self, struct rerank_job *job,
                        struct sh_bytes body)
{
    uint64_t left_ms = sh_left_ms(job->deadline_ms);
    uint64_t timeout_ms =
        left_ms < self->options.timeout_ms ? left_ms : self->options.timeout_ms;
    struct sh_http_outgoing outgoing = {.method = "POST",
                                        .url = self->options.url,
                                        .headers = self->headers,
                                        .body = body,
                                        .timeout_ms = timeout_ms,
                                        .connect_timeout_ms = timeout_ms,
                                        .max_body = ANSWER_MAX,
                                        .trace = job->trace};

    return sh_http_client_send(self->http, &outgoing, on_answer, job, &job->call);
}

enum sh_err reranker_start(struct reranker *self, struct rerank_job *job)
{
    struct sh_buffer body = {0};
    enum sh_err err;

    job->reranker = self;
    job->call = NULL;
    if (sh_left_ms(job->deadline_ms) == 0)
        return SH_UNAVAILABLE;
    if (!sh_breaker_allow(&self->breaker, sh_now_ms())) {
        sh_count(&rerank_total, "BREAKER_OPEN");
        return SH_UNAVAILABLE;
    }
    err = rerank_request(self->options.shape, self->options.model, &job->question, &body);
    if (err == SH_OK)
        err = post(self, job, sh_buffer_bytes(&body));
    sh_buffer_free(&body);
    return err;
}

void reranker_cancel(struct rerank_job *job)
{
    if (job->call != NULL)
        sh_http_client_cancel(job->call);
}

/* --- life ------------------------------------------------------------------------- */

/* What a header may hold. */
static bool is_plain(const char *text)
{
    for (; *text != '\0'; text++)
        if ((unsigned char)*text <= ' ' || (unsigned char)*text >= 0x7f)
            return false;
    return true;
}

static void set_headers(struct reranker *self)
{
    size_t count = 0;

    self->headers[count++] = "Content-Type: application/json";
    self->headers[count++] = "Accept: application/json";
    if (self->options.api_key[0] != '\0') {
        (void)snprintf(self->authorization, sizeof(self->authorization),
                       "Authorization: Bearer %s", self->options.api_key);
        self->headers[count++] = self->authorization;
    }
    self->headers[count] = NULL;
}

enum sh_err reranker_create(uv_loop_t *loop, const struct reranker_options *options,
                            struct reranker **out)
{
    struct reranker *self;
    enum sh_err err;

    *out = NULL;
    if (strlen(options->api_key) > KEY_MAX || !is_plain(options->api_key))
        return SH_INVALID;
    self = sh_alloc(sizeof(*self));
    if (self == NULL)
        return SH_NOMEM;
    self->options = *options;
    self->breaker.threshold = FAILURES;
    set_headers(self);
    err = sh_http_client_create(loop, CONNECTIONS, &self->http);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    *out = self;
    return SH_OK;
}

const struct reranker_options *reranker_options(const struct reranker *self)
{
    return &self->options;
}

void reranker_close(struct reranker **self_in)
{
    struct reranker *self = *self_in;

    *self_in = NULL;
    if (self == NULL)
        return;
    sh_http_client_close(&self->http);
    sh_free(self);
}
