/* Several ways between two nodes. */
#include "services/graph/ask/asked.h"
#include "services/graph/ask/write.h"

enum { PATHS_LABELS = 1000000, EVERY_DEPTH = 10 };

static enum sh_err write_routes(struct question *question, const struct walk_paths *paths)
{
    struct graph_routes *reply = question->reply;
    struct graph_route *routes =
        sh_arena_array(&question->arena, paths->count + 1, sizeof(*routes));
    enum sh_err err = routes ? SH_OK : SH_NOMEM;
    for (size_t i = 0; i < paths->count && err == SH_OK; i++)
        err = write_route(question, &paths->paths[i], &routes[i]);
    reply->routes = routes;
    reply->routes_count = paths->count;
    reply->truncated = paths->truncated;
    reply->unweighted = paths->unweighted;
    return err;
}

static enum sh_err read_ends(struct question *question,
                             const struct graph_paths_query *query, struct walk_ends *out)
{
    const struct symbols *keys = graph_keys(question->reader.graph);
    *out = (struct walk_ends){.max_depth = query->max_depth, .weight = WALK_ANY};
    if (query->every && out->max_depth > EVERY_DEPTH)
        out->max_depth = EVERY_DEPTH;
    if (query->weight.len > 0 && !symbols_find(keys, query->weight, &out->weight))
        out->weight = WALK_NOTHING;
    enum sh_err err = find_node(question, query->from, &out->from);
    return err == SH_OK ? find_node(question, query->to, &out->to) : err;
}

static enum sh_err answer_paths(struct question *question)
{
    const struct graph_paths_query *query = question->request;
    struct walk walk = walk_of(question, PATHS_LABELS);
    struct walk_ends ends;
    struct walk_paths paths;
    enum sh_err err = read_ends(question, query, &ends);
    if (err != SH_OK)
        return err;
    if (!read_scope(question, query->direction, query->type, (struct sh_bytes){0},
                    &walk.scope))
        ends.max_depth = 0;
    err = query->every ? walk_every(&walk, &ends, query->count, &paths)
                       : walk_cheapest(&walk, &ends, query->count, &paths);
    return err == SH_OK ? write_routes(question, &paths) : err;
}

const struct question_kind paths_question = {
    .method = METHOD_GRAPH_PATHS,
    .name = "graph.paths",
    .request = graph_paths_query_desc,
    .reply = graph_routes_desc,
    .request_size = sizeof(struct graph_paths_query),
    .reply_size = sizeof(struct graph_routes),
    .answer = answer_paths,
};
