/* A shortest path, and what lies around a node. */
#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"

enum { PATH_NODES = 1000000, SUBGRAPH_EDGES = 20000 };

static enum sh_err write_path(struct question *question, const struct walk_path *path,
                              struct graph_path_reply *reply)
{
    struct graph_route route = {0};
    enum sh_err err = write_route(question, path, &route);
    reply->nodes = route.nodes;
    reply->nodes_count = route.nodes_count;
    reply->edges = route.edges;
    reply->edges_count = route.edges_count;
    return err;
}

static enum sh_err answer_path(struct question *question)
{
    const struct graph_path_query *query = question->request;
    struct graph_path_reply *reply = question->reply;
    struct walk walk = walk_of(question, PATH_NODES);
    struct walk_path path;
    uint32_t from;
    uint32_t to;
    enum sh_err err = find_node(question, query->from, &from);
    if (err == SH_OK)
        err = find_node(question, query->to, &to);
    if (err != SH_OK)
        return err;
    bool any = read_scope(question, query->direction, query->type, (struct sh_bytes){0},
                          &walk.scope);
    err = walk_shortest(&walk, from, to, any ? query->max_depth : 0, &path);
    if (err != SH_OK)
        return err;
    reply->found = path.found;
    reply->truncated = path.truncated;
    return path.found ? write_path(question, &path, reply) : SH_OK;
}

const struct question_kind path_question = {
    .method = METHOD_GRAPH_PATH,
    .name = "graph.path",
    .request = graph_path_query_desc,
    .reply = graph_path_reply_desc,
    .request_size = sizeof(struct graph_path_query),
    .reply_size = sizeof(struct graph_path_reply),
    .answer = answer_path,
};

static enum sh_err answer_subgraph(struct question *question)
{
    const struct graph_subgraph_query *query = question->request;
    struct graph_subgraph *reply = question->reply;
    struct walk walk = walk_of(question, query->limit);
    struct walk_subgraph sub;
    uint32_t root;
    enum sh_err err = find_node(question, query->root, &root);
    if (err != SH_OK)
        return err;
    bool any =
        read_scope(question, query->direction, query->type, query->label, &walk.scope);
    err =
        walk_around(&walk, root, any ? query->depth : 0, any ? SUBGRAPH_EDGES : 0, &sub);
    if (err == SH_OK)
        err = write_nodes(question, sub.nodes, sub.node_count, &reply->nodes);
    if (err == SH_OK)
        err = write_edges(question, sub.edges, sub.edge_count, &reply->edges);
    reply->nodes_count = sub.node_count;
    reply->edges_count = sub.edge_count;
    reply->truncated = any && sub.truncated;
    return err;
}

const struct question_kind subgraph_question = {
    .method = METHOD_GRAPH_SUBGRAPH,
    .name = "graph.subgraph",
    .request = graph_subgraph_query_desc,
    .reply = graph_subgraph_desc,
    .request_size = sizeof(struct graph_subgraph_query),
    .reply_size = sizeof(struct graph_subgraph),
    .answer = answer_subgraph,
};
