#include "cli/api/api.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/api/reply.h"
#include "shared/mem.h"

enum {
    ANSWER_MAX = 64 << 20,
    CONNECT_S = 15,
    WHOLE_S = 120,
    SILENCE_S = 300,  /* of a patient request */
    HELD_UP_S = 1800, /* of what is sent: a server that is behind takes nothing */
    ATTEMPTS = 5,
    PATIENCE_S = 60,
    FIRST_PAUSE_MS = 250,
    SLICE_MS = 100, /* how soon a stop is noticed in a pause */
};

struct api {
    CURL *curl;
    struct sh_buffer base; /* without a slash at the end, with a NUL */
    struct sh_buffer identity;
    char *ca_file;
    bool local;
    char agent[96];
    int attempts;
    long patience_s;
    atomic_bool *stop;
    bool (*given_up)(void *arg);
    void *given_up_arg;
};

/* One attempt. */
struct attempt {
    struct api *api;
    const struct api_request *request;
    struct api_reply *reply;
    bool started;   /* the sink has had something */
    bool satisfied; /* the sink wants no more */
};

/* --- a client --------------------------------------------------------------------- */

static bool is_http(const char *url)
{
    return strncmp(url, "http://", 7) == 0 || strncmp(url, "https://", 8) == 0;
}

bool api_is_local(const char *url)
{
    static const char *const local[] = {"127.", "localhost:", "localhost/", "[::1]"};
    const char *host = strstr(url, "://");
    for (size_t i = 0; host && i < SH_COUNT(local); i++) {
        if (strncmp(host + 3, local[i], strlen(local[i])) == 0)
            return true;
    }
    return host && strcmp(host + 3, "localhost") == 0;
}

static bool set_identity(struct api *self, const struct api_settings *settings)
{
    if (settings->token)
        sh_buffer_printf(&self->identity, "Authorization: Bearer %s", settings->token);
    else if (settings->key)
        sh_buffer_printf(&self->identity, "X-API-Key: %s", settings->key);
    sh_buffer_append(&self->identity, "", 1);
    /* a line end would begin another header */
    return self->identity.err == SH_OK && !strpbrk(self->identity.data, "\r\n");
}

struct api *api_new(const struct api_settings *settings)
{
    struct api *self = is_http(settings->url) ? sh_alloc(sizeof(*self)) : NULL;
    if (!self)
        return NULL;
    size_t len = strlen(settings->url);
    while (len > 0 && settings->url[len - 1] == '/')
        len--;
    sh_buffer_append(&self->base, settings->url, len);
    self->attempts = settings->attempts > 0 ? settings->attempts : ATTEMPTS;
    self->patience_s = settings->patience_s > 0 ? settings->patience_s : PATIENCE_S;
    self->stop = settings->stop;
    self->given_up = settings->given_up;
    self->given_up_arg = settings->given_up_arg;
    self->local = api_is_local(settings->url);
    (void)snprintf(self->agent, sizeof(self->agent), "%s/%s", settings->program,
                   CAIRN_VERSION);
    self->curl = curl_easy_init();
    self->ca_file = settings->ca_file ? sh_strdup(settings->ca_file) : NULL;
    if (!self->curl || self->base.err != SH_OK || !set_identity(self, settings) ||
        (settings->ca_file && !self->ca_file))
        api_free(&self);
    return self;
}

static void forget(struct sh_buffer *secret)
{
    if (secret->data)
        explicit_bzero(secret->data, secret->len);
    sh_buffer_free(secret);
}

void api_free(struct api **api)
{
    struct api *self = *api;
    if (!self)
        return;
    curl_easy_cleanup(self->curl);
    forget(&self->identity);
    sh_buffer_free(&self->base);
    sh_free(self->ca_file);
    sh_free(self);
    *api = NULL;
}

/* --- what comes in ---------------------------------------------------------------- */

static bool stopped(const struct api *self)
{
    return (self->stop && atomic_load(self->stop)) ||
           (self->given_up && self->given_up(self->given_up_arg));
}

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct attempt *attempt = arg;
    struct sh_bytes piece = {data, size * count};
    long status = 0;
    curl_easy_getinfo(attempt->api->curl, CURLINFO_RESPONSE_CODE, &status);
    if (attempt->request->sink && status / 100 == 2) {
        attempt->started = true;
        attempt->satisfied = !attempt->request->sink(attempt->request->sink_arg, piece);
        return attempt->satisfied ? 0 : piece.len;
    }
    struct sh_buffer *body = &attempt->reply->body;
    if (body->len + piece.len > ANSWER_MAX)
        return 0;
    sh_buffer_append(body, data, piece.len);
    return body->err == SH_OK ? piece.len : 0;
}

