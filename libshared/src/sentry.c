/* Happy path: a line of the log is copied into a ring, the loop is woken, scrubs it,
 * writes an envelope and posts it. Failure modes: no room in the ring, too many a minute,
 * the tracker asks for a pause (429, Retry-After) or is away: the event is dropped and
 * counted. */
#include "shared/sentry.h"

#include <jansson.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/http_client.h"
#include "shared/log.h"
#include "shared/mem.h"
#include "shared/metrics.h"
#include "shared/trace.h"

enum {
    RING = 64,
    TEXT = 2048,
    FLIGHTS = 4,
    TIMEOUT_MS = 10000,
    ANSWER_MAX = 64 << 10,
    URL_MAX = 1200,
    PAUSE_S = 60,
};

SH_SETTINGS_DEFINE(sh_sentry, "Errors told to a tracker", SH_SENTRY_SETTINGS)

static struct sh_family events_total = {
    .kind = SH_COUNTER,
    .name = "cairn_sentry_events_total",
    .help = "Errors told to the tracker, or why not",
    .labels = {"result"},
};

struct event {
    enum sh_log_level level;
    const struct sh_log_site *site;
    bool traced;
    struct sh_trace trace;
    double at;
    char text[TEXT];
};

struct sh_sentry {
    uv_async_t wake;
    struct sh_http_client *client;
    const struct sh_sentry_config *config;
    const char *service;
    const char *environment;
    char url[URL_MAX];
    char auth[URL_MAX];
    char host[64];
    unsigned flights;
    double tokens; /* of a bucket that holds a minute's events */
    uint64_t filled_ms;
    uint64_t pause_until_ms;
    bool complained;
    pthread_mutex_t lock;
    struct event ring[RING]; /* under the lock, like what follows */
    size_t first, used;
};

/* --- the DSN ---------------------------------------------------------------------- */

static bool is_sane(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (text[i] <= ' ' || text[i] >= 0x7f || text[i] == '"')
            return false;
    return len > 0;
}

/* SCHEME://KEY[:SECRET]@HOST[/PATH]/PROJECT → SCHEME://HOST[/PATH]/api/PROJECT/envelope/
 */
static bool parse_dsn(struct sh_sentry *self, const char *dsn)
{
    const char *key = strstr(dsn, "://");
    const char *at = key != NULL ? strchr(key, '@') : NULL;
    const char *project = at != NULL ? strrchr(at, '/') : NULL;

    if (project == NULL || !is_sane(dsn, strlen(dsn)) || project[1] == '\0' ||
        (strncmp(dsn, "https://", 8) != 0 && strncmp(dsn, "http://", 7) != 0))
        return false;
    int scheme = (int)(key - dsn);
    key += 3;
    int key_len = (int)strcspn(key, ":@");
    int url = snprintf(self->url, sizeof self->url, "%.*s://%.*s/api/%s/envelope/",
                       scheme, dsn, (int)(project - at - 1), at + 1, project + 1);
    int auth = snprintf(self->auth, sizeof self->auth,
                        "X-Sentry-Auth: Sentry sentry_version=7, sentry_client=cairn/%s, "
                        "sentry_key=%.*s",
                        CAIRN_VERSION, key_len, key);
    return key_len > 0 && url < URL_MAX && auth < URL_MAX;
}

/* --- from the log ----------------------------------------------------------------- */

static bool is_sampled(double rate)
{
    uint32_t random;

    if (rate >= 1)
        return true;
    sh_random(&random, sizeof random);
    return (double)random / 4294967296.0 < rate;
}

static void fill(struct event *event, const struct sh_log_told *line)
{
    event->level = line->level;
    event->site = line->site;
    event->at = sh_wall_time();
    event->traced = line->trace != NULL;
    if (line->trace != NULL)
        event->trace = *line->trace;
    (void)snprintf(event->text, sizeof event->text, "%s", line->message);
}

