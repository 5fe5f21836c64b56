#include "cli/eval/searcher.h"

#include <stdio.h>
#include <stdlib.h>

#include "cli/api/api.h"
#include "shared/mem.h"

enum { PASSAGES_MOST = 2000 };

struct searcher {
    struct api *api;
    struct api_reply reply;
    bool trusted;
    int page;
};

struct searcher *searcher_new(const struct searcher_options *options)
{
    struct searcher *self = sh_alloc(sizeof(*self));
    if (!self)
        return NULL;
    self->trusted = options->token == NULL;
    self->page = options->page;
    self->api = api_new(&(struct api_settings){
        .program = "cairn-eval", .url = options->url, .token = options->token});
    if (!self->api)
        searcher_free(&self);
    return self;
}

void searcher_free(struct searcher **searcher)
{
    struct searcher *self = *searcher;
    if (!self)
        return;
    api_free(&self->api);
    api_reply_free(&self->reply);
    sh_free(self);
    *searcher = NULL;
}

/* --- one page --------------------------------------------------------------------- */

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

static json_t *ask(struct searcher *self, const char *body)
{
    json_t *page = NULL;
    enum api_end end = api_call(self->api,
                                &(struct api_request){.method = "POST",
                                                      .path = "/api/search",
                                                      .body = sh_bytes_of(body),
                                                      .repeatable = true},
                                &self->reply);
    if (end == API_ANSWERED && self->reply.status == 200)
        page = api_json(&self->reply);
    if (!page && self->reply.status > 0)
        (void)fprintf(stderr, "cairn-eval: HTTP %ld: %s\n", self->reply.status,
                      self->reply.error);
    else if (!page)
        (void)fprintf(stderr, "cairn-eval: %s\n", self->reply.error);
    return page;
}

/* --- pages until there are enough documents --------------------------------------- */

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
