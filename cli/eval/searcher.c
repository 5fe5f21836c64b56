#include "cli/eval/searcher.h"

#include <curl/curl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "shared/buffer.h"
#include "shared/mem.h"

enum { TIMEOUT_S = 60, ATTEMPTS = 5, PASSAGES_MOST = 2000, ANSWER_MOST = 64 << 20 };

struct searcher {
    CURL *curl;
    struct curl_slist *headers;
    struct sh_buffer answer;
    bool trusted;
    int page;
};

static size_t on_data(char *data, size_t size, size_t count, void *arg)
{
    struct sh_buffer *answer = arg;
    size_t len = size * count;
    if (answer->len + len > ANSWER_MOST)
        return 0;
    sh_buffer_append(answer, data, len);
    return answer->err == SH_OK ? len : 0;
}

static bool add_header(struct searcher *self, const char *text)
{
    struct curl_slist *headers = curl_slist_append(self->headers, text);
    if (!headers)
        return false;
    self->headers = headers;
    return true;
}

static bool set_up(struct searcher *self, const struct searcher_options *options)
{
    char url[4096];
    struct sh_buffer bearer = {0};
    size_t len = strlen(options->url);
    bool good = self->curl && add_header(self, "Content-Type: application/json");
    while (len > 0 && options->url[len - 1] == '/')
        len--;
    (void)snprintf(url, sizeof(url), "%.*s/api/search", (int)len, options->url);
    if (good && options->token) {
        sh_buffer_printf(&bearer, "Authorization: Bearer %s", options->token);
        good = bearer.err == SH_OK && add_header(self, bearer.data);
        sh_buffer_free(&bearer);
    }
    if (!good)
        return false;
    curl_easy_setopt(self->curl, CURLOPT_URL, url);
    curl_easy_setopt(self->curl, CURLOPT_HTTPHEADER, self->headers);
    curl_easy_setopt(self->curl, CURLOPT_TIMEOUT, (long)TIMEOUT_S);
    curl_easy_setopt(self->curl, CURLOPT_NOSIGNAL, 1L);
    curl_easy_setopt(self->curl, CURLOPT_WRITEFUNCTION, on_data);
    curl_easy_setopt(self->curl, CURLOPT_WRITEDATA, &self->answer);
    return true;
}

struct searcher *searcher_new(const struct searcher_options *options)
{
    struct searcher *self = sh_alloc(sizeof(*self));
    if (!self)
        return NULL;
    self->trusted = options->token == NULL;
    self->page = options->page;
    self->curl = curl_easy_init();
    if (!set_up(self, options))
        searcher_free(&self);
    return self;
}

void searcher_free(struct searcher **searcher)
{
    struct searcher *self = *searcher;
    if (!self)
        return;
    curl_easy_cleanup(self->curl);
    curl_slist_free_all(self->headers);
    sh_buffer_free(&self->answer);
    sh_free(self);
    *searcher = NULL;
}

/* --- one page ------------------------------------------------------------------------
 */

static char *body_of(const struct searcher *self, const char *query, json_t *config,
                     size_t offset)
{
    json_t *all = json_copy(config);
    json_t *body = json_pack("{s:s,s:o}", "query", query, "config", all);
    if (self->trusted)
        json_object_set_new(body, "user",
                            json_pack("{s:s,s:s}", "user_id", "eval", "role", "admin"));
    json_object_set_new(all, "max_results", json_integer(self->page));
    json_object_set_new(all, "offset", json_integer((json_int_t)offset));
    json_object_set_new(all, "highlight", json_false());
    char *text = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    return text;
}

/* Refused for the moment: 429, 503 with Retry-After. */
static bool worth_another(struct searcher *self, long status)
{
    curl_off_t wait = 0;
    if (status != 429 && status != 503)
        return false;
    curl_easy_getinfo(self->curl, CURLINFO_RETRY_AFTER, &wait);
    if (wait <= 0 || wait > TIMEOUT_S)
        return false;
    return nanosleep(&(struct timespec){.tv_sec = (time_t)wait}, NULL) == 0;
}

/* Metadata may hold numbers that no integer of C can. */
static json_t *parse(const struct searcher *self)
{
    json_error_t error;
    json_t *page =
        json_loadb(self->answer.data, self->answer.len, JSON_DECODE_INT_AS_REAL, &error);
    if (!page)
        (void)fprintf(stderr, "cairn-eval: the answer is no JSON: %s\n", error.text);
    return page;
}

static json_t *ask(struct searcher *self, const char *body)
{
    char error[CURL_ERROR_SIZE] = "";
    long status = 0;
    curl_easy_setopt(self->curl, CURLOPT_POSTFIELDS, body);
    curl_easy_setopt(self->curl, CURLOPT_ERRORBUFFER, error);
    for (int attempt = 0; attempt < ATTEMPTS; attempt++) {
        sh_buffer_clear(&self->answer);
        CURLcode code = curl_easy_perform(self->curl);
        if (code != CURLE_OK) {
            (void)fprintf(stderr, "cairn-eval: %s\n",
                          error[0] ? error : curl_easy_strerror(code));
            return NULL;
        }
        curl_easy_getinfo(self->curl, CURLINFO_RESPONSE_CODE, &status);
        if (status == 200)
            return parse(self);
        if (!worth_another(self, status))
            break;
    }
    (void)fprintf(stderr, "cairn-eval: HTTP %ld: %.*s\n", status, (int)self->answer.len,
                  self->answer.len > 0 ? self->answer.data : "");
    return NULL;
}

/* --- pages until there are enough documents ------------------------------------------
 */

static bool is_whole(json_t *page)
{
    json_t *degraded = json_object_get(page, "degraded");
    if (!json_is_array(json_object_get(page, "results"))) {
        (void)fprintf(stderr, "cairn-eval: the answer has no results\n");
        return false;
    }
    if (json_array_size(degraded) == 0)
        return true;
    char *why = json_dumps(degraded, JSON_COMPACT);
    (void)fprintf(stderr, "cairn-eval: the answer is degraded: %s\n", why ? why : "");
    free(why); /* jansson's */
    return false;
}

static void take(json_t *results, json_t *seen, json_t *ranking, size_t most)
{
    size_t i = 0;
    json_t *hit = NULL;
    json_array_foreach(results, i, hit)
    {
        json_t *id = json_object_get(hit, "document_id");
        const char *text = json_string_value(id);
        if (!text || json_object_get(seen, text) || json_array_size(ranking) >= most)
            continue;
        json_object_set_new(seen, text, json_true());
        json_array_append(ranking, id);
    }
}

json_t *searcher_rank(struct searcher *self, const char *query, json_t *config,
                      size_t most)
{
    json_t *seen = json_object();
    json_t *ranking = json_array();
    size_t got = 1;
    for (size_t offset = 0; got > 0 && offset < PASSAGES_MOST; offset += got) {
        char *body = body_of(self, query, config, offset);
        json_t *page = body ? ask(self, body) : NULL;
        free(body); /* jansson's */
        if (!page || !is_whole(page)) {
            json_decref(page);
            json_decref(ranking);
            ranking = NULL;
            break;
        }
        json_t *results = json_object_get(page, "results");
        take(results, seen, ranking, most);
        got = json_array_size(ranking) < most ? json_array_size(results) : 0;
        json_decref(page);
    }
    json_decref(seen);
    return ranking;
}