/* On any thread. */
static void on_line(void *arg, const struct sh_log_told *line)
{
    struct sh_sentry *self = arg;

    if (!is_sampled(self->config->sample_rate)) {
        sh_count(&events_total, "not_sampled");
        return;
    }
    pthread_mutex_lock(&self->lock);
    bool room = self->used < RING;
    if (room)
        fill(&self->ring[(self->first + self->used++) % RING], line);
    pthread_mutex_unlock(&self->lock);
    if (!room)
        sh_count(&events_total, "no_room");
    else
        (void)uv_async_send(&self->wake); /* fails only when it is closing */
}

static bool take(struct sh_sentry *self, struct event *event)
{
    pthread_mutex_lock(&self->lock);
    bool there = self->used > 0;
    if (there) {
        *event = self->ring[self->first];
        self->first = (self->first + 1) % RING;
        self->used--;
    }
    pthread_mutex_unlock(&self->lock);
    return there;
}

/* --- the envelope ----------------------------------------------------------------- */

static void hex(const uint8_t *bytes, size_t count, char *out)
{
    for (size_t i = 0; i < count; i++)
        (void)snprintf(out + 2 * i, 3, "%02x", bytes[i]);
}

static json_t *tags_of(const struct sh_sentry *self, const struct event *event)
{
    json_t *tags = json_pack("{s:s,s:s}", "service", self->service, "function",
                             event->site->function);
    if (tags != NULL && event->traced)
        (void)json_object_set_new(tags, "request_id",
                                  json_string(event->trace.request_id));
    return tags;
}

static json_t *contexts_of(const struct event *event)
{
    char trace[33], span[17];

    if (!event->traced)
        return json_object();
    hex(event->trace.trace_id, 16, trace);
    hex(event->trace.span_id, 8, span);
    return json_pack("{s:{s:s,s:s,s:s}}", "trace", "type", "trace", "trace_id", trace,
                     "span_id", span);
}

/* Equal errors become one issue there by where they were logged. */
static json_t *event_json(const struct sh_sentry *self, const struct event *event,
                          const char *id, const char *text)
{
    char place[160], line[16];

    (void)snprintf(place, sizeof place, "%s:%s", event->site->file,
                   event->site->function);
    (void)snprintf(line, sizeof line, "%d", event->site->line);
    return json_pack("{s:s,s:f,s:s,s:s,s:s+,s:s,s:s,s:s,s:{s:s},s:s,s:o,s:o,s:[s,s,s]}",
                     "event_id", id, "timestamp", event->at, "platform", "native",
                     "level", event->level == SH_CRITICAL ? "fatal" : "error", "logger",
                     "cairn.", self->service, "server_name", self->host, "release",
                     "cairn@" CAIRN_VERSION, "environment", self->environment, "message",
                     "formatted", text, "transaction", place, "tags",
                     tags_of(self, event), "contexts", contexts_of(event), "fingerprint",
                     self->service, place, line);
}

static bool write_envelope(const struct sh_sentry *self, const struct event *event,
                           struct sh_buffer *out)
{
    struct sh_buffer text = {0};
    uint8_t random[16];
    char id[33];

    sh_random(random, sizeof random);
    hex(random, sizeof random, id);
    sh_scrub(event->text, &text);
    sh_buffer_append(&text, "", 1);
    json_t *json = text.err == SH_OK ? event_json(self, event, id, text.data) : NULL;
    char *body = json != NULL ? json_dumps(json, JSON_COMPACT) : NULL;
    if (body != NULL)
        sh_buffer_printf(out, "{\"event_id\":\"%s\"}\n{\"type\":\"event\"}\n%s\n", id,
                         body);
    bool good = body != NULL && out->err == SH_OK;
    free(body);
    json_decref(json);
    sh_buffer_free(&text);
    return good;
}

/* --- sending ---------------------------------------------------------------------- */

static void complain(struct sh_sentry *self, const char *why)
{
    if (!self->complained)
        sh_warning(NULL, "the error tracker does not take events: %s", why);
    self->complained = true;
}

