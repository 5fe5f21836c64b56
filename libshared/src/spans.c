/* Happy path: a span is copied into a ring; when a batch is there, or a while after the
 * first, the loop posts them. One post is under way at a time. Failure modes: no room in
 * the ring, the collector refuses or is away: spans are dropped and counted. */
#include "shared/spans.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "libshared/src/spans_json.h"
#include "shared/clock.h"
#include "shared/http_client.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"

enum {
    RING = 2048,
    BATCH = 256, /* what the loop encodes at once */
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 64 << 10,
    URL_MAX = 1100,
    HEADERS_MAX = 8,
    HEADERS_BYTES = 2200,
    SAMPLED = 1,
};

SH_SETTINGS_DEFINE(sh_spans, "Traces told to a collector", SH_SPANS_SETTINGS)

static struct sh_family spans_total = {
    .kind = SH_COUNTER,
    .name = "cairn_spans_total",
    .help = "Spans told to the collector, or why not",
    .labels = {"result"},
};

struct sh_spans {
    uv_async_t wake;
    uv_timer_t due;
    unsigned handles; /* not closed yet */
    struct sh_http_client *client;
    const struct sh_spans_config *config;
    const char *service;
    const char *environment;
    char url[URL_MAX];
    char header_text[HEADERS_BYTES];
    const char *headers[HEADERS_MAX + 2];
    size_t under_way; /* spans of the post that is */
    bool complained;
    struct span_kept batch[BATCH];
    struct span_kept ring[RING]; /* under the lock, like what follows */
    size_t first, used;
};

/* Who collects; the lock also keeps it from closing while a span is put in. */
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static struct sh_spans *collecting;
static atomic_bool collects;

/* --- any thread ------------------------------------------------------------------- */

static void keep(struct span_kept *kept, const struct sh_trace *trace,
                 const struct sh_span *span)
{
    kept->trace = *trace;
    kept->kind = span->kind;
    kept->failed = span->failed;
    kept->end_ns = (uint64_t)(sh_wall_time() * 1e6) * 1000;
    kept->begin_ns = kept->end_ns - span->took_us * 1000;
    (void)snprintf(kept->name, sizeof(kept->name), "%s", span->name);
    for (size_t i = 0; i < SH_SPAN_NOTES; i++) {
        const struct sh_span_note *note = &span->notes[i];
        kept->notes[i].key = note->key;
        if (!note->key)
            break;
        kept->notes[i].is_text = note->text != NULL;
        kept->notes[i].number = note->number;
        (void)snprintf(kept->notes[i].text, sizeof(kept->notes[i].text), "%s",
                       note->text ? note->text : "");
    }
}

void sh_span_ended(const struct sh_trace *trace, const struct sh_span *span)
{
    bool room = false;
    if (!atomic_load_explicit(&collects, memory_order_relaxed) || !trace ||
        !(trace->flags & SAMPLED))
        return;
    pthread_mutex_lock(&lock);
    struct sh_spans *self = collecting;
    if (self && self->used < RING) {
        room = true;
        keep(&self->ring[(self->first + self->used++) % RING], trace, span);
        if (self->used == 1 || self->used == BATCH)
            (void)uv_async_send(&self->wake); /* fails only when it is closing */
    }
    pthread_mutex_unlock(&lock);
    if (!room)
        sh_count(&spans_total, "no_room");
}

/* --- on the loop ------------------------------------------------------------------ */

static void on_due(uv_timer_t *timer);

static size_t take(struct sh_spans *self)
{
    size_t count = 0;
    pthread_mutex_lock(&lock);
    while (count < BATCH && self->used > 0) {
        self->batch[count++] = self->ring[self->first];
        self->first = (self->first + 1) % RING;
        self->used--;
    }
    pthread_mutex_unlock(&lock);
    return count;
}

static size_t waiting(const struct sh_spans *self)
{
    pthread_mutex_lock(&lock);
    size_t used = self->used;
    pthread_mutex_unlock(&lock);
    return used;
}

static void count(size_t spans, const char *result)
{
    sh_series_add(sh_series(&spans_total, (const char *[]){result}), (double)spans);
}

static void complain(struct sh_spans *self, enum sh_err err, int status)
{
    if (!self->complained && err != SH_OK)
        sh_warning(NULL, "the collector of traces cannot be reached: %s",
                   sh_err_text(err));
    else if (!self->complained)
        sh_warning(NULL, "the collector of traces does not take them: status %d", status);
    self->complained = true;
}

/* At once when a batch is there, else when the first has waited long enough. */
static void plan(struct sh_spans *self)
{
    size_t there = waiting(self);
    uint64_t delay = there >= BATCH ? 0 : self->config->delay_ms;
    if (there > 0 && self->under_way == 0 &&
        (delay == 0 || !uv_is_active((uv_handle_t *)&self->due)))
        (void)uv_timer_start(&self->due, on_due, delay, 0); /* fails only when closing */
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *answer)
{
    struct sh_spans *self = arg;
    bool good = err == SH_OK && answer->status >= 200 && answer->status < 300;

    count(self->under_way, good ? "sent" : "failed");
    self->under_way = 0;
    if (good)
        self->complained = false;
    else if (err != SH_CANCELED)
        complain(self, err, err == SH_OK ? answer->status : 0);
    if (err != SH_CANCELED)
        plan(self);
}

