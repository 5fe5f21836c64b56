#include "services/embedder/provider/ollama.h"

#include <stdio.h>

#include "services/embedder/provider/ollama_internal.h"
#include "shared/clock.h"
#include "shared/log.h"
#include "shared/mem.h"

/* Every poll: GET /api/tags. When the model's digest is new: POST /api/show, then embed a
 * fixed text, which proves that the model works and tells its dimension if nothing else
 * did. Only then is the card sealed and the provider known. */

enum { POLL_MS = 5000, POLL_TIMEOUT_MS = 5000, VERIFY_MS = 60000 };
/* The same weights on another processor are far nearer than that, others far less. */
static const double same_cosine = 0.99;
static const char probe[] = "The quick brown fox jumps over the lazy dog.";

/* What models want before a text (https://ollama.com/library). */
static const struct {
    const char *model;
    const char *query;
    const char *document;
} prefixes[] = {
    {"nomic-embed-text", "search_query: ", "search_document: "},
    {"mxbai-embed-large",
     "Represent this sentence for searching relevant passages: ", ""},
    {"snowflake-arctic-embed",
     "Represent this sentence for searching relevant passages: ", ""},
    {"snowflake-arctic-embed2", "query: ", ""},
};

void ollama_state(struct ollama *self, bool ready, const char *why)
{
    struct provider *base = &self->base;
    if (base->ready == ready && strcmp(base->why, why) == 0)
        return;
    base->ready = ready;
    (void)snprintf(base->why, sizeof(base->why), "%s", why);
    if (ready)
        sh_info(NULL, "embedding endpoint: ready, model %s, %u dimensions",
                base->card.name, base->card.dimension);
    else
        sh_warning(NULL, "embedding endpoint: %s", why);
    provider_changed(base);
}

enum sh_err ollama_send(struct ollama *self, const struct ollama_question *question,
                        sh_http_incoming_fn *done, void *arg, struct sh_http_call **call)
{
    static const char *const headers[] = {"Content-Type: application/json",
                                          "Accept: application/json", NULL};
    return sh_http_client_send(self->http,
                               &(struct sh_http_outgoing){
                                   .method = question->method,
                                   .url = question->url,
                                   .headers = headers,
                                   .body = question->body,
                                   .timeout_ms = question->timeout_ms,
                                   .max_body = OLLAMA_BODY_MAX,
                               },
                               done, arg, call);
}

/* --- watching --------------------------------------------------------------------- */

static void look(uv_timer_t *timer);

static void look_later(struct ollama *self)
{
    uint64_t pause = self->options.poll_ms > 0 ? self->options.poll_ms : POLL_MS;
    self->call = NULL;
    if (!self->closing)
        uv_timer_start(&self->poll, look, pause, 0);
}

/* The reason why an answer is of no use, or NULL. */
static const char *complaint(enum sh_err err, const struct sh_http_incoming *incoming,
                             char *out, size_t size)
{
    char words[128];
    if (err == SH_OK && incoming->status == 200)
        return NULL;
    if (err != SH_OK) {
        bool told = incoming && incoming->error && *incoming->error;
        (void)snprintf(out, size, "%s", told ? incoming->error : sh_err_text(err));
        return out;
    }
    ollama_error(incoming->body, words, sizeof(words));
    (void)snprintf(out, size, "status %d %s", incoming->status, words);
    return out;
}

static void adopt(struct ollama *self)
{
    struct card *card = &self->next;
    if (card_seal(card) != SH_OK)
        return;
    if (strcmp(card->fingerprint, self->base.card.fingerprint) != 0)
        self->epoch++;
    self->base.card = *card;
    self->base.known = true;
    sh_breaker_success(&self->breaker);
    self->base.ready = false; /* so that the change is told */
    ollama_state(self, true, "");
}

/* Both are unit vectors. */
static bool looks_the_same(const struct ollama *self, const float *vector,
                           uint32_t dimension)
{
    double cosine = 0;
    if (!self->probed || self->probed_dimension != dimension)
        return false;
    for (uint32_t i = 0; i < dimension; i++)
        cosine += (double)self->probed[i] * (double)vector[i];
    return cosine >= same_cosine;
}

/* The vector was taken: it is what the next one is compared with. */
static void keep_probe(struct ollama *self, float **vector, uint32_t dimension)
{
    sh_free(self->probed);
    self->probed = *vector;
    self->probed_dimension = dimension;
    *vector = NULL;
}

static bool same_digest(const struct ollama *self)
{
    return self->base.known && strcmp(self->next.digest, self->base.card.digest) == 0;
}