static int on_progress(void *arg, curl_off_t down_total, curl_off_t down,
                       curl_off_t up_total, curl_off_t up)
{
    (void)down_total, (void)down, (void)up_total, (void)up;
    const struct attempt *attempt = arg;
    return stopped(attempt->api);
}

/* --- one attempt ------------------------------------------------------------------ */

static size_t on_read(char *into, size_t size, size_t count, void *arg)
{
    const struct api_source *source = arg;
    return source->read(source->arg, into, size * count);
}

/* libcurl begins anew by itself when a kept connection turns out to be closed. */
static int on_seek(void *arg, curl_off_t offset, int origin)
{
    const struct api_source *source = arg;
    if (origin != SEEK_SET || offset != 0 || !source->rewind ||
        !source->rewind(source->arg))
        return CURL_SEEKFUNC_CANTSEEK;
    return CURL_SEEKFUNC_OK;
}

static bool append(struct curl_slist **headers, const char *text)
{
    struct curl_slist *longer = curl_slist_append(*headers, text);
    if (longer)
        *headers = longer;
    return longer != NULL;
}

static struct curl_slist *headers_of(const struct api *self,
                                     const struct api_request *request)
{
    struct curl_slist *headers = NULL;
    char type[128];
    char accept[128];
    (void)snprintf(type, sizeof(type), "Content-Type: %s",
                   request->type ? request->type : "application/json");
    bool good = append(&headers, "Expect:"); /* no second for 100-continue */
    if (good && (request->body.data || request->source))
        good = append(&headers, type);
    if (good && self->identity.data[0])
        good = append(&headers, self->identity.data);
    if (good && request->accept) {
        (void)snprintf(accept, sizeof(accept), "Accept: %s", request->accept);
        good = append(&headers, accept);
    }
    for (size_t i = 0; good && request->headers && request->headers[i]; i++)
        good = append(&headers, request->headers[i]);
    if (!good) {
        curl_slist_free_all(headers);
        return NULL;
    }
    return headers;
}

static void set_body(CURL *curl, const struct api_request *request, curl_mime *form)
{
    if (form) {
        curl_easy_setopt(curl, CURLOPT_MIMEPOST, form);
    } else if (request->source) {
        curl_easy_setopt(curl, CURLOPT_POST, 1L);
        curl_easy_setopt(curl, CURLOPT_READFUNCTION, on_read);
        curl_easy_setopt(curl, CURLOPT_READDATA, request->source);
        curl_easy_setopt(curl, CURLOPT_SEEKFUNCTION, on_seek);
        curl_easy_setopt(curl, CURLOPT_SEEKDATA, request->source);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE, request->source->size);
    } else if (request->body.data) {
        curl_easy_setopt(curl, CURLOPT_POSTFIELDSIZE_LARGE,
                         (curl_off_t)request->body.len);
        curl_easy_setopt(curl, CURLOPT_POSTFIELDS, request->body.data);
    }
    if (request->method)
        curl_easy_setopt(curl, CURLOPT_CUSTOMREQUEST, request->method);
}

static void set_common(struct api *self, struct attempt *attempt)
{
    CURL *curl = self->curl;
    curl_easy_setopt(curl, CURLOPT_USERAGENT, self->agent);
    curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "http,https");
    curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(curl, CURLOPT_ACCEPT_ENCODING, "");
    curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_S);
    curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(curl, CURLOPT_WRITEDATA, attempt);
    curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, api_on_header);
    curl_easy_setopt(curl, CURLOPT_HEADERDATA, attempt->reply);
    curl_easy_setopt(curl, CURLOPT_NOPROGRESS, 0L);
    curl_easy_setopt(curl, CURLOPT_XFERINFOFUNCTION, on_progress);
    curl_easy_setopt(curl, CURLOPT_XFERINFODATA, attempt);
    if (self->local)
        curl_easy_setopt(curl, CURLOPT_NOPROXY, "*");
    if (self->ca_file)
        curl_easy_setopt(curl, CURLOPT_CAINFO, self->ca_file);
    if (attempt->request->patient) {
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_LIMIT, 1L);
        curl_easy_setopt(curl, CURLOPT_LOW_SPEED_TIME,
                         attempt->request->source ? (long)HELD_UP_S : (long)SILENCE_S);
        curl_easy_setopt(curl, CURLOPT_TCP_KEEPALIVE, 1L);
    } else {
        curl_easy_setopt(curl, CURLOPT_TIMEOUT, (long)WHOLE_S);
    }
}