static void on_answer(void *arg, enum sh_err err, const struct sh_http_incoming *answer)
{
    struct sh_sentry *self = arg;
    bool good = err == SH_OK && answer->status >= 200 && answer->status < 300;

    self->flights--;
    sh_count(&events_total, good ? "sent" : "failed");
    if (good) {
        self->complained = false;
    } else if (err != SH_CANCELED) {
        char status[32];
        bool said = answer != NULL && answer->retry_after_s > 0;
        unsigned pause_s = said ? answer->retry_after_s : PAUSE_S;
        (void)snprintf(status, sizeof status, "status %d",
                       err == SH_OK ? answer->status : 0);
        complain(self, err == SH_OK ? status : sh_err_text(err));
        self->pause_until_ms = sh_now_ms() + (uint64_t)pause_s * 1000;
    }
    if (err != SH_CANCELED)
        (void)uv_async_send(&self->wake);
}

/* A bucket that a minute fills. */
static bool may_send(struct sh_sentry *self)
{
    double most = self->config->per_minute;
    uint64_t now = sh_now_ms();

    self->tokens += (double)(now - self->filled_ms) * most / 60000;
    self->filled_ms = now;
    if (self->tokens > most)
        self->tokens = most;
    if (self->tokens < 1 || now < self->pause_until_ms)
        return false;
    self->tokens -= 1;
    return true;
}

static void send_event(struct sh_sentry *self, const struct event *event)
{
    const char *const headers[] = {self->auth,
                                   "Content-Type: application/x-sentry-envelope", NULL};
    struct sh_buffer envelope = {0};
    struct sh_http_call *call;
    enum sh_err err = SH_NOMEM;

    if (write_envelope(self, event, &envelope)) {
        const struct sh_http_outgoing outgoing = {.method = "POST",
                                                  .url = self->url,
                                                  .headers = headers,
                                                  .body = sh_buffer_bytes(&envelope),
                                                  .timeout_ms = TIMEOUT_MS,
                                                  .max_body = ANSWER_MAX};
        err = sh_http_client_send(self->client, &outgoing, on_answer, self, &call);
    }
    if (err == SH_OK)
        self->flights++;
    else
        sh_count(&events_total, "failed");
    sh_buffer_free(&envelope);
}

static void on_wake(uv_async_t *async)
{
    struct sh_sentry *self = async->data;
    struct event event;

    while (self->flights < FLIGHTS && take(self, &event)) {
        if (may_send(self))
            send_event(self, &event);
        else
            sh_count(&events_total, "limited");
    }
}

/* --- life ------------------------------------------------------------------------- */

static void on_closed(uv_handle_t *handle)
{
    struct sh_sentry *self = handle->data;

    (void)pthread_mutex_destroy(&self->lock); /* nobody holds it */
    sh_free(self);
}

enum sh_err sh_sentry_open(uv_loop_t *loop, const struct sh_sentry_config *config,
                           const char *service, const char *environment,
                           struct sh_sentry **out)
{
    *out = NULL;
    if (config->dsn[0] == '\0' || !config->enabled)
        return SH_OK;
    struct sh_sentry *self = sh_alloc(sizeof *self);
    if (self == NULL)
        return SH_NOMEM;
    self->config = config;
    self->service = service;
    self->environment =
        config->environment[0] != '\0' ? config->environment : environment;
    self->tokens = config->per_minute;
    self->filled_ms = sh_now_ms();
    (void)gethostname(self->host, sizeof self->host - 1); /* only for people */
    enum sh_err err = parse_dsn(self, config->dsn) ? SH_OK : SH_INVALID;
    if (err == SH_OK)
        err = sh_http_client_create(loop, FLIGHTS, &self->client);
    if (err == SH_OK && uv_async_init(loop, &self->wake, on_wake) != 0) {
        sh_http_client_close(&self->client);
        err = SH_IO;
    }
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    (void)pthread_mutex_init(&self->lock, NULL); /* cannot fail on Linux */
    self->wake.data = self;
    *out = self;
    sh_log_listen(on_line, self);
    return SH_OK;
}

void sh_sentry_close(struct sh_sentry **self)
{
    struct sh_sentry *closing = *self;

    if (closing == NULL)
        return;
    *self = NULL;
    sh_log_listen(NULL, NULL);
    sh_http_client_close(&closing->client);
    uv_close((uv_handle_t *)&closing->wake, on_closed);
}
