/* A relationship. */
#include <stdio.h>

#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"

static enum sh_err answer_edge(struct question *question)
{
    const struct graph_ref *ref = question->request;
    struct graph_edge_reply *reply = question->reply;
    uint32_t place;

    reply->edge_count = 1;
    if (graph_find_edge(&question->reader, ref->id, &place))
        return write_edges(question, &place, 1, &reply->edge);
    question->code = "edge_not_found";
    (void)snprintf(question->message, sizeof(question->message),
                   "there is no such relationship, or it is not to be seen");
    return SH_NOTFOUND;
}

const struct question_kind edge_question = {
    .method = METHOD_GRAPH_EDGE,
    .name = "graph.edge",
    .request = graph_ref_desc,
    .reply = graph_edge_reply_desc,
    .request_size = sizeof(struct graph_ref),
    .reply_size = sizeof(struct graph_edge_reply),
    .answer = answer_edge,
};
