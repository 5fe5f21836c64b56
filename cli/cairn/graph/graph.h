/* graph: what the commands of `cairn graph` share. Rows for tables are made of what the
 * API tells: {"id","labels","properties"} as texts. */
#ifndef CAIRN_GRAPH_H
#define CAIRN_GRAPH_H

#include "cli/cairn/cli.h"
#include "cli/cairn/table.h"

/* "Person:Author". The caller lets it go, as all that is made here. */
json_t *graph_joined(const json_t *texts, const char *between);

/* A node as a row of NODE_COLUMNS. */
json_t *graph_node_row(const json_t *node);
/* NULL: it is not there. Borrowed. */
json_t *graph_find(const json_t *nodes, const json_t *id);

/* clang-format off */
#define NODE_COLUMNS                                                                     \
    {"ID", "id", true}, {"LABELS", "labels", true}, {"PROPERTIES", "properties", true}
/* clang-format on */

/* --type, --direction, --label, --weight, ... as parameters, those that were given. */
void graph_params(const struct args *args, const char *const *names,
                  struct sh_buffer *path);

int graph_run_schema(struct cli *cli);
int graph_run_labels(struct cli *cli);
int graph_run_nodes(struct cli *cli);
int graph_run_node(struct cli *cli);
int graph_run_edge(struct cli *cli);
int graph_run_search(struct cli *cli);
int graph_run_similar(struct cli *cli);
int graph_run_neighbours(struct cli *cli);
int graph_run_path(struct cli *cli);
int graph_run_paths(struct cli *cli);
int graph_run_subgraph(struct cli *cli);
int graph_run_query(struct cli *cli);
int graph_run_create(struct cli *cli);
int graph_run_merge(struct cli *cli);
int graph_run_update(struct cli *cli);
int graph_run_delete(struct cli *cli);
int graph_run_analyse(struct cli *cli);
int graph_run_import(struct cli *cli);
int graph_run_export(struct cli *cli);

#endif
