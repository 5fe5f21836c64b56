/* question: something is asked of the graph. The answer is found on a worker, in one
 * version of the graph and with the rights of the caller, and may borrow from both: they
 * are let go after it was sent. */
#ifndef GRAPH_QUESTION_H
#define GRAPH_QUESTION_H

#include "services/graph/feed/feed.h"
#include "shared/rpc_server.h"

struct asker;
struct node_vectors;
struct vector_maker;

struct question {
    struct graph_reader reader;
    struct finder *finder;       /* of the graph that is read */
    struct value_finder *values; /* the same; NULL: there are no indexes */
    const struct asker *asker;
    struct sh_arena arena;
    void *request; /* the decoded message; nothing where the kind takes none */
    void *reply;   /* to be filled */
    uint64_t deadline_ms;
    _Atomic bool cancelled; /* nobody waits for the answer any more */
    /* of a failure: what to tell the client; may stay empty */
    const char *code;  /* static */
    const char *field; /* static */
    char message[256];
};

struct question_kind {
    uint32_t method;
    const char *name; /* "graph.schema" */
    const struct msg_desc *(*request)(void);
    const struct msg_desc *(*reply)(void);
    size_t request_size; /* of the structs */
    size_t reply_size;
    enum sh_err (*answer)(struct question *question); /* on a worker */
};

/* Of one query in openCypher. */
struct query_limits {
    uint32_t rows;
    uint32_t timeout_ms;
    uint32_t memory_mb;
    uint64_t touched; /* nodes and relationships that are looked at */
};

struct asker {
    struct feed *feed;
    struct sh_workers *workers;
    struct query_limits limits;
    struct vector_maker *maker; /* NULL: nodes have no vectors */
    struct node_vectors *vectors;
};

/* Answer this kind from now on. Both are borrowed until the server closes. Errors: those
 * of sh_rpc_server_add(). */
struct question_method {
    const struct question_kind *kind;
    struct asker *asker;
};
SH_CHECK enum sh_err question_serve(struct sh_rpc_server *rpc,
                                    struct question_method *method);

#endif
