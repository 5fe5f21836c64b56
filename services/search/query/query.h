/* query: METHOD_SEARCH_QUERY: embed the question if the mode wants it, have the backend
 * search, have the first results re-ranked where that is set up, answer. Without the
 * embedder the answer is by text alone, without the re-ranking endpoint in the order of
 * the backend, and says so. Loop thread only. */
#ifndef SEARCH_QUERY_H
#define SEARCH_QUERY_H

#include "services/search/glossary/glossary_feed.h"
#include "services/search/ingest/model.h"
#include "services/search/query/backend.h"
#include "services/search/query/query_vectors.h"
#include "services/search/query/shadow.h"
#include "services/search/rerank/rerank.h"
#include "shared/rpc_client.h"
#include "shared/rpc_server.h"
#include "shared/yield.h"

struct querier {
    struct search_backend backend;
    struct sh_rpc_client *embedder;
    const struct model *model;      /* of what the backend searches now */
    struct glossary_feed *glossary; /* NULL: none */
    struct reranker *reranker;      /* NULL: none */
    struct shadow *shadow;          /* NULL: none */
    struct query_vectors *vectors;  /* of earlier questions; NULL: none are kept */
    const struct boosts *boosts;    /* NULL: boosts_default() */
    struct sh_yield *yield;         /* what gives way to searches; NULL: nothing */
    uint64_t generation;            /* of what is searched; 0: not known */
    /* The embedder has that model no more. */
    void (*other_model)(void *arg);
    void *arg;
    bool closing; /* set when the parts above go: calls under way end without them */
};

/* `arg` is the querier, which must live as long as its calls do. */
void query_handle(void *arg, struct sh_rpc_call *call);

#endif