static enum sh_err post(struct sh_spans *self, size_t spans)
{
    struct sh_http_call *call;
    enum sh_err err = SH_NOMEM;
    char *body = spans_json(self->service, self->environment, self->batch, spans);
    if (body) {
        const struct sh_http_outgoing outgoing = {.method = "POST",
                                                  .url = self->url,
                                                  .headers = self->headers,
                                                  .body = sh_bytes_of(body),
                                                  .timeout_ms = TIMEOUT_MS,
                                                  .max_body = ANSWER_MAX};
        err = sh_http_client_send(self->client, &outgoing, on_answer, self, &call);
    }
    free(body);
    return err;
}

static void on_due(uv_timer_t *timer)
{
    struct sh_spans *self = timer->data;
    size_t spans = take(self);
    if (spans == 0)
        return;
    if (post(self, spans) == SH_OK)
        self->under_way = spans;
    else
        count(spans, "failed");
}

static void on_wake(uv_async_t *async)
{
    plan(async->data);
}

/* --- life ------------------------------------------------------------------------- */

static bool is_sane(const char *text)
{
    for (; *text; text++) {
        if (*text <= ' ' || *text >= 0x7f)
            return false;
    }
    return true;
}

static bool parse_endpoint(struct sh_spans *self)
{
    const char *endpoint = self->config->endpoint;
    size_t len = strlen(endpoint);
    while (len > 0 && endpoint[len - 1] == '/')
        len--;
    if ((strncmp(endpoint, "http://", 7) != 0 && strncmp(endpoint, "https://", 8) != 0) ||
        !is_sane(endpoint))
        return false;
    int wanted =
        snprintf(self->url, sizeof(self->url), "%.*s/v1/traces", (int)len, endpoint);
    return wanted > 0 && wanted < URL_MAX;
}

/* NAME=VALUE,NAME=VALUE */
static bool parse_headers(struct sh_spans *self)
{
    char given[2049], *rest = NULL;
    size_t count = 0, used = 0;

    self->headers[count++] = "Content-Type: application/json";
    (void)snprintf(given, sizeof(given), "%s", self->config->headers);
    for (char *one = strtok_r(given, ",", &rest); one; one = strtok_r(NULL, ",", &rest)) {
        char *value = strchr(one, '=');
        if (!value || value == one || count > HEADERS_MAX || strpbrk(one, "\r\n"))
            return false;
        *value++ = '\0';
        int wanted = snprintf(self->header_text + used, sizeof(self->header_text) - used,
                              "%s: %s", one, value);
        if (wanted < 0 || (size_t)wanted >= sizeof(self->header_text) - used)
            return false;
        self->headers[count++] = self->header_text + used;
        used += (size_t)wanted + 1;
    }
    return true;
}

static void on_closed(uv_handle_t *handle)
{
    struct sh_spans *self = handle->data;
    if (--self->handles == 0)
        sh_free(self);
}

static enum sh_err open_handles(struct sh_spans *self, uv_loop_t *loop)
{
    enum sh_err err = sh_http_client_create(loop, 1, &self->client);
    if (err != SH_OK)
        return err;
    if (uv_async_init(loop, &self->wake, on_wake) != 0) {
        sh_http_client_close(&self->client);
        return SH_IO;
    }
    (void)uv_timer_init(loop, &self->due); /* cannot fail */
    self->wake.data = self->due.data = self;
    self->handles = 2;
    return SH_OK;
}

static void collect(struct sh_spans *self)
{
    pthread_mutex_lock(&lock);
    collecting = self;
    pthread_mutex_unlock(&lock);
    atomic_store(&collects, self != NULL);
    sh_trace_sample(self ? self->config->ratio : 1);
}

enum sh_err sh_spans_open(uv_loop_t *loop, const struct sh_spans_config *config,
                          const char *service, const char *environment,
                          struct sh_spans **out)
{
    *out = NULL;
    if (config->endpoint[0] == '\0')
        return SH_OK;
    struct sh_spans *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    self->config = config;
    self->service = service;
    self->environment = environment;
    enum sh_err err = parse_endpoint(self) && parse_headers(self) ? SH_OK : SH_INVALID;
    if (err == SH_OK)
        err = open_handles(self, loop);
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    collect(self);
    *out = self;
    return SH_OK;
}

void sh_spans_close(struct sh_spans **self)
{
    struct sh_spans *closing = *self;
    if (!closing)
        return;
    *self = NULL;
    collect(NULL);
    sh_http_client_close(&closing->client);
    uv_close((uv_handle_t *)&closing->wake, on_closed);
    uv_close((uv_handle_t *)&closing->due, on_closed);
}