/* The fixed text's vector is there: the model that we know, or another one. */
static void judge(struct ollama *self, float **vector, uint32_t dimension)
{
    struct card *card = &self->next;
    self->probed_ms = sh_now_ms();
    if (same_digest(self) && looks_the_same(self, *vector, dimension)) {
        sh_breaker_success(&self->breaker);
        ollama_state(self, true, "");
        return;
    }
    if (same_digest(self) && card->digest[0] != '\0') {
        sh_warning(NULL,
                   "model %s: other vectors behind the same digest; the digest is not "
                   "trusted any more",
                   card->name);
        memcpy(self->distrusted, card->digest, sizeof(self->distrusted));
        card->digest[0] = '\0';
    }
    if (card_probe_hash(*vector, dimension, card->probe_hash) != SH_OK)
        return;
    card->dimension = dimension;
    keep_probe(self, vector, dimension);
    adopt(self);
}

static void on_probe(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct ollama *self = arg;
    char words[200];
    const char *why = complaint(err, incoming, words, sizeof(words));
    look_later(self);
    if (self->closing)
        return;
    struct card *card = &self->next;
    uint32_t dimension = why ? 0 : ollama_dimension(incoming->body);
    if (!why && dimension == 0)
        why = "the model's answer holds no vector";
    if (!why && card->dimension != 0 && card->dimension != dimension)
        why = "the model's vectors have another length than it says";
    float *vector = why ? NULL : sh_alloc_array(dimension, sizeof(float));
    struct provider_text text = {.vector = vector};
    if (!why && (!vector || ollama_vectors(incoming->body, &text, 1, dimension) != SH_OK))
        why = "the model's answer is no vector";
    if (!why)
        judge(self, &vector, dimension);
    else if (!self->verifying) /* else the texts of callers tell how it is */
        ollama_state(self, false, why);
    sh_free(vector);
}

static void send_probe(struct ollama *self)
{
    struct sh_buffer body = {0};
    struct provider_text text = {.text = sh_bytes_of(probe)};
    enum sh_err err = ollama_request(self->options.model, &text, 1, true, &body);
    if (err == SH_OK)
        err = ollama_send(self,
                          &(struct ollama_question){"POST", self->options.url,
                                                    sh_buffer_bytes(&body),
                                                    self->options.timeout_ms},
                          on_probe, self, &self->call);
    sh_buffer_free(&body);
    if (err != SH_OK)
        look_later(self);
}

static void on_show(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct ollama *self = arg;
    if (self->closing)
        return;
    if (err == SH_OK && incoming->status == 200)
        ollama_show(incoming->body, &self->next);
    send_probe(self); /* it tells the dimension where this did not */
}

static void send_show(struct ollama *self)
{
    struct sh_buffer body = {0};
    struct provider_text none = {.text = {"", 0}};
    /* the members that /api/embed has besides are ignored by /api/show */
    enum sh_err err = ollama_request(self->options.model, &none, 1, true, &body);
    if (err == SH_OK)
        err = ollama_send(self,
                          &(struct ollama_question){"POST", self->show_url,
                                                    sh_buffer_bytes(&body),
                                                    POLL_TIMEOUT_MS},
                          on_show, self, &self->call);
    sh_buffer_free(&body);
    if (err != SH_OK)
        look_later(self);
}

static bool is_due(const struct ollama *self)
{
    uint64_t every = self->options.verify_ms > 0 ? self->options.verify_ms : VERIFY_MS;
    return self->next.digest[0] == '\0' || sh_now_ms() - self->probed_ms >= every;
}

/* Still the model that we know? */
static void compare(struct ollama *self)
{
    if (strcmp(self->next.digest, self->distrusted) == 0)
        self->next.digest[0] = '\0';
    self->verifying = same_digest(self) && !sh_breaker_open(&self->breaker);
    if (self->verifying && is_due(self)) {
        self->next.dimension = 0;
        send_probe(self);
        return;
    }
    if (!self->verifying) {
        self->next.dimension = 0;
        self->next.context_length = 0;
        send_show(self);
        return;
    }
    look_later(self);
    ollama_state(self, true, "");
}

static void on_tags(void *arg, enum sh_err err, const struct sh_http_incoming *incoming)
{
    struct ollama *self = arg;
    char words[200];
    if (self->closing)
        return;
    self->next = self->base.card;
    /* a compatible server need not list its models: then the probe decides */
    bool lists = !(err == SH_OK && (incoming->status == 404 || incoming->status == 405));
    const char *why = lists ? complaint(err, incoming, words, sizeof(words)) : NULL;
    if (!why && lists) {
        enum ollama_presence presence =
            ollama_tags(incoming->body, self->options.model, &self->next);
        if (presence == OLLAMA_ABSENT)
            why = "the model is not on the endpoint: pull it there";
        else if (presence == OLLAMA_NONSENSE)
            why = "/api/tags answers nonsense";
    }
    if (!why) {
        compare(self);
        return;
    }
    look_later(self);
    ollama_state(self, false, why);
}