static CURLcode perform(struct api *self, struct attempt *attempt)
{
    const struct api_request *request = attempt->request;
    struct sh_buffer url = {0};
    sh_buffer_append(&url, self->base.data, self->base.len);
    sh_buffer_text(&url, request->path);
    sh_buffer_append(&url, "", 1);
    curl_easy_reset(self->curl); /* connections are kept */
    set_common(self, attempt);
    curl_mime *form = request->form ? request->form(self->curl, request->form_arg) : NULL;
    struct curl_slist *headers = headers_of(self, request);
    CURLcode code = CURLE_OUT_OF_MEMORY;
    if (url.err == SH_OK && headers && (form || !request->form)) {
        char error[CURL_ERROR_SIZE] = "";
        curl_easy_setopt(self->curl, CURLOPT_URL, url.data);
        curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, headers);
        curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, error);
        set_body(self->curl, request, form);
        code = curl_easy_perform(self->curl);
        (void)snprintf(attempt->reply->error, API_ERROR_MAX, "%s",
                       error[0] ? error : curl_easy_strerror(code));
        curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, NULL);
    }
    curl_easy_setopt(self->curl, CURLOPT_MIMEPOST, NULL);
    curl_mime_free(form);
    curl_slist_free_all(headers);
    sh_buffer_free(&url);
    return code;
}

/* --- what it came to -------------------------------------------------------------- */

static void take_answer(struct api *self, struct api_reply *reply)
{
    const char *type = NULL;
    curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &reply->status);
    curl_easy_getinfo(self->curl, CURLINFO_CONTENT_TYPE, &type);
    (void)snprintf(reply->type, sizeof(reply->type), "%s", type ? type : "");
    reply->error[0] = reply->code[0] = '\0';
    if (reply->status / 100 != 2)
        api_explain(reply);
}

/* --- attempts --------------------------------------------------------------------- */

bool api_wait(const struct api *self, long ms)
{
    for (; ms > 0 && !stopped(self); ms -= SLICE_MS) {
        long slice = ms < SLICE_MS ? ms : SLICE_MS;
        (void)nanosleep(&(struct timespec){.tv_nsec = slice * 1000000}, NULL);
    }
    return !stopped(self);
}

/* How long to wait before the next attempt; -1: there is to be none. */
static long pause_ms(struct api *self, const struct attempt *attempt, CURLcode code,
                     int number)
{
    const struct api_request *request = attempt->request;
    curl_off_t asked = 0;
    bool harmless = request->repeatable || (!request->method && !request->body.data &&
                                            !request->source && !request->form);
    bool rewound = !request->source || (request->source->rewind &&
                                        request->source->rewind(request->source->arg));
    long own = FIRST_PAUSE_MS << (number < 8 ? number : 8);
    long most = self->patience_s * 1000;
    if (number + 1 >= self->attempts || request->once || attempt->started || !rewound)
        return -1;
    own = own < most ? own : most;
    if (code != CURLE_OK)
        return harmless && code != CURLE_PEER_FAILED_VERIFICATION &&
                       code != CURLE_SSL_CACERT_BADFILE &&
                       code != CURLE_COULDNT_RESOLVE_HOST && code != CURLE_URL_MALFORMAT
                   ? own
                   : -1;
    if (attempt->reply->status != 429 && attempt->reply->status != 503)
        return -1;
    curl_easy_getinfo(self->curl, CURLINFO_RETRY_AFTER, &asked);
    if (asked > self->patience_s)
        return -1;
    return asked > 0 ? (long)asked * 1000 : own;
}

enum api_end api_call(struct api *self, const struct api_request *request,
                      struct api_reply *reply)
{
    for (int number = 0;; number++) {
        struct attempt attempt = {self, request, reply, false, false};
        sh_buffer_clear(&reply->body);
        reply->status = 0;
        reply->cookie[0] = '\0';
        CURLcode code = perform(self, &attempt);
        reply->ended = attempt.satisfied;
        if (attempt.satisfied)
            code = CURLE_OK;
        if (stopped(self))
            return API_STOPPED;
        if (code == CURLE_ABORTED_BY_CALLBACK && (request->source || request->form))
            return API_UNREADABLE;
        if (code == CURLE_OK)
            take_answer(self, reply);
        long pause = code == CURLE_OK && reply->status / 100 == 2
                         ? -1
                         : pause_ms(self, &attempt, code, number);
        if (pause < 0)
            return code == CURLE_OK ? API_ANSWERED : API_UNREACHABLE;
        if (!api_wait(self, pause))
            return API_STOPPED;
    }
}
