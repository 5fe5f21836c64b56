/* searcher: asks a running Cairn over HTTP, one query after another. */
#ifndef EVAL_SEARCHER_H
#define EVAL_SEARCHER_H

#include <stdbool.h>

#include <jansson.h>

struct searcher;

struct searcher_options {
    const char *url;   /* of the gateway: http://127.0.0.1:8080 */
    const char *token; /* bearer token; NULL: none, the caller is an admin by the body,
                          which a gateway believes in AUTH_MODE=trusted only */
    int page;          /* results a request, what the caller may have at most */
};

/* NULL when out of memory, or when the URL is none of http or https. */
struct searcher *searcher_new(const struct searcher_options *options);
void searcher_free(struct searcher **searcher);

/* The first documents for a query, `most` at most, in the order of their best passages:
 * a JSON array of their ids; the caller lets it go. `config` as in POST /api/search. NULL
 * after a message to stderr; a degraded answer counts as a failure, else figures would be
 * of something else than what was asked. */
json_t *searcher_rank(struct searcher *self, const char *query, json_t *config,
                      size_t most);

#endif