static void look(uv_timer_t *timer)
{
    struct ollama *self = timer->data;
    struct ollama_question question = {"GET", self->tags_url, {NULL, 0}, POLL_TIMEOUT_MS};
    enum sh_err err = ollama_send(self, &question, on_tags, self, &self->call);
    if (err != SH_OK)
        look_later(self);
}

/* --- life ------------------------------------------------------------------------- */

void ollama_handle_closed(struct ollama *self)
{
    if (--self->handles > 0)
        return;
    sh_free(self->probed);
    sh_free(self);
}

static void on_poll_closed(uv_handle_t *handle)
{
    ollama_handle_closed(handle->data);
}

static void close_ollama(struct provider *base)
{
    struct ollama *self = (struct ollama *)base;
    self->closing = true;
    ollama_cancel_runs(self);
    sh_http_client_close(&self->http); /* on_tags and the others see `closing` */
    uv_close((uv_handle_t *)&self->poll, on_poll_closed);
}

static bool sibling(const char *url, const char *name, char *out)
{
    size_t stem = strlen(url) - strlen("embed");
    int len = snprintf(out, OLLAMA_URL_MAX, "%.*s%s", (int)stem, url, name);
    return len > 0 && len < OLLAMA_URL_MAX;
}

static bool make_urls(struct ollama *self, const char *url)
{
    size_t len = strlen(url);
    size_t tail = strlen("/api/embed");
    return len > tail && strcmp(url + len - tail, "/api/embed") == 0 &&
           sibling(url, "tags", self->tags_url) && sibling(url, "show", self->show_url);
}

static void choose_prefixes(struct card *card, const struct ollama_options *options)
{
    const char *query = options->query_prefix;
    const char *document = options->document_prefix;
    bool auto_query = strcmp(query, "auto") == 0;
    bool auto_document = strcmp(document, "auto") == 0;
    size_t stem = strcspn(options->model, ":");
    query = auto_query ? "" : query;
    document = auto_document ? "" : document;
    for (size_t i = 0; i < SH_COUNT(prefixes); i++) {
        if (!sh_bytes_is((struct sh_bytes){options->model, stem}, prefixes[i].model))
            continue;
        query = auto_query ? prefixes[i].query : query;
        document = auto_document ? prefixes[i].document : document;
    }
    (void)snprintf(card->query_prefix, sizeof(card->query_prefix), "%s", query);
    (void)snprintf(card->document_prefix, sizeof(card->document_prefix), "%s", document);
}

static void describe(struct ollama *self)
{
    struct provider *base = &self->base;
    const struct ollama_options *options = &self->options;
    (void)snprintf(base->card.name, sizeof(base->card.name), "%s", options->model);
    (void)snprintf(base->card.provider, sizeof(base->card.provider), "ollama");
    (void)snprintf(base->why, sizeof(base->why), "the endpoint has not answered yet");
    base->card.alpha = 0.6;
    choose_prefixes(&base->card, options);
    base->response_time_s = -1;
    base->remote = true;
    base->slots = options->concurrency;
    base->batch_texts = options->batch_texts;
    base->batch_bytes = options->batch_bytes;
    base->submit = ollama_submit;
    base->close = close_ollama;
}

enum sh_err ollama_create(uv_loop_t *loop, const struct ollama_options *options,
                          struct provider **out)
{
    *out = NULL;
    if (*options->model == '\0') {
        sh_error(NULL, "EMBEDDING_MODEL must name the endpoint's model");
        return SH_INVALID;
    }
    struct ollama *self = sh_alloc(sizeof(*self));
    if (!self)
        return SH_NOMEM;
    enum sh_err err = SH_INVALID;
    if (make_urls(self, options->url))
        err = sh_http_client_create(loop, options->concurrency + 1, &self->http);
    else
        sh_error(NULL, "EMBEDDING_URL must end in /api/embed");
    if (err != SH_OK) {
        sh_free(self);
        return err;
    }
    self->options = *options;
    self->loop = loop;
    self->breaker.threshold = options->breaker_failures;
    self->budget = 3;
    describe(self);
    (void)uv_timer_init(loop, &self->poll); /* cannot fail in libuv */
    self->poll.data = self;
    self->handles = 1;
    uv_timer_start(&self->poll, look, 0, 0);
    *out = &self->base;
    return SH_OK;
}
